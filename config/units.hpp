#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Reads "500ms", "90s", "10m", "24h", "7d": digits and a unit, at most 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Reads "4096B", "64KiB", "10MiB", "2GiB", "1TiB": digits and a unit, below 2^63.
std::optional<uint64_t> parse_size(std::string_view text);

/// Returns the shortest text that `parse_duration` reads as `x`.
std::string duration_text(std::chrono::milliseconds x);

/// Returns the shortest text that `parse_size` reads as `x`.
std::string size_text(uint64_t x);

/// Returns how many insertions, deletions, replacements and swaps of neighbours lead from `a` to
/// `b`.
size_t edit_distance(std::string_view a, std::string_view b);

} // namespace troupe
