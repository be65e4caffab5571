#include "nodes/cluster/frame_types.hpp"

namespace troupe {

namespace {

/// Returns the names, "@<>+a+b", or nothing if they are not there as a whole.
std::optional<std::string_view> read_names(std::string_view& bytes) {
  if (bytes.size() < 3 || bytes[0] != 0 || bytes[1] != 0)
    return std::nullopt;
  auto size = static_cast<size_t>(static_cast<uint8_t>(bytes[2]));
  auto at = size_t{3};
  if (size >= 0x80) {
    if (bytes.size() < 4 || static_cast<uint8_t>(bytes[3]) >= 0x80)
      return std::nullopt;
    size = (size & 0x7f) | static_cast<size_t>(bytes[3]) << 7;
    at = 4;
  }
  if (bytes.size() - at < size)
    return std::nullopt;
  auto out = bytes.substr(at, size);
  bytes.remove_prefix(at + size);
  return out;
}

/// A message that begins with an atom says what to do, so both must fit.
type_list read_order(std::string_view names, std::string_view content, const frame_rules& rules) {
  auto known = rules.orders.find(names);
  if (known == rules.orders.end() || content.size() < sizeof(uint64_t))
    return type_list::refused;
  auto atom = uint64_t{0};
  for (auto c : content.substr(0, sizeof atom))
    atom = atom << 8 | static_cast<uint8_t>(c);
  if (known->second.count(atom) == 0)
    return type_list::refused;
  return names == "+@atom+@str+@strong_actor_ptr" ? type_list::one_handle : type_list::allowed;
}

} // namespace

type_list read_type_list(std::string_view& bytes, const frame_rules& rules) {
  constexpr auto no_types = std::string_view{"@<>"};
  auto names = read_names(bytes);
  if (!names || !names->starts_with(no_types))
    return type_list::refused;
  names->remove_prefix(no_types.size());
  if (names->empty())
    return type_list::empty;
  if (*names == "+@error")
    return type_list::one_error;
  // Of each actor that a handle names CAF keeps a record, so they stand in one message
  // only. A pair of atom and handle it takes for a wish to link actors and treats the
  // handle as a proxy, also if it is a local actor: that ends the process.
  if (names->starts_with("+@atom"))
    return read_order(*names, bytes, rules);
  while (!names->empty()) {
    if (names->front() != '+')
      return type_list::refused;
    names->remove_prefix(1);
    auto name = names->substr(0, names->find('+'));
    if (rules.types.find(name) == rules.types.end())
      return type_list::refused;
    names->remove_prefix(name.size());
  }
  return type_list::allowed;
}

std::optional<wire_handle> read_handle(std::string_view bytes) {
  constexpr auto atom_size = size_t{8};
  constexpr auto actor_size = size_t{8};
  if (bytes.size() < atom_size + 1)
    return std::nullopt;
  bytes.remove_prefix(atom_size);
  auto text = static_cast<size_t>(static_cast<uint8_t>(bytes.front()));
  if (text >= 0x80 || bytes.size() < 1 + text + actor_size)
    return std::nullopt;
  bytes.remove_prefix(1 + text);
  auto out = wire_handle{};
  for (auto c : bytes.substr(0, actor_size))
    out.actor = out.actor << 8 | static_cast<uint8_t>(c);
  out.node = bytes.substr(actor_size);
  return out;
}

bool is_flat_error(std::string_view bytes, const frame_rules& rules) {
  constexpr auto code_and_category = size_t{1 + 8};
  if (bytes.size() < code_and_category)
    return false;
  bytes.remove_prefix(code_and_category);
  auto context = read_type_list(bytes, rules);
  return context == type_list::empty || context == type_list::allowed;
}

bool asks_for_spawn_server(std::string_view bytes) {
  auto names = read_names(bytes);
  return names && *names == "@<>+@atom+@atom+@str";
}

} // namespace troupe
