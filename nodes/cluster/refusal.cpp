#include "nodes/cluster/refusal.hpp"

namespace troupe {

namespace {

struct refusal_text {
  std::string_view name;
  std::string_view words;
};

constexpr auto refusal_texts = std::array<refusal_text, refusal_count>{{
  {"no_tls", "it does not speak TLS 1.3"},
  {"no_certificate", "it showed no certificate"},
  {"foreign_authority", "its certificate is not from this cluster's authority"},
  {"expired", "its certificate has expired or is not valid yet"},
  {"revoked", "its certificate was revoked"},
  {"unnamed", "its certificate names no node"},
  {"not_listed", "its name is not on this cluster's list of nodes"},
  {"wrong_name", "another node than the dialed one answered"},
  {"wrong_key", "its key is not the one that this cluster's list has for its name"},
  {"refused_us", "it does not accept this node"},
  {"hung_up", "it hung up during the handshake"},
  {"handshake_timeout", "its handshake took too long"},
  {"too_many_handshakes", "too many handshakes are under way"},
  {"too_fast", "its address connects too often"},
  {"bad_frame", "it sent a frame that no node sends"},
  {"slow_reader", "it does not read what is sent to it"},
  {"too_many_links", "its name has as many newer connections as one may have"},
  {"not_joined", "it did not join in time"},
  {"stuck_frame", "it began a message and did not end it"},
  {"cannot_accept", "this node has no descriptor or memory for it"},
  {"bad_hello", "what it says of itself is not so"},
  {"other_protocol", "its version and that of this node do not understand each other"},
  {"role_not_allowed", "the cluster's list does not let it play its roles"},
  {"second_journal", "it brings a journal, and a cluster has one"},
  {"name_taken", "a node of its name is up"},
}};

} // namespace

std::string_view to_string(refusal why) {
  return refusal_texts[static_cast<size_t>(why)].name;
}

std::string_view in_words(refusal why) {
  return refusal_texts[static_cast<size_t>(why)].words;
}

std::string in_words(refusal why, const std::string& node, const std::string& detail) {
  auto out = std::string{in_words(why)};
  if (!detail.empty())
    out += " (" + detail + ')';
  if (why == refusal::refused_us) // TLS does not tell it more
    out += ": see the log of " + node + "; cluster.peers there lists who may join";
  return out;
}

} // namespace troupe
