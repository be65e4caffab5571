#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Identifies a job: a UUID version 7 (RFC 9562), so ids sort by creation time.
struct job_id {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const job_id&) const = default;
  explicit operator bool() const {
    return *this != job_id{};
  }
};

/// Returns a fresh id; ids of one process strictly increase. Threads: any.
job_id new_job_id();

/// Returns the first of `count` ids in a row that all belong to the caller, see
/// `nth_job_id`; `count` is at least 1. Threads: any.
job_id new_job_ids(uint32_t count);

/// Returns the id that comes `n` after the first one of a row.
job_id nth_job_id(const job_id& first, uint32_t n);

/// Returns the 36-character text form.
std::string to_string(const job_id& id);

/// Reads the 36-character text form (any letter case); nothing else is accepted.
std::optional<job_id> parse_job_id(std::string_view text);

/// Returns 32 random hexadecimal digits from the system's generator: boot ids, nonces.
std::string random_token();

} // namespace troupe

template <>
struct std::hash<troupe::job_id> {
  size_t operator()(const troupe::job_id& id) const noexcept {
    auto tail = uint64_t{};
    std::memcpy(&tail, id.bytes.data() + 8, sizeof tail);
    auto head = uint64_t{};
    std::memcpy(&head, id.bytes.data(), sizeof head);
    return (tail ^ (head * 0x9E3779B97F4A7C15ULL));
  }
};
