#pragma once

#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

namespace troupe::tests {

/// An actor system that runs nothing until told to: one thread, simulated time.
class deterministic_system {
public:
  /// Sends a request, runs every actor until idle, and returns the reply or the
  /// error; `ec::timeout` if there is no answer yet.
  template <class Reply, class Handle, class... Ts>
  caf::expected<Reply> ask(const Handle& to, Ts... xs) {
    auto out = caf::expected<Reply>{caf::make_error(ec::timeout)};
    auto asker = caf::scoped_actor{sys};
    auto pending = asker->request(to, std::chrono::milliseconds{1}, std::move(xs)...);
    sched.run();
    if (!asker->has_next_message())
      return out;
    pending.receive([&](Reply& y) { out = std::move(y); },
                    [&](caf::error& e) { out = std::move(e); });
    return out;
  }

private:
  struct testing_config : caf::actor_system_config {
    testing_config() {
      add_message_types<caf::id_block::troupe_atoms>();
      add_message_types<caf::id_block::troupe>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };
  testing_config config_;

public:
  caf::actor_system sys{config_};
  caf::scheduler::test_coordinator& sched =
    dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
};

} // namespace troupe::tests
