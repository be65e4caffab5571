#pragma once

#include "messages/protocols.hpp"
#include "nodes/node.hpp"
#include "tests/support/temp_folder.hpp"

#include <cstddef>
#include <string>

namespace troupe::bench {

/// A node in this process that makes objects and does their tasks in no time.
class object_node {
public:
  /// `more` is YAML of further roles. Throws if it does not start.
  explicit object_node(const std::string& more = {});
  ~object_node();

  /// Makes some objects, so that first claims and ids are not part of a measurement; returns
  /// how many.
  size_t warm_up();
  objects_actor maker() const;

  caf::actor_system& actors() {
    return it_.actors();
  }
  const directory& roles() const {
    return it_.roles();
  }

private:
  tests::temp_folder folder_;
  node it_;
};

/// Makes `count` objects, 1024 of them outstanding; returns when all are durable.
/// Throws if one is refused.
void create_all(caf::actor_system& sys, const objects_actor& objects, size_t count);

/// Waits until no task is left and every one of `tasks` is counted by each projection of the
/// pipeline that the node plays. Throws after ten minutes.
void await_counted(caf::actor_system& sys, const directory& roles, uint64_t tasks);

} // namespace troupe::bench
