#pragma once

#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "bridges/amqp/amqp_bridge.hpp"
#include "tests/support/broker_client.hpp"
#include "tests/support/private_broker.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <string>
#include <vector>

namespace troupe::tests {

using namespace std::chrono_literals;

/// A journal on disk and a bridge to a broker, on real threads.
class amqp_world {
public:
  /// `yaml` is what would stand under `roles.amqp`, without addresses.
  explicit amqp_world(const std::string& yaml, uint16_t port = private_broker::shared().port());
  ~amqp_world();

  void start_bridge();
  /// As a crash of the node does: without a word to the broker.
  void kill_bridge();
  /// As a node that leaves; returns when it has.
  void drain_bridge();
  /// While the journal is hidden the bridge finds none.
  void hide_journal(bool hidden) {
    hidden_ = hidden;
  }

  amqp_status status();
  /// Waits until a condition of the status is true; fails the test if it does not become so.
  template <class F>
  void await_status(F condition, std::chrono::seconds limit = 60s) {
    auto last = amqp_status{};
    auto came = await(limit, [&] {
      last = status();
      return condition(last);
    });
    INFO(json_text(write_json(last)));
    REQUIRE(came);
  }
  void await_up();

  std::vector<stored_event> events(const std::string& topic);
  void append(const std::string& topic, const std::string& payload);
  /// Appends external events with such bodies: the rule "record" publishes the bodies.
  void append_bodies(const std::string& topic, const std::vector<std::string>& bodies);

  template <class Reply, class Query>
  caf::expected<Reply> ask(const Query& what) {
    auto out = caf::expected<Reply>{caf::sec::request_timeout};
    caf::scoped_actor {
      sys
      } -> request(bridge, 60s, what)
        .receive([&](const Reply& x) { out = x; }, [&](const caf::error& why) { out = why; });
    return out;
  }

private:
  struct config : caf::actor_system_config {
    config();
  };
  temp_folder folder_;
  config config_;

public:
  caf::actor_system sys{config_};
  journal_actor journal;
  amqp_bridge_actor bridge;

private:
  std::string yaml_;
  std::atomic<bool> hidden_ = false;
};

/// Returns the bodies of events, each with how often it is there.
std::map<std::string, int> bodies_of(const std::vector<stored_event>& events);

/// Returns `count` messages for a queue with bodies {"n":first}, ... and ids.
std::vector<publication> numbered(const std::string& queue, int first, int count);

/// Returns a name that no other test of this run uses.
std::string unique_name(const std::string& what);

} // namespace troupe::tests
