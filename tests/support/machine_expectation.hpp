#pragma once

#include "messages/json.hpp"
#include "messages/machine.hpp"
#include "tests/support/pulse_messages.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::tests {

/// What is to be known of machines after the messages of a `pulse_script`, read from their
/// bodies by the words of spec/machines.md 2.5 and 2.8 only: no part of the tracker is used.
/// Each message is told once. Memory grows with the machines, not with the messages.
class machine_expectation {
public:
  void tell(const pulse_message& x);
  /// By id, in the form of `told_of`.
  std::map<std::string, json> all() const;

private:
  struct run {
    json task;
    std::string phase; ///< running, lost, or anything else for one that is over.
    std::string taken_until;
  };
  /// Times as they stand in the messages: all have the same form, so text order is time order.
  struct machine {
    std::string first, seen, message, up, down, status_at, status, task;
    std::map<std::string, uint64_t> counts; ///< "running", "exception.claim-expired"
    std::map<std::string, run> runs;        ///< The latest, by their begin.
  };
  void tell_task(const std::string& kind, const json& body);
  void tell_worker(const std::string& kind, const json& body);
  static void live(machine& of, const std::string& at);

  std::map<std::string, machine> machines_;
};

/// Returns the parts of a view that an expectation speaks of.
json told_of(const machine_view& x);

} // namespace troupe::tests
