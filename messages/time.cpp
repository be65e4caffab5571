#include "messages/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace troupe {

namespace {

using namespace std::chrono;

/// Reads exactly `n` digits and drops them from `in`.
std::optional<int> take_digits(std::string_view& in, size_t n) {
  auto value = 0;
  if (in.size() < n)
    return std::nullopt;
  auto [end, fault] = std::from_chars(in.data(), in.data() + n, value);
  if (fault != std::errc{} || end != in.data() + n || in[0] == '-')
    return std::nullopt;
  in.remove_prefix(n);
  return value;
}

bool take_char(std::string_view& in, char c) {
  if (in.empty() || in[0] != c)
    return false;
  in.remove_prefix(1);
  return true;
}

std::optional<nanoseconds> take_fraction(std::string_view& in) {
  auto value = int64_t{0};
  auto digits = 0;
  while (!in.empty() && in[0] >= '0' && in[0] <= '9') {
    if (++digits > 9)
      return std::nullopt;
    value = value * 10 + (in[0] - '0');
    in.remove_prefix(1);
  }
  if (digits == 0)
    return std::nullopt;
  for (; digits < 9; ++digits)
    value *= 10;
  return nanoseconds{value};
}

std::optional<minutes> take_zone(std::string_view& in) {
  if (take_char(in, 'Z') || take_char(in, 'z'))
    return minutes{0};
  auto sign = take_char(in, '+') ? 1 : take_char(in, '-') ? -1 : 0;
  auto h = take_digits(in, 2);
  if (sign == 0 || !h || !take_char(in, ':'))
    return std::nullopt;
  auto m = take_digits(in, 2);
  if (!m || *h > 23 || *m > 59)
    return std::nullopt;
  return minutes{sign * (*h * 60 + *m)};
}

} // namespace

caf::timestamp now() {
  return time_point_cast<caf::timespan>(system_clock::now());
}

std::string to_iso8601(caf::timestamp t) {
  if (t == caf::timestamp{})
    return {};
  auto day = floor<days>(t);
  auto date = year_month_day{day};
  auto time = hh_mm_ss{floor<milliseconds>(t - day)};
  auto out = std::array<char, 40>{};
  auto n = std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ",
                         static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()), time.hours().count(),
                         static_cast<long>(time.minutes().count()), time.seconds().count(),
                         time.subseconds().count());
  return {out.data(), static_cast<size_t>(n)};
}

std::optional<caf::timestamp> parse_iso8601(std::string_view in) {
  auto y = take_digits(in, 4);
  if (!y || !take_char(in, '-'))
    return std::nullopt;
  auto mo = take_digits(in, 2);
  if (!mo || !take_char(in, '-'))
    return std::nullopt;
  auto d = take_digits(in, 2);
  if (!d || !(take_char(in, 'T') || take_char(in, 't') || take_char(in, ' ')))
    return std::nullopt;
  auto h = take_digits(in, 2);
  if (!h || !take_char(in, ':'))
    return std::nullopt;
  auto mi = take_digits(in, 2);
  if (!mi || !take_char(in, ':'))
    return std::nullopt;
  auto s = take_digits(in, 2);
  if (!s || *h > 23 || *mi > 59 || *s > 60)
    return std::nullopt;
  auto fraction = nanoseconds{0};
  if (take_char(in, '.')) {
    auto f = take_fraction(in);
    if (!f)
      return std::nullopt;
    fraction = *f;
  }
  auto zone = take_zone(in);
  auto date = year{*y} / *mo / *d;
  if (!zone || !in.empty() || !date.ok() || *y < 1678
      || *y > 2261) // the range of int64 nanoseconds
    return std::nullopt;
  return caf::timestamp{sys_days{date}.time_since_epoch() + hours{*h} + minutes{*mi} + seconds{*s}
                        + fraction - *zone};
}

std::string to_short_text(caf::timespan t) {
  auto out = std::array<char, 48>{};
  auto total = duration_cast<milliseconds>(t).count();
  if (total < 60'000)
    std::snprintf(out.data(), out.size(), "%.1fs", static_cast<double>(total) / 1000);
  else if (total < 3'600'000)
    std::snprintf(out.data(), out.size(), "%ldm %lds", static_cast<long>(total / 60'000),
                  static_cast<long>(total / 1000 % 60));
  else
    std::snprintf(out.data(), out.size(), "%ldh %ldm", static_cast<long>(total / 3'600'000),
                  static_cast<long>(total / 60'000 % 60));
  return out.data();
}

} // namespace troupe
