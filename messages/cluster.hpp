#pragma once

#include "messages/enum_names.hpp"
#include "messages/node.hpp"

#include <caf/timestamp.hpp>

/// What passes between the nodes of a cluster. Source: DESIGN 4.
namespace troupe {

/// The protocol that this program speaks, and the oldest that it still understands.
inline constexpr auto protocol_now = uint32_t{1};
inline constexpr auto protocol_oldest = uint32_t{1};

/// Command: let me in. Errors: conflict (a node of that name is up, or it brings a
/// journal), forbidden (name or roles), unsupported (says what to upgrade).
struct node_hello {
  uint32_t protocol_oldest = 0;
  uint32_t protocol = 0;
  std::string node;
  std::string boot;    ///< New at each start.
  std::string version; ///< Of the program, for people.
  std::vector<std::string> roles;

  static constexpr auto type_name = "troupe::node_hello";
  static constexpr auto fields = std::tuple{
    field{"protocol_oldest", &node_hello::protocol_oldest},
    field{"protocol", &node_hello::protocol},
    field{"node", &node_hello::node},
    field{"boot", &node_hello::boot},
    field{"version", &node_hello::version},
    field{"roles", &node_hello::roles},
  };
};

/// Reply to `node_hello`; the handles of roles follow, one message each.
struct node_welcome {
  uint32_t protocol = 0; ///< The one that both speak.
  std::string node;
  std::string boot;
  std::string version;
  caf::timespan lost_after{0}; ///< Silence that ends the link; ping three times as often.

  static constexpr auto type_name = "troupe::node_welcome";
  static constexpr auto fields = std::tuple{
    field{"protocol", &node_welcome::protocol},
    field{"node", &node_welcome::node},
    field{"boot", &node_welcome::boot},
    field{"version", &node_welcome::version},
    field{"lost_after", &node_welcome::lost_after},
  };
};

/// Sign of life of a joined node. Errors: not_found (say hello first).
struct node_ping {
  node_status status;

  static constexpr auto type_name = "troupe::node_ping";
  static constexpr auto fields = std::tuple{field{"status", &node_ping::status}};
};

enum class node_state : uint8_t {
  up,
  lost, ///< Its link broke; its runs are suspect until their leases end.
  left, ///< It said goodbye.
};
template <>
inline constexpr auto enum_names<node_state> =
  std::array<std::string_view, 3>{"up", "lost", "left"};

/// One node as the cluster sees it.
struct node_view {
  std::string node;
  std::string boot;
  std::string version;
  uint32_t protocol = 0;
  node_state state = node_state::up;
  caf::timestamp since{};   ///< Of the state.
  caf::timestamp seen_at{}; ///< Last sign of life.
  std::string address;      ///< Where its link comes from; empty for the node that answers.
  caf::timestamp certificate_expires{}; ///< 0 = it has none.
  uint64_t joins = 0;                   ///< Since the node that answers was started.
  std::vector<role_status> roles;
  std::string trouble; ///< Why it is not up, for people.

  static constexpr auto type_name = "troupe::node_view";
  static constexpr auto fields = std::tuple{
    field{"node", &node_view::node},
    field{"boot", &node_view::boot},
    field{"version", &node_view::version},
    field{"protocol", &node_view::protocol},
    field{"state", &node_view::state},
    field{"since", &node_view::since},
    field{"seen_at", &node_view::seen_at},
    field{"address", &node_view::address},
    field{"certificate_expires", &node_view::certificate_expires},
    field{"joins", &node_view::joins},
    field{"roles", &node_view::roles},
    field{"trouble", &node_view::trouble},
  };
};

/// What the transport let in and kept out since the node was started.
struct transport_counts {
  std::string reason; ///< `accepted`, or why a peer was refused or cut.
  uint64_t count = 0;

  static constexpr auto type_name = "troupe::transport_counts";
  static constexpr auto fields = std::tuple{
    field{"reason", &transport_counts::reason},
    field{"count", &transport_counts::count},
  };
};

/// Reply to `nodes_atom`, ordered by name.
struct node_list {
  std::vector<node_view> nodes;
  std::vector<transport_counts> connections;

  static constexpr auto type_name = "troupe::node_list";
  static constexpr auto fields = std::tuple{
    field{"nodes", &node_list::nodes},
    field{"connections", &node_list::connections},
  };
};

} // namespace troupe
