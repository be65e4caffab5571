#pragma once

#include "tests/support/broker_client.hpp"
#include "tests/support/node_process.hpp"
#include "tests/support/private_broker.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::tests {

/// How the node of a pipeline is made.
struct pipeline_plan {
  std::string objects = "{}";            ///< Options of the role `objects`, as a YAML flow mapping.
  std::vector<std::string> consume = {}; ///< Queues of ours to have and to consume from:
                                         ///< "troupe_objects" (key legacy-objects), "troupe_tasks"
                                         ///< (legacy-tasks), "troupe_results" (processing).
  bool durable = true;                   ///< Of the exchange and the queues.
  std::string queue_type = "classic";
  std::string roles = {}; ///< Further roles, one a line, two spaces indented.
};

/// A real node beside a real RabbitMQ that speaks the events of EBS, and somebody who
/// listens to all of them in a queue of its own.
class pipeline_world {
public:
  explicit pipeline_world(private_broker& broker, pipeline_plan plan = {});

  void start();
  /// Makes an object; returns its id.
  uint64_t create(const std::string& path = "/objects") const;
  json object(uint64_t id) const;
  /// Waits until an object is in a state; returns it.
  json await_object(uint64_t id, const std::string& state = "completed") const;
  /// What all objects and tasks come to: generated, distributed, processed, in_progress, dead.
  std::map<std::string, size_t> counts() const;

  /// Takes the messages that came since the last call.
  void listen();
  /// Waits until so many messages of this event have come, each event id counted once.
  bool await_events(const std::string& event, size_t count);
  /// Returns the bodies of an event that have come, in order, repeats left out.
  std::vector<json> events(const std::string& event) const;

  /// Publishes as a service of EBS does: no properties at all.
  void say(const std::string& key, const json& body);

  node_process node;
  private_broker& broker;

private:
  std::string listener_;
  std::unique_ptr<broker_client> client_;
  std::set<std::string> seen_;
  std::vector<json> heard_;
};

} // namespace troupe::tests
