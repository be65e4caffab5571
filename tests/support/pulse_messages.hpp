#pragma once

#include "bridges/amqp/outbound_rule.hpp"
#include "bridges/amqp/pulse_feed.hpp"
#include "messages/json.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::tests {

/// One message as Taskcluster publishes it.
struct pulse_message {
  std::string exchange; ///< With its prefix.
  std::string routing_key;
  json body;
};

/// Makes what Taskcluster would say of a number of machines: tasks that begin, end well, fail,
/// die with their worker, are canceled or never claimed; workers that come and go. The same
/// seed makes the same messages, in the order in which they would be sent. Source: the schemas
/// and examples of spec/machines.md 2.5.
class pulse_script {
public:
  explicit pulse_script(uint64_t seed, size_t machines = 50);

  /// The next messages.
  std::vector<pulse_message> take(size_t count);

  /// One message of each kind, with all that may be left out and all that may be added.
  static std::vector<pulse_message> one_of_each();

private:
  struct worker {
    std::string group;
    std::string host;
    std::string type;
    int64_t free_at = 0; ///< Milliseconds.
  };
  uint64_t below(uint64_t n) {
    return random_() % n;
  }
  void play_task();
  void play_worker(const worker& who);
  json status_of(const worker& who);
  void say(const std::string& kind, json status, const worker* who, uint32_t run, json more = {});

  std::mt19937_64 random_;
  std::vector<worker> workers_;
  std::vector<pulse_message> made_;
  int64_t now_ = 1'541'666'870'812; ///< 2018-11-08T08:47:50.812Z
};

/// Returns it as a broker takes it; `prefix` is put before the exchange's name.
publication to_publication(const pulse_message& what, const std::string& prefix = {});

} // namespace troupe::tests
