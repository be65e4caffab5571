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
}};

} // namespace

std::string_view to_string(refusal why) {
  return refusal_texts[static_cast<size_t>(why)].name;
}

std::string_view in_words(refusal why) {
  return refusal_texts[static_cast<size_t>(why)].words;
}

} // namespace troupe
