#include "nodes/cluster/frame_guard.hpp"

#include "nodes/cluster/frame_types.hpp"

#include <caf/atom.hpp>

#include <algorithm>

namespace troupe {

namespace {

constexpr auto header_size = size_t{32};
/// A payload is judged by its first bytes: ids, or the names of its types.
constexpr auto judged_size = size_t{1024};

constexpr uint8_t server_handshake = 0;
constexpr uint8_t client_handshake = 1;
constexpr uint8_t direct_message = 2;
constexpr uint8_t monitor_message = 4;
constexpr uint8_t down_message = 5;
constexpr uint8_t heartbeat = 6;
constexpr uint8_t named_receiver = 1;
constexpr uint8_t select_connection = 2;
constexpr auto spawn_server = static_cast<uint64_t>(caf::atom("SpawnServ"));

template <class T>
T big_endian(std::string_view bytes, size_t at) {
  auto out = T{0};
  for (auto i = size_t{0}; i < sizeof(T); ++i)
    out = static_cast<T>(out << 8) | static_cast<uint8_t>(bytes[at + i]);
  return out;
}

} // namespace

frame_guard::frame_guard(side where, std::shared_ptr<const frame_rules> rules, std::string own_id,
                         greeting on_greeting)
  : side_{where}, rules_{std::move(rules)}, own_id_{std::move(own_id)}, on_greeting_{
                                                                          std::move(on_greeting)} {}

std::optional<std::string_view> frame_guard::look(const char* bytes, size_t size) {
  while (size > 0) {
    auto taken =
      in_payload_ ? std::min<size_t>(size, left_) : std::min(size, awaited_ - bytes_.size());
    auto judged = bytes_.size() < awaited_;
    bytes_.append(bytes, std::min(taken, awaited_ - bytes_.size()));
    bytes += taken;
    size -= taken;
    if (in_payload_)
      left_ -= static_cast<uint32_t>(taken);
    if (judged && bytes_.size() == awaited_)
      if (auto fault = in_payload_ ? check_payload() : check_header())
        return fault;
    if (in_payload_ && left_ == 0) {
      in_payload_ = false;
      ++frames_;
      awaited_ = header_size;
      bytes_.clear();
    }
  }
  return std::nullopt;
}

frame_guard::verdict frame_guard::check_header() {
  auto raw = std::string_view{bytes_};
  header_ = header{static_cast<uint8_t>(raw[0]),  static_cast<uint8_t>(raw[3]),
                   big_endian<uint32_t>(raw, 4),  big_endian<uint64_t>(raw, 8),
                   big_endian<uint64_t>(raw, 16), big_endian<uint64_t>(raw, 24)};
  if (raw[1] != 0 || raw[2] != 0)
    return "no header";
  if (auto fault = check_link_header(header_))
    return fault;
  bytes_.clear();
  left_ = header_.size;
  in_payload_ = left_ > 0;
  frames_ += in_payload_ ? 0 : 1;
  awaited_ = in_payload_ ? std::min<size_t>(left_, judged_size) : header_size;
  return std::nullopt;
}

frame_guard::verdict frame_guard::check_link_header(const header& x) const {
  auto greets = x.operation == server_handshake || x.operation == client_handshake;
  if (!greets && !greeted())
    return "a frame before the greeting";
  switch (x.operation) {
    case server_handshake:
      if (side_ == side::accepted || greeted() || x.flags != 0 || x.data == 0 || x.size < id_size
          || x.size > rules_->max_handshake)
        return "a wrong greeting";
      return std::nullopt;
    case client_handshake:
      // It comes twice: CAF repeats it to select the connection.
      if (side_ == side::dialed || (x.flags & ~select_connection) != 0 || x.source != 0
          || x.receiver != 0 || x.size != id_size)
        return "a wrong greeting";
      return std::nullopt;
    case direct_message:
      if (x.size > rules_->max_frame)
        return "a frame that is too large";
      if (x.size == 0 || x.receiver == 0 || ((x.data >> 60) & 3) > 1)
        return "a wrong message header";
      if (x.flags != 0 && (x.flags != named_receiver || x.receiver != spawn_server))
        return "a message to a named actor";
      return std::nullopt;
    case monitor_message:
      if (x.flags != 0 || x.data != 0 || x.size != 2 * id_size)
        return "a wrong monitor frame";
      return std::nullopt;
    case down_message:
      if (x.flags != 0 || x.data != 0 || x.source == 0 || x.receiver != 0 || x.size <= 2 * id_size
          || x.size > rules_->max_error)
        return "a wrong down frame";
      return std::nullopt;
    case heartbeat:
      if (x.flags != 0 || x.data != 0 || x.source != 0 || x.receiver != 0 || x.size != 0)
        return "a wrong heartbeat";
      return std::nullopt;
    default: return "an operation that nodes do not use";
  }
}

frame_guard::verdict frame_guard::check_payload() {
  switch (header_.operation) {
    case direct_message: return check_message();
    case monitor_message: return check_nodes();
    case down_message:
      if (auto fault = check_nodes())
        return fault;
      if (!is_flat_error(std::string_view{bytes_}.substr(2 * id_size), *rules_))
        return "a down frame with a nested message";
      actors_.erase(header_.source);
      return std::nullopt;
    default: return check_greeting();
  }
}

frame_guard::verdict frame_guard::check_greeting() {
  auto id = std::string_view{bytes_}.substr(0, id_size);
  if (greeted())
    return id == peer_id_ ? std::nullopt : verdict{"a second identity"};
  constexpr auto plain_id = static_cast<uint64_t>(caf::atom("default"));
  if (big_endian<uint64_t>(id, 0) != plain_id)
    return "a node id of another kind";
  if (id == own_id_)
    return "this node's own id";
  if (!on_greeting_(id))
    return "the id of another node";
  peer_id_ = id;
  return std::nullopt;
}

frame_guard::verdict frame_guard::note_actor(uint64_t id) {
  if (id == 0)
    return std::nullopt;
  actors_.insert(id);
  return actors_.size() > rules_->max_actors ? verdict{"more actors than a node has"}
                                             : std::nullopt;
}

frame_guard::verdict frame_guard::check_handle(std::string_view content) {
  auto handle = read_handle(content);
  if (!handle)
    return "a handle that cannot be read";
  if (handle->actor == 0 ? handle->node != no_node_id : handle->node != peer_id_)
    return "a handle of another node";
  return note_actor(handle->actor);
}

frame_guard::verdict frame_guard::check_message() {
  auto bytes = std::string_view{bytes_};
  if (auto fault = note_actor(header_.source))
    return fault;
  if (bytes.front() != 0)
    return "a message with forwarding stages";
  bytes.remove_prefix(1);
  if (header_.flags == named_receiver)
    return asks_for_spawn_server(bytes) ? std::nullopt : verdict{"a message to a named actor"};
  switch (read_type_list(bytes, *rules_)) {
    case type_list::empty:
    case type_list::allowed: return std::nullopt;
    case type_list::one_handle: return check_handle(bytes);
    case type_list::one_error:
      if (header_.size > rules_->max_error)
        return "an error that is too large";
      if (!is_flat_error(bytes, *rules_))
        return "an error with a nested message";
      return std::nullopt;
    default: return "a message with a type that nodes do not use";
  }
}

frame_guard::verdict frame_guard::check_nodes() const {
  auto bytes = std::string_view{bytes_};
  if (bytes.substr(0, id_size) != peer_id_)
    return "a frame in the name of another node";
  if (bytes.substr(id_size, id_size) != own_id_)
    return "a frame for another node";
  return std::nullopt;
}

} // namespace troupe
