#pragma once

#include "nodes/cli/terminal.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// One cell of a table; its text is made printable by the table.
struct cell {
  std::string text;
  color tint = color::none;
};

/// Returns how many columns `text` takes; a character counts as one.
size_t width_of(std::string_view text);

/// Returns `text` cut to `width` columns, with "…" if something is missing.
std::string cut_to(std::string_view text, size_t width);

/// Returns lines with aligned columns, the header in capitals as given. No
/// column is wider than `widest`; the last one is not padded.
std::string table_text(const terminal& io, const std::vector<std::string>& header,
                       const std::vector<std::vector<cell>>& rows, size_t widest = 48);

} // namespace troupe::cli
