#pragma once

#include "actors/runners/docker/container_order.hpp"
#include "actors/runners/docker/image.hpp"
#include "actors/runners/package_test.hpp"

#include <mutex>
#include <set>

namespace troupe {

/// What an operator may set for the driver "docker".
struct docker_options {
  std::string socket; ///< Empty = DOCKER_HOST, else the usual ones.
  image_options images;
  container_limits limits;
  uint64_t min_free_disk = uint64_t{2}
                           << 30; ///< Where the engine stores; below it nothing is claimed.
  package_test_options test;
};

/// Overwrites what `in` sets. Faults are collected by the section.
void read_options(section& in, docker_options& out);

/// Tests packages in containers of a Docker-compatible engine (Docker, Podman).
///
/// Source: spec/testing.md 5; docs/container-engine.md.
class docker_driver final : public runner_driver {
public:
  docker_driver(docker_options options, std::string runner)
    : options_{std::move(options)}, runner_{std::move(runner)} {}

  caf::error check() override;
  run_outcome run(const run_order& order, run_sink& sink, std::stop_token stop) override;
  void sweep(const std::vector<run_key>& alive) override;

  /// Makes a started environment for a run. Errors: as `environment_start`, and
  /// `ec::unsupported` if the image is for another architecture.
  caf::expected<environment_ptr> start(const test_spec& spec, const run_order& order,
                                       std::stop_token stop) const;

private:
  caf::error check_disk(const json& engine) const;

  docker_options options_;
  std::string runner_;
  std::mutex mutex_;
  std::set<run_key> busy_; ///< Runs of this process: a sweep may know an older list.
};

/// Makes the driver "docker". Errors: `ec::invalid_config`.
caf::expected<runner_driver_ptr> make_docker_runner(section& options,
                                                    const driver_context& context);

} // namespace troupe
