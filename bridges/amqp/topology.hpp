#pragma once

#include "bridges/amqp/session.hpp"
#include "config/section.hpp"
#include "messages/amqp.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// Whether a part of the topology is ours to make.
enum class declaring : uint8_t {
  yes,     ///< Made if it is not there; there with other properties is a fault.
  passive, ///< Only looked for.
  no,      ///< Taken for granted.
};
template <>
inline constexpr auto enum_names<declaring> =
  std::array<std::string_view, 3>{"true", "passive", "false"};

/// Values are "true", "false", whole numbers or text.
using amqp_arguments = std::map<std::string, std::string>;

struct exchange_plan {
  std::string name;
  std::string type = "topic";
  bool durable = true;
  bool auto_delete = false;
  bool internal = false;
  amqp_arguments arguments;
  declaring declare = declaring::yes;
};

struct binding_plan {
  std::string exchange;
  std::string key;
};

struct queue_plan {
  std::string name;
  std::string type = "classic"; ///< "classic", "quorum", "stream"; for the broker's default: "".
  bool durable = true;
  bool exclusive = false;
  bool auto_delete = false;
  amqp_arguments arguments;
  std::vector<binding_plan> bindings;
  declaring declare = declaring::yes;
};

/// What must be there before messages can flow.
struct topology {
  std::vector<exchange_plan> exchanges;
  std::vector<queue_plan> queues;

  const queue_plan* find_queue(std::string_view name) const;
};

/// Reads `exchanges` and `queues`, mappings from name to properties.
topology read_topology(section& in);

/// Declares everything on a channel, which is opened again after each refusal. What the
/// broker refuses is added to `faults` and left out. Errors: those of the connection only.
caf::error declare_all(session& at, uint16_t channel, const topology& what,
                       std::vector<amqp_fault>& faults);

/// Declares one queue and its bindings. Errors: those of the connection only.
caf::error declare_queue(session& at, uint16_t channel, const queue_plan& what,
                         std::vector<amqp_fault>& faults);

} // namespace troupe
