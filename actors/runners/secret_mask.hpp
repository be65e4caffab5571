#pragma once

#include <bitset>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace troupe {

/// Replaces announced secrets, and the user part of URLs, by "[masked]" in a
/// stream that arrives in arbitrary pieces.
///
/// Costs a search in an ordered set for each byte with which a secret begins,
/// however many secrets there are. It holds back only what may still become a secret: at most the
/// longest secret, or 512 bytes after "://". Overlapping secrets are masked as a whole. Threads:
/// one at a time. Source: spec/reliability_security.md S20.
class secret_mask {
public:
  /// From now on `secret` is masked, and each of its lines of 8 bytes or more.
  /// Shorter than 4 bytes is no secret: masking it would destroy every log.
  void add(std::string_view secret);

  /// Takes the next bytes and returns what can be shown already.
  std::string feed(std::string_view bytes);

  /// Takes the last bytes and returns the rest; the next `feed` starts a new stream.
  std::string flush(std::string_view bytes = {});

  /// Returns a whole text masked, without touching the stream.
  std::string apply(std::string_view text) const;

private:
  void add_one(std::string_view secret);
  std::string mask_secrets(std::string_view bytes, bool last);
  std::string mask_urls(std::string_view bytes, bool last);

  using ordered = std::set<std::string, std::less<>>;

  size_t longest_at_start(std::string_view text) const;
  bool may_begin(std::string_view text) const;

  std::shared_ptr<ordered> secrets_ = std::make_shared<ordered>();
  std::bitset<256> first_bytes_;
  std::string held_;     ///< May be the start of a secret.
  size_t covered_ = 0;   ///< So many of the next bytes belong to a secret.
  std::string url_held_; ///< Starts at "://", its user part is not complete.
};

} // namespace troupe
