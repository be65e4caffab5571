#pragma once

#include "messages/json.hpp"
#include "messages/run.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace troupe {

/// What a test container may use and may not do. Source: spec/testing.md 5.4, S17.
struct container_limits {
  uint64_t memory = uint64_t{2} << 30; ///< Bytes, swap included.
  double cpus = 2.0;
  int64_t pids = 512;
  int64_t open_files = 1024; ///< rlimit nofile.
  int64_t processes = 8192;  ///< rlimit nproc; counts per user on the host, `pids` is the guard.
  std::string network = "bridge"; ///< "bridge", "none" or "host".
  std::vector<std::string> drop_capabilities{"NET_RAW"};
  bool no_new_privileges = true;
};

/// One container to make.
struct container_order {
  std::string image;
  std::string runner; ///< For the label by which the reaper finds it.
  run_key run;
  std::chrono::system_clock::time_point deadline; ///< After it the reaper removes it.
  std::vector<std::string> variables;             ///< "NAME=value".
  container_limits limits;
};

/// Returns the container's name: one run has one container.
std::string container_name(const run_key& run);

/// Returns the body of POST /containers/create.
json create_body(const container_order& order);

/// Returns the path of the file in which the main process notes its number.
/// The sweep after a timeout spares that process.
std::string_view main_pid_file();

} // namespace troupe
