#include "nodes/cluster/cluster_options.hpp"

#include "messages/text_rule.hpp"

#include <charconv>

namespace troupe {

namespace {

using namespace std::chrono_literals;

std::optional<uint16_t> port_number(std::string_view text) {
  auto out = uint16_t{0};
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (err != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

bool is_fingerprint(std::string_view text) {
  constexpr auto mark = std::string_view{"sha256:"};
  return text.starts_with(mark) && text.size() == mark.size() + 64
         && text.find_first_not_of("0123456789abcdef", mark.size()) == std::string_view::npos;
}

void read_places(section& in, cluster_options& out) {
  auto listen = std::string{};
  in.read("listen", listen);
  if (!listen.empty()) {
    out.listen = parse_peer_address(listen);
    if (!out.listen || !out.listen->node.empty())
      in.complain("listen", "must be host:port");
  }
  auto dial = std::vector<std::string>{};
  in.read("dial", dial);
  for (const auto& text : dial) {
    auto place = parse_peer_address(text);
    if (place && !place->node.empty() && place->port != 0)
      out.dial.push_back(std::move(*place));
    else
      in.complain("dial", "must be name@host:port, not '" + text + "'");
  }
}

void read_peers(section in, cluster_options& out) {
  for (const auto& name : in.keys()) {
    auto one = in.child(name.c_str());
    auto peer = listed_peer{};
    one.read("roles", peer.roles);
    one.read("fingerprint", peer.fingerprint);
    if (!obeys("word", name))
      in.complain(name.c_str(), "must be letters, digits, '.', '_' and '-'");
    if (!peer.fingerprint.empty() && !is_fingerprint(peer.fingerprint))
      one.complain("fingerprint", "must be 'sha256:' and 64 lower-case hexadecimal digits");
    out.peers.emplace(name, std::move(peer));
  }
}

void read_limits(section& in, cluster_options& out) {
  in.read("lost_after", out.lost_after);
  if (out.lost_after < 300ms || out.lost_after > 60s)
    in.complain("lost_after", "must be between 300ms and 60s");
  in.read("handshake", out.handshake);
  if (out.handshake < 100ms || out.handshake > 60s)
    in.complain("handshake", "must be between 100ms and 60s");
  in.read("first_backoff", out.first_backoff);
  in.read("longest_backoff", out.longest_backoff);
  if (out.first_backoff < 100ms || out.longest_backoff < out.first_backoff)
    in.complain("longest_backoff", "must be at least first_backoff, and that at least 100ms");
  in.read_size("frame_limit", out.frame_limit);
  if (out.frame_limit < (8ULL << 20) || out.frame_limit > (256ULL << 20))
    in.complain("frame_limit", "must be between 8MiB and 256MiB");
  in.read_size("unsent_limit", out.unsent_limit);
  if (out.unsent_limit < 2 * out.frame_limit)
    in.complain("unsent_limit", "must be at least twice frame_limit");
}

} // namespace

std::optional<listed_peer> peer_list::find(const std::string& node) const {
  auto guard = std::lock_guard{mutex_};
  auto i = peers_.find(node);
  return i == peers_.end() ? std::nullopt : std::optional{i->second};
}

void peer_list::replace(std::map<std::string, listed_peer> peers) {
  auto guard = std::lock_guard{mutex_};
  peers_ = std::move(peers);
}

std::optional<peer_address> parse_peer_address(std::string_view text) {
  auto out = peer_address{};
  if (auto at = text.find('@'); at != std::string_view::npos) {
    out.node = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (!obeys("word", out.node))
      return std::nullopt;
  }
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return std::nullopt;
  auto port = port_number(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string_view::npos)
    return std::nullopt;
  if (!port || host.size() > 255)
    return std::nullopt;
  out.host = host;
  out.port = *port;
  return out;
}

cluster_options read_cluster_options(section& in) {
  auto out = cluster_options{};
  read_places(in, out);
  in.read("certificate", out.certificate);
  in.read("key", out.key);
  in.read("authority", out.authority);
  in.read("revoked", out.revoked);
  read_peers(in.child("peers"), out);
  read_limits(in, out);
  if (!out.listen && out.dial.empty())
    in.complain("listen", "a node of a cluster listens or dials");
  if (out.listen && !out.dial.empty())
    in.complain("listen", "a node that dials does not listen: the node that it dials does");
  for (const auto& [key, value] :
       {std::pair{"certificate", &out.certificate}, std::pair{"key", &out.key},
        std::pair{"authority", &out.authority}})
    if (value->empty())
      in.complain(key, "is needed: nodes speak TLS only; see troupe cluster cert");
  if (out.listen && out.peers.empty())
    in.complain("peers", "lists the nodes that may join; it is empty");
  return out;
}

} // namespace troupe
