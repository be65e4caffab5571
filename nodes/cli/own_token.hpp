#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <string>

namespace troupe::cli {

/// Name of the file in a node's data folder that holds its own token secret (0600).
inline constexpr auto secret_file_name = "token-secret";

/// What a token says.
struct own_claims {
  std::string subject = "local";
  std::string role = "admin"; ///< "read", "submit" or "admin".
  std::string audience = "troupe";
  std::string id; ///< Empty = random.
  std::chrono::milliseconds lifetime{std::chrono::hours{1}};
};

/// Reads the secret of the node with this data folder.
/// Errors: `ec::not_found`; `ec::forbidden` (another user's).
caf::expected<std::string> read_own_secret(const std::string& folder);

/// Returns a signed token (HS256). Errors: `ec::invalid_argument` (role, lifetime).
caf::expected<std::string> sign_own_token(const std::string& secret, const own_claims& claims);

/// Returns a token with the one claim "email", as AlmaLinux ALTS issues them.
/// Errors: `ec::unsupported` (another algorithm than HS256).
caf::expected<std::string> sign_alts_token(const std::string& secret, const std::string& algorithm,
                                           const std::string& email);

} // namespace troupe::cli
