#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

namespace troupe {

/// What frames may be and hold.
struct frame_rules {
  uint32_t max_frame = 8U << 20;            ///< Bytes of a payload.
  uint32_t max_handshake = 64U << 10;       ///< Bytes of the first one.
  uint32_t max_error = 64U << 10;           ///< Bytes of one that carries an error.
  size_t max_actors = 65'536;               ///< That a peer has made known and not ended.
  std::set<std::string, std::less<>> types; ///< Wire names of what messages may hold.
  /// What may follow "@<>" in a message that begins with an atom, and the atoms that may.
  std::map<std::string, std::set<uint64_t>, std::less<>> orders;
};

/// Looks at the bytes of one connection before CAF does, which trusts them: it
/// allocates what a header announces, recurses as deep as a message nests, and
/// runs messages of any kind. What passes here is a direct message between two
/// nodes that have greeted each other, made of known types, none of which can
/// hold further messages; or one of the few frames that keep the link. Who is joined
/// is trusted with its work, not with everybody's: what a node says only to itself
/// (stop, look at the clock, forget events) does not pass.
///
/// CAF keeps a proxy for every actor that a peer makes known, as sender or as handle
/// in a message, until the peer says that it has ended: so they are counted, and
/// handles must be of the peer's own actors. What CAF keeps for monitor frames is
/// one entry per actor of ours, however many come.
///
/// The layout: a header of 32 bytes (operation, two zeros, flags, u32 length of
/// the payload, u64 data, u64 source, u64 receiver, big endian), then the payload.
///
/// Threads: one. Source: CAF 0.17.6, libcaf_io/src/io/basp/instance.cpp.
class frame_guard {
public:
  enum class side : uint8_t { dialed, accepted };

  /// A node's id as it stands in frames.
  static constexpr size_t id_size = 32;

  /// Told the id with which the peer greets; returns whether it may have it.
  using greeting = std::function<bool(std::string_view id)>;

  frame_guard(side where, std::shared_ptr<const frame_rules> rules, std::string own_id,
              greeting on_greeting);

  /// Looks at the next bytes. Returns what is wrong with them; after that the
  /// connection must be closed, and they must not be used.
  std::optional<std::string_view> look(const char* bytes, size_t size);

  /// True if the peer has greeted.
  bool greeted() const {
    return !peer_id_.empty();
  }

  /// True if a frame has begun and not ended.
  bool within_frame() const {
    return in_payload_ || !bytes_.empty();
  }
  /// Returns how many frames have ended.
  uint64_t frames() const {
    return frames_;
  }

private:
  using verdict = std::optional<std::string_view>;

  struct header {
    uint8_t operation = 0;
    uint8_t flags = 0;
    uint32_t size = 0;
    uint64_t data = 0;
    uint64_t source = 0;
    uint64_t receiver = 0;
  };

  verdict check_header();
  verdict check_link_header(const header& x) const;
  verdict check_payload();
  verdict check_greeting();
  verdict check_message();
  verdict check_handle(std::string_view content);
  verdict check_nodes() const;
  verdict note_actor(uint64_t id);

  side side_;
  std::shared_ptr<const frame_rules> rules_;
  std::string own_id_;
  greeting on_greeting_;
  std::string peer_id_;
  std::unordered_set<uint64_t> actors_; ///< Of the peer, not ended.
  header header_;
  std::string bytes_;   ///< Of the header, then the first of the payload, as far as they matter.
  size_t awaited_ = 32; ///< How many of them matter.
  uint32_t left_ = 0;   ///< Of the payload, not yet seen.
  bool in_payload_ = false;
  uint64_t frames_ = 0;
};

} // namespace troupe
