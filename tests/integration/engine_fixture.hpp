#pragma once

#include "actors/runners/docker/container.hpp"
#include "actors/runners/docker/container_order.hpp"
#include "tests/support/private_engine.hpp"

#include <memory>
#include <string>

namespace troupe::tests {

/// What a command did.
struct command_outcome {
  command_result result;
  std::string out;
  std::string err;
  std::chrono::milliseconds took{};
};

/// Returns the order of a container for a fresh run of `runner`.
inline container_order some_order(const std::string& runner = unique_runner()) {
  return {.image = "debian:12",
          .runner = runner,
          .run = {new_job_id(), 0},
          .deadline = std::chrono::system_clock::now() + std::chrono::minutes{10},
          .variables = {},
          .limits = {.memory = 256 << 20, .network = "none"}};
}

/// Returns the code of an error, `ec{}` if there is none.
inline ec code_of(const caf::error& why) {
  return why ? explain(why).code : ec{};
}

/// Starts a container of the shared engine. Throws if that fails.
inline std::unique_ptr<container> started_container(const container_order& order = some_order()) {
  auto made = container::start(engine_client{private_engine::shared().socket()}, order, {});
  if (!made)
    throw std::runtime_error{one_line(made.error())};
  return std::move(*made);
}

inline command_outcome run_in(environment& where, const command& what, std::stop_token stop = {}) {
  auto out = command_outcome{};
  auto began = std::chrono::steady_clock::now();
  out.result = where.exec(what, stop, [&out](int stream, std::string_view text) {
    (stream == 1 ? out.out : out.err) += text;
  });
  out.took =
    std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return out;
}

inline command_outcome run_in(environment& where, std::vector<std::string> argv) {
  return run_in(where, command{.argv = std::move(argv), .variables = {}});
}

} // namespace troupe::tests
