#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {

/// Limits of the HTTP bridge. Source: PLATFORM 2, spec/reliability_security.md S10, S14-S16.
struct http_options {
  std::string address = "127.0.0.1";
  uint16_t port = 8000;
  size_t max_connections = 4096;
  size_t max_connections_per_address = 64;
  size_t max_streams = 1024;
  size_t max_buffered = 8 << 20; ///< Bytes of all unfinished requests together.
  size_t max_header_bytes = 16 << 10;
  size_t max_header_lines = 100;
  size_t max_header_line = 8 << 10;
  size_t max_body = 1 << 20;      ///< Default of a route.
  size_t min_body_rate = 1 << 10; ///< Bytes per second, after 5 s.
  std::chrono::milliseconds header_time{5000};
  std::chrono::milliseconds idle_time{15000};
  std::chrono::milliseconds write_time{30000}; ///< For one answer to a slow reader.
  std::chrono::milliseconds request_deadline{5000};
  size_t workers = 64;              ///< Threads at most; made when needed.
  size_t queue = 256;               ///< Complete requests that wait for a worker; then 503.
  double rate_per_subject = 0;      ///< Requests per second, 0 = no limit; then 429.
  double rate_per_address = 0;      ///< The same for an address, whatever its tokens.
  double failures_per_address = 20; ///< Answers 401 per second; more become 429. 0 = no limit.
  size_t max_unsent = 64 << 20;     ///< Bytes of all answers that slow readers have not taken.
  std::chrono::milliseconds linger_time{2000};  ///< For a refused client to read why.
  std::chrono::milliseconds worker_idle{10000}; ///< Then an unused worker thread ends.
};

} // namespace troupe
