#pragma once

#include "messages/ids.hpp"

#include <cstring>
#include <string>
#include <string_view>

/// The keys of the objects' table, see `object_table`.
namespace troupe::object_keys {

inline constexpr auto mark_key = "m";
inline constexpr auto objects_end = "p"; ///< The first key after those of "o".
inline constexpr auto dead_end = "e";    ///< The first key after those of "d".

inline std::string number(uint64_t x) {
  auto out = std::string{};
  for (auto shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(x >> shift));
  return out;
}

/// Returns the number in 8 bytes, big endian.
inline uint64_t number_of(std::string_view bytes) {
  auto out = uint64_t{0};
  for (auto c : bytes.substr(0, 8))
    out = (out << 8) | static_cast<uint8_t>(c);
  return out;
}

inline std::string bytes_of(const job_id& job) {
  return {reinterpret_cast<const char*>(job.bytes.data()), job.bytes.size()};
}

inline job_id job_of(std::string_view bytes) {
  auto out = job_id{};
  if (bytes.size() >= out.bytes.size())
    std::memcpy(out.bytes.data(), bytes.data(), out.bytes.size());
  return out;
}

inline std::string object_key(uint64_t id) {
  return 'o' + number(id);
}

inline std::string dead_key(const job_id& job) {
  return 'd' + bytes_of(job);
}

inline std::string word_key(std::string_view task) {
  return std::string{"w"}.append(task);
}

} // namespace troupe::object_keys
