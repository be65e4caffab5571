#include "actors/artifact_writer.hpp"

#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
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
  auto end = clock::now() + options_.patience;
  auto hurry = false;
  auto last = fault(ec::unavailable, "there is no artifact store");
  while (true) {
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
    }
    // A stopped run has not much time, but its last words and the reference to them are wanted.
    if (stop.stop_requested() && !std::exchange(hurry, true))
      end = std::min(end, clock::now() + options_.last_words);
    if (clock::now() >= end)
      return last;
    if (hurry)
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
