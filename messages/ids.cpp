#include "messages/ids.hpp"

#include <sys/random.h>

#include <chrono>
#include <cstdlib>
#include <mutex>

namespace troupe {

namespace {

constexpr auto hex_digits = std::string_view{"0123456789abcdef"};

void fill_random(void* out, size_t n) {
  // Small reads never fail after boot; without randomness no id may be issued.
  if (getrandom(out, n, 0) != static_cast<ssize_t>(n))
    std::abort();
}

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// 48 bits of milliseconds and 74 random bits; within a millisecond the random
/// part counts up by a random step, so that ids increase and stay hard to guess.
class id_source {
public:
  /// Takes `count` ids; those after the first differ in the counting part alone.
  job_id next(uint32_t count) {
    auto guard = std::lock_guard{mutex_};
    auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
                 .count();
    if (now > millis_) {
      millis_ = now;
      fill_random(&high_, sizeof high_);
      fill_random(&low_, sizeof low_);
      high_ &= 0x7FF; // the top bit of rand_a stays free for counting
      low_ >>= 3;
    } else {
      auto step = uint32_t{};
      fill_random(&step, sizeof step);
      low_ += uint64_t{step} + 1;
      if ((low_ + count - 1) >> 62) {
        low_ = step;
        if (++high_ > 0xFFF) {
          high_ = 0;
          ++millis_;
        }
      }
    }
    auto first = assemble();
    low_ += count - 1;
    return first;
  }

private:
  job_id assemble() const {
    auto id = job_id{};
    for (auto i = 0; i < 6; ++i)
      id.bytes[i] = static_cast<uint8_t>(millis_ >> (40 - 8 * i));
    id.bytes[6] = static_cast<uint8_t>(0x70 | (high_ >> 8));
    id.bytes[7] = static_cast<uint8_t>(high_);
    for (auto i = 0; i < 8; ++i)
      id.bytes[8 + i] = static_cast<uint8_t>(low_ >> (56 - 8 * i));
    id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return id;
  }

  std::mutex mutex_;
  int64_t millis_ = 0;
  uint64_t low_ = 0;
  uint16_t high_ = 0;
};

} // namespace

job_id new_job_id() {
  return new_job_ids(1);
}

job_id new_job_ids(uint32_t count) {
  static auto source = id_source{};
  return source.next(count);
}

job_id nth_job_id(const job_id& first, uint32_t n) {
  auto out = first;
  auto carry = n;
  for (auto i = out.bytes.size(); i-- > 8 && carry > 0;) {
    carry += out.bytes[i];
    out.bytes[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return out;
}

std::string to_string(const job_id& id) {
  auto out = std::string{};
  out.reserve(36);
  for (auto i = size_t{0}; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out.push_back('-');
    out.push_back(hex_digits[id.bytes[i] >> 4]);
    out.push_back(hex_digits[id.bytes[i] & 0xF]);
  }
  return out;
}

std::optional<job_id> parse_job_id(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  auto id = job_id{};
  auto nibble = size_t{0};
  for (auto i = size_t{0}; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    auto value = hex_value(text[i]);
    if (value < 0)
      return std::nullopt;
    id.bytes[nibble / 2] = static_cast<uint8_t>((id.bytes[nibble / 2] << 4) | value);
    ++nibble;
  }
  return id;
}

std::string random_token() {
  auto raw = std::array<uint8_t, 16>{};
  fill_random(raw.data(), raw.size());
  auto out = std::string{};
  for (auto byte : raw) {
    out.push_back(hex_digits[byte >> 4]);
    out.push_back(hex_digits[byte & 0xF]);
  }
  return out;
}

} // namespace troupe
