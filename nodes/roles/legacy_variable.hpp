#pragma once

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace troupe {

/// Overwrites `out` by a variable of the environment, as the services of EBS read it: the
/// configuration comes after it and wins. What is no number between the limits is ignored.
/// Source: spec/pipeline.md 3.5.
template <class Int>
void read_legacy_variable(const char* name, Int& out, Int least, Int most) {
  const auto* text = std::getenv(name);
  if (text == nullptr)
    return;
  auto digits = std::string_view{text};
  auto value = Int{};
  auto [end, err] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (err == std::errc{} && end == digits.data() + digits.size() && value >= least && value <= most)
    out = value;
}

} // namespace troupe
