#pragma once

#include "actors/runners/docker/container_order.hpp"
#include "actors/runners/docker/engine_client.hpp"
#include "actors/runners/environment.hpp"

namespace troupe {

/// An environment that is a container of a Docker-compatible engine.
///
/// Threads: one at a time. Source: spec/testing.md 5.4 to 5.8.
class container final : public environment {
public:
  /// Makes and starts a container; a leftover of the same name is removed first.
  /// Errors: `ec::not_found` (no such image), `ec::invalid_config` (the engine
  /// refuses the limits), `ec::unavailable`, `ec::timeout`, `ec::canceled`.
  /// `stop` also ends later puts and gets. Nothing is left on an error, except when the engine
  /// itself does not answer: then the reaper finds it.
  static caf::expected<std::unique_ptr<container>>
  start(engine_client engine, const container_order& order, std::stop_token stop);

  ~container() override;

  command_result exec(const command& what, std::stop_token stop,
                      const std::function<void(int, std::string_view)>& out) override;
  caf::error put(const std::vector<environment_file>& files) override;
  caf::error get(const std::string& path, uint64_t bytes_per_file,
                 const std::function<bool(const archive_entry&)>& each) override;
  caf::error destroy() override;

  const std::string& id() const {
    return id_;
  }

private:
  container(engine_client engine, std::string id, std::stop_token stop)
    : engine_{std::move(engine)}, id_{std::move(id)}, stop_{std::move(stop)} {}

  void judge_failure(command_result& result, std::stop_token stop);

  engine_client engine_;
  std::string id_;
  std::stop_token stop_;   ///< The run's.
  uint64_t commands_ = 0;  ///< Numbers the pid files.
  uint64_t oom_kills_ = 0; ///< As last read in the container.
};

/// Removes a container by id or name; one that is gone already is fine.
/// Errors: `ec::unavailable`, `ec::timeout`.
caf::error remove_container(engine_client& engine, const std::string& id, const call_limit& limit);

} // namespace troupe
