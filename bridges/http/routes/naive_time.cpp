#include "bridges/http/routes/naive_time.hpp"

#include <array>

namespace troupe {

namespace {

using namespace std::chrono;

/// Writes `value` as digits that end before `end`.
void put_digits(char* end, int64_t value, int count) {
  for (; count > 0; --count, value /= 10)
    *--end = static_cast<char>('0' + value % 10);
}

} // namespace

void append_naive(std::string& to, caf::timestamp t) {
  auto day = floor<days>(t);
  auto date = year_month_day{day};
  auto time = hh_mm_ss{floor<microseconds>(t - day)};
  auto out = std::array<char, 26>{"0000-00-00T00:00:00.00000"};
  put_digits(&out[4], static_cast<int>(date.year()), 4);
  put_digits(&out[7], static_cast<unsigned>(date.month()), 2);
  put_digits(&out[10], static_cast<unsigned>(date.day()), 2);
  put_digits(&out[13], time.hours().count(), 2);
  put_digits(&out[16], time.minutes().count(), 2);
  put_digits(&out[19], time.seconds().count(), 2);
  put_digits(out.data() + out.size(), time.subseconds().count(), 6);
  to.append(out.data(), out.size());
}

std::string to_naive(caf::timestamp t) {
  auto out = std::string{};
  if (t != caf::timestamp{})
    append_naive(out, t);
  return out;
}

} // namespace troupe
