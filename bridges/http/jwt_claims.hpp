#pragma once

#include "bridges/http/jwt.hpp"

#include <string_view>

namespace troupe {

/// What the first part of a token says.
struct jwt_header {
  std::string algorithm;
  std::string key_id;
};

/// Reads a header; members that could steer the choice of a key or of the
/// checks (`crit`, `jwk`, `jku`, `x5u`, ...) are refused.
/// Errors: `ec::unauthorized`. Source: RFC 7515 4, RFC 8725 3.
caf::expected<jwt_header> read_jwt_header(std::string_view text);

/// Checks the claims at a time. Errors: `ec::unauthorized` with the reason.
/// Source: RFC 7519 4, spec/reliability_security.md S2.
caf::expected<identity> read_jwt_claims(std::string_view text, jwt_algorithm algorithm,
                                        const jwt_options& options, caf::timestamp at);

} // namespace troupe
