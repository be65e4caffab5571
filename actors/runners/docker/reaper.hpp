#pragma once

#include "actors/runners/docker/engine_client.hpp"
#include "messages/run.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace troupe {

/// A container that carries our labels.
struct labelled_container {
  std::string id;
  std::string runner;
  std::optional<run_key> run;                       ///< Empty if the labels are damaged.
  std::chrono::system_clock::time_point deadline{}; ///< The epoch if the label is damaged.
};

/// Reads the answer of the list call. Entries without an id or our label are left out.
std::vector<labelled_container> read_containers(const json& list);

/// True if nobody needs the container any more. One that is alive stays until its
/// deadline; one whose run is unknown goes at once.
bool is_orphan(const labelled_container& what, const std::vector<run_key>& alive,
               std::chrono::system_clock::time_point now);

/// Lists the containers of one runner. Errors: as `engine_client::call`.
caf::expected<std::vector<labelled_container>>
list_containers(engine_client& engine, const std::string& runner, const call_limit& limit);

/// What a sweep did.
struct sweep_result {
  size_t removed = 0;
  size_t failed = 0; ///< The next sweep tries again.
};

/// Removes this runner's orphans, and only what carries its label.
/// Errors: as `engine_client::call`. Source: spec/testing.md 5.10, R19.
caf::expected<sweep_result> sweep_containers(engine_client& engine, const std::string& runner,
                                             const std::vector<run_key>& alive,
                                             const call_limit& limit);

} // namespace troupe
