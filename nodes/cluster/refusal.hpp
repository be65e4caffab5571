#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Why a connection between nodes was not accepted, or was cut. Append only:
/// the names are labels of metrics.
enum class refusal : uint8_t {
  no_tls,              ///< Its first bytes are no TLS 1.3.
  no_certificate,      ///< It showed none.
  foreign_authority,   ///< Another authority signed its certificate, or none.
  expired,             ///< Its certificate is not valid now.
  revoked,             ///< Its certificate or key is on the list of the revoked.
  unnamed,             ///< Its certificate names no node.
  not_listed,          ///< Its name is not on the cluster's list.
  wrong_name,          ///< Another node than the dialed one answered.
  wrong_key,           ///< A known name with another key than the list says.
  refused_us,          ///< It did not accept this node.
  hung_up,             ///< It went away during the handshake.
  handshake_timeout,   ///< It took too long.
  too_many_handshakes, ///< Too many are under way.
  too_fast,            ///< Its address connects too often.
  bad_frame,           ///< It sent what no node sends.
  slow_reader,         ///< It does not read what it asked for.
  too_many_links,      ///< Its name has newer connections, as many as one may have.
  not_joined,          ///< It said no hello that the gate took.
  stuck_frame,         ///< It began a frame and did not end it.
  cannot_accept,       ///< This node lacks descriptors or memory.
  bad_hello,           ///< What it says of itself is not so.
  other_protocol,      ///< One of both is too old for the other.
  role_not_allowed,    ///< The cluster's list gives its name other roles.
  second_journal,      ///< It brings a journal where one is.
  name_taken,          ///< A node of its name is up.
};

inline constexpr size_t refusal_count = static_cast<size_t>(refusal::name_taken) + 1;

/// Returns the stable name, e.g. "not_listed".
std::string_view to_string(refusal why);

/// Returns a sentence for people: why, and where it helps, what to do.
std::string_view in_words(refusal why);

/// Returns the same of a dialed node, with what the connection said and where to look.
std::string in_words(refusal why, const std::string& node, const std::string& detail);

/// What the transport has done so far. Threads: any.
struct transport_counters {
  std::atomic<uint64_t> accepted{0};  ///< Peers that dialed us and were let in.
  std::atomic<uint64_t> dialed{0};    ///< Peers that we dialed and that let us in.
  std::atomic<uint64_t> bytes_in{0};  ///< Decrypted.
  std::atomic<uint64_t> bytes_out{0}; ///< Before encryption.
  std::atomic<uint64_t> open{0};      ///< Connections to peers now.
  std::atomic<uint64_t> half_open{0}; ///< Handshakes under way now.
  std::array<std::atomic<uint64_t>, refusal_count> refused{};

  uint64_t of(refusal why) const {
    return refused[static_cast<size_t>(why)];
  }
};

} // namespace troupe
