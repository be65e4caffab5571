#include "actors/artifact_writer.hpp"

#include "config/log.hpp"

#include <caf/scoped_actor.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace troupe {

namespace {

using clock = std::chrono::steady_clock;

/// Returns early when the run is stopped meanwhile.
void pause_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  auto mutex = std::mutex{};
  auto stopped = std::condition_variable_any{};
  auto guard = std::unique_lock{mutex};
  stopped.wait_for(guard, stop, time, [] { return false; });
}

} // namespace

store_writer::store_writer(caf::actor_system& system, const directory* roles,
                           store_writer_options options)
  : system_{system}, roles_{roles}, options_{options} {}

template <class Reply, class Request>
caf::expected<Reply> store_writer::insist(const Request& what, const std::stop_token& stop) {
  const auto begun = clock::now();
  auto left = options_.patience;
  auto attempt = begun;
  auto last_call = std::optional<clock::time_point>{};
  auto last = fault(ec::unavailable, "there is no artifact store");
  for (auto told = false;;) {
    auto answered = false;
    if (auto store = roles_->find<artifact_store_actor>("artifacts")) {
      auto reply = Reply{};
      auto failed = caf::error{};
      // One scoped actor per request: the timers of a reused one would pile up.
      auto self = caf::scoped_actor{system_};
      self->request(store, options_.request_timeout, what)
        .receive([&](Reply& x) { reply = std::move(x); },
                 [&](caf::error& e) { failed = std::move(e); });
      if (!failed)
        return reply;
      last = std::move(failed);
      auto code = explain(last).code;
      if (!retryable(last) && code != ec::timeout && code != ec::disk_full)
        return last;
      // A store has reasons of its own; CAF speaks for one that was not reached.
      answered = last.category() == caf::atom("troupe");
    }
    auto now = clock::now();
    auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - attempt);
    if (answered)
      left -= passed;
    attempt += passed;
    // A stopped run has not much time, but its last words and the reference to them are wanted.
    if (stop.stop_requested() && !last_call)
      last_call = now + options_.last_words;
    if (left.count() <= 0 || (last_call && now >= *last_call))
      return last;
    if (now - begun >= options_.patience && !std::exchange(told, true))
      log(log_level::warning, "artifact_writer", "a run waits for the artifact store",
          {{"why", one_line(last)}});
    if (last_call)
      std::this_thread::sleep_for(options_.pause);
    else
      pause_for(options_.pause, stop);
  }
}

caf::expected<uint64_t> store_writer::write(const write_artifact& what, std::stop_token stop) {
  return insist<uint64_t>(what, stop);
}

caf::expected<artifact_ref> store_writer::close(const close_artifact& what, std::stop_token stop) {
  return insist<artifact_ref>(what, stop);
}

} // namespace troupe
