#pragma once

#include "messages/statistics.hpp"
#include "nodes/cli/terminal.hpp"

#include <string>

/// Statistics as text for people; pure.
namespace troupe::cli {

/// Returns counters, durations and rates as a few tables.
std::string stats_text(const terminal& io, const statistics_report& x);

/// Returns the block that EBS's statistics service printed after each message.
/// Source: spec/pipeline.md 3.3.
std::string console_block(const statistics_report& x);

} // namespace troupe::cli
