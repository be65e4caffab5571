#include "nodes/cli/table.hpp"

#include "config/printable.hpp"

#include <algorithm>

namespace troupe::cli {

namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

} // namespace

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string cut_to(std::string_view text, size_t width) {
  if (width_of(text) <= width || width == 0)
    return std::string{text};
  auto left = width; // the mark takes the last column
  auto end = size_t{0};
  while (end < text.size() && !(begins_character(text[end]) && --left == 0))
    ++end;
  return std::string{text.substr(0, end)} + "…";
}

std::string table_text(const terminal& io, const std::vector<std::string>& header,
                       const std::vector<std::vector<cell>>& rows, size_t widest) {
  auto all = std::vector<std::vector<cell>>{{}};
  for (const auto& name : header)
    all[0].push_back({name, color::grey});
  all.insert(all.end(), rows.begin(), rows.end());
  auto widths = std::vector<size_t>(header.size());
  for (auto& row : all)
    for (auto i = size_t{0}; i < row.size() && i < widths.size(); ++i) {
      row[i].text = printable(row[i].text);
      // The last column may run on: there is nothing behind it to push away.
      if (i + 1 < widths.size())
        row[i].text = cut_to(row[i].text, widest);
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  auto out = std::string{};
  for (const auto& row : all) {
    auto line = std::string{};
    auto gap = size_t{0};
    for (auto i = size_t{0}; i < row.size() && i < widths.size(); ++i) {
      line.append(row[i].text.empty() ? 0 : gap, ' ');
      gap = row[i].text.empty() ? gap : 0;
      line += io.paint(row[i].tint, row[i].text);
      gap += widths[i] - width_of(row[i].text) + 2;
    }
    out += line + '\n';
  }
  return out;
}

} // namespace troupe::cli
