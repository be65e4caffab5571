#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::bench {

/// A closed-loop load: each connection sends its next request when the answer is there.
struct http_load {
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  size_t connections = 64;
  std::chrono::milliseconds warm_up{1000};
  std::chrono::milliseconds duration{5000};
  uint64_t max_requests = UINT64_MAX; ///< Ends earlier when so many were answered.
  std::string request;                ///< Whole bytes: head and body.
  int expect_status = 201;
};

/// What a load saw.
struct http_load_result {
  uint64_t answered = 0; ///< With the expected status, within the measured time.
  uint64_t failed = 0;   ///< Other statuses and broken connections.
  double seconds = 0;
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Runs a load to its end on one thread.
http_load_result run_http_load(const http_load& load);

/// Returns the bytes of a POST request with a JSON body.
std::string post_request(const std::string& path, const std::string& token,
                         const std::string& body);

} // namespace troupe::bench
