/// Any bytes from a peer, in one piece and one by one: the guard never crashes,
/// judges both alike, and lets through only frames of known operations, within
/// the limits, of known types.
#include "messages/protocols.hpp"
#include "nodes/cluster/frame_guard.hpp"
#include "nodes/cluster/wire_types.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

std::shared_ptr<const troupe::frame_rules> fuzz_rules() {
  auto out = std::make_shared<troupe::frame_rules>();
  out->max_frame = 4096;
  out->types = troupe::wire_types();
  out->orders = troupe::wire_orders();
  return out;
}

/// The id of this node: what the corpus calls the receiver of monitor frames.
const auto own_id = std::string(32, 'o');

/// The atom "drain" as it stands in messages.
std::string drain_in_messages() {
  auto out = std::string{};
  for (auto shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(troupe::drain_atom::uint_value() >> shift);
  return out;
}
const auto drain_order = drain_in_messages();

troupe::frame_guard guard_of(troupe::frame_guard::side side) {
  static const auto limits = fuzz_rules();
  return {side, limits, own_id, [](std::string_view) { return true; }};
}

/// The frame at `at` if it is there as a whole: what passed must be one that nodes use.
size_t check_passed(std::string_view bytes) {
  if (bytes.size() < 32)
    return bytes.size();
  auto size = size_t{0};
  for (auto i = size_t{4}; i < 8; ++i)
    size = size << 8 | static_cast<uint8_t>(bytes[i]);
  if (bytes[0] < 0 || bytes[0] > 6 || bytes[0] == 3 || size > 65'536)
    std::abort();
  if (bytes.size() < 32 + size)
    return bytes.size();
  auto payload = bytes.substr(32, size);
  if (bytes[0] == 2 && static_cast<uint8_t>(payload[3]) < 0x80) {
    auto types = payload.substr(4, static_cast<size_t>(payload[3]));
    for (auto banned : {"@message", "@config_value", "@exit", "@down"})
      if (types.find(banned) != std::string_view::npos)
        std::abort();
    // An atom stands first or nowhere, but in what CAF asks by itself, and "drain" nowhere.
    if ((bytes[3] == 0 && types.find("+@atom", 4) != std::string_view::npos)
        || (types == "@<>+@atom" && payload.substr(4 + types.size()) == drain_order))
      std::abort();
    if (types.find("+@strong_actor_ptr") != std::string_view::npos
        && types != "@<>+@atom+@str+@strong_actor_ptr")
      std::abort();
  }
  return 32 + size;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  // The first byte chooses the side.
  auto side =
    data[0] % 2 == 0 ? troupe::frame_guard::side::accepted : troupe::frame_guard::side::dialed;
  auto bytes = std::string_view{reinterpret_cast<const char*>(data), size}.substr(1);
  auto whole = guard_of(side);
  auto single = guard_of(side);
  auto fault = whole.look(bytes.data(), bytes.size());
  auto singly = std::optional<std::string_view>{};
  for (auto i = size_t{0}; i < bytes.size() && !singly; ++i)
    singly = single.look(bytes.data() + i, 1);
  if (fault != singly)
    std::abort();
  if (!fault)
    for (auto rest = bytes; !rest.empty();)
      rest.remove_prefix(check_passed(rest));
  return 0;
}
