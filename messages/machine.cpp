#include "messages/machine.hpp"

#include "messages/time.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

bool is_name(std::string_view x) {
  return !x.empty() && x.size() <= machine_name_size
         && std::none_of(x.begin(), x.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

/// Returns the year that a time begins with, 0 = none.
int year_of(std::string_view text) {
  auto year = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), year);
  return fault == std::errc{} && end == text.data() + 4 && text.size() > 4 && *end == '-' ? year
                                                                                          : 0;
}

} // namespace

std::string to_machine_id(std::string_view datacenter, std::string_view host) {
  auto out = std::string{};
  out.reserve(datacenter.size() + 1 + host.size());
  out.append(datacenter).append(1, ':').append(host);
  return out;
}

std::optional<std::pair<std::string_view, std::string_view>> split_machine_id(std::string_view id) {
  auto colon = id.find(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto out = std::pair{id.substr(0, colon), id.substr(colon + 1)};
  if (!is_name(out.first) || !is_name(out.second))
    return std::nullopt;
  return out;
}

std::optional<caf::timestamp> parse_machine_time(std::string_view text) {
  if (auto out = parse_iso8601(text))
    return out;
  if (auto out = parse_iso8601(std::string{text} + 'Z'))
    return out;
  // What it says beyond the year is checked with one that can be had.
  if (year_of(text) <= 2261)
    return std::nullopt;
  auto nearer = std::string{"2260"}.append(text.substr(4)); // a leap year, as any may be
  if (parse_iso8601(nearer) || parse_iso8601(nearer + 'Z'))
    return far_future;
  return std::nullopt;
}

} // namespace troupe
