#pragma once

#include "messages/ids.hpp"
#include "messages/reason.hpp"

#include <cstring>
#include <string>
#include <string_view>

/// The keys of the history's table, see `history_index`.
namespace troupe::history_keys {

inline constexpr auto mark_key = "m";
inline constexpr auto live_end = "m";  ///< The first key after those of "l".
inline constexpr auto rows_last = "f"; ///< The first key after those of "e".

inline std::string bytes_of(const job_id& job) {
  return {reinterpret_cast<const char*>(job.bytes.data()), job.bytes.size()};
}

/// Returns the job in the last 16 bytes of a key.
inline job_id job_at_end(std::string_view key) {
  auto id = job_id{};
  if (key.size() >= id.bytes.size())
    std::memcpy(id.bytes.data(), key.data() + key.size() - id.bytes.size(), id.bytes.size());
  return id;
}

/// Returns the job of an "e" key.
inline job_id job_in_row(std::string_view key) {
  return job_at_end(key.substr(0, 17));
}

inline std::string row(const job_id& job, uint64_t sequence) {
  auto out = "e" + bytes_of(job);
  for (auto shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(sequence >> shift));
  return out;
}

/// Returns the first key after all rows of a job.
inline std::string rows_end(const job_id& job) {
  return row(job, UINT64_MAX) + '\0';
}

inline std::string live_key(const job_id& job) {
  return "l" + bytes_of(job);
}

inline std::string by_subject(std::string_view subject, const job_id& job) {
  return "s" + std::string{subject} + '\0' + bytes_of(job);
}

inline std::string by_verdict(verdict result, const job_id& job) {
  return std::string{'v', static_cast<char>(result)} + bytes_of(job);
}

} // namespace troupe::history_keys
