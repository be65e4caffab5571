#pragma once

#include "bridges/http/base64url.hpp"
#include "messages/enum_names.hpp"
#include "messages/error.hpp"

#include <caf/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a token allows; each level includes those before it. The words are the
/// values of the claim `roles`.
enum class token_level : uint8_t { none, read, submit, admin };
template <>
inline constexpr auto enum_names<token_level> =
  std::array<std::string_view, 4>{"none", "read", "submit", "admin"};

/// The algorithms we speak. Source: RFC 7518 3.1, RFC 8037 3.1.
enum class jwt_algorithm : uint8_t { hs256, eddsa };

/// One key and the one algorithm it is for.
struct jwt_key {
  std::string id; ///< The `kid` of the token's header; without one: the key "", or the only one.
  jwt_algorithm algorithm = jwt_algorithm::hs256;
  std::string secret; ///< HS256: 32 bytes or more. EdDSA: the private key, 32 raw bytes, or empty.
  std::string public_key; ///< EdDSA: 32 raw bytes; derived from the private key if empty.
};

/// Reads an Ed25519 key, private or public, from PEM. Errors: `ec::invalid_argument`.
caf::expected<jwt_key> parse_ed25519_pem(std::string id, std::string_view pem);

struct jwt_options {
  std::vector<jwt_key> keys;       ///< All are accepted: rotation overlaps. The first one signs.
  std::string issuer = "troupe";   ///< Must match, if a token has it; "" accepts any.
  std::string audience = "troupe"; ///< Must be among the token's.
  std::chrono::seconds leeway{30}; ///< For exp, nbf, iat; at most 60 s.
  std::chrono::hours max_life{24 * 90}; ///< exp - iat at most.
  bool accept_alts = false;             ///< Tokens with the one claim `email`, without exp.
  token_level alts_level = token_level::submit;
  std::string revoked_file; ///< One `jti` a line, '#' comments; read again on change.
  size_t cache = 1024;      ///< Verified tokens that are remembered.
};

/// Who calls. Never holds the token.
struct identity {
  std::string subject;
  token_level level = token_level::none;
  std::string token_id;     ///< `jti`.
  caf::timestamp expires{}; ///< The epoch for an ALTS-style token without exp.
};

/// What to put into a new token.
struct jwt_claims {
  std::string subject;
  token_level level = token_level::submit;
  std::chrono::seconds life{24 * 3600};
  std::string token_id; ///< Random if empty.
};

/// Verifies and issues JSON Web Tokens; every key is bound to one algorithm.
/// Source: RFC 7515, 7519, 8725; spec/reliability_security.md S1-S4; spec/testing.md 1.1.
///
/// Threads: any.
class jwt {
public:
  /// Errors: `ec::invalid_config`: no or weak or well-known secret, bad key,
  /// double key id, leeway or life over the limit, unreadable revocation file.
  static caf::expected<jwt> make(jwt_options options);

  jwt(jwt&&) noexcept;
  jwt& operator=(jwt&&) noexcept;
  ~jwt();

  /// Returns who presents `token`. Errors: `ec::unauthorized` with the reason
  /// ("missing exp", "expired", "bad signature"), never with bytes of the token.
  caf::expected<identity> verify(std::string_view token, caf::timestamp at) const;
  caf::expected<identity> verify(std::string_view token) const;

  /// Reads "Bearer <token>" as ALTS does: after the last space of the credentials
  /// the token begins. Errors: `ec::unauthorized`: "missing token", "not a bearer token", as
  /// `verify`.
  caf::expected<identity> verify_header(std::string_view authorization) const;

  /// Signs with the first key. Errors: `ec::invalid_argument` (empty subject, life over the limit).
  caf::expected<std::string> issue(const jwt_claims& claims, caf::timestamp at) const;
  caf::expected<std::string> issue(const jwt_claims& claims) const;

private:
  struct state;
  explicit jwt(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Returns a token as ALTS's generate_jwt_token.py makes it: HS256, the claim `email`, nothing
/// else.
std::string issue_alts_token(std::string_view secret, std::string_view email);

/// Errors: `ec::invalid_config` if an HS256 secret is shorter than 32 bytes, has
/// hardly any entropy, or stands in public examples. Source: S3.
caf::error check_secret(std::string_view secret);

} // namespace troupe
