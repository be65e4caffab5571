#pragma once

#include "nodes/node.hpp"
#include "tests/support/child_process.hpp"

#include <stdexcept>
#include <string>

namespace troupe::tests {

/// A node in this process that has joined another. Throws what goes wrong.
class joined_node {
public:
  explicit joined_node(const std::string& config) {
    auto root = section::from_text(config, "joined node");
    if (!root)
      throw std::runtime_error{one_line(root.error())};
    if (auto why = it_.start(*root, [](const std::string&, bool) {}))
      throw std::runtime_error{one_line(why)};
  }

  /// Waits for the actor of a role.
  template <class Handle>
  Handle await_role(const std::string& role) const {
    auto out = Handle{};
    if (!await(std::chrono::seconds{30}, [&] {
          out = it_.roles().find<Handle>(role);
          return static_cast<bool>(out);
        }))
      throw std::runtime_error{"no actor plays " + role};
    return out;
  }

  const directory& roles() const {
    return it_.roles();
  }
  caf::actor_system& actors() {
    return it_.actors();
  }

private:
  node it_;
};

} // namespace troupe::tests
