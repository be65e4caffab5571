#pragma once

#include "messages/enum_names.hpp"
#include "messages/error.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// What a caller may do; each level includes those before it.
enum class access : uint8_t {
  none, ///< Anybody, without a token.
  read,
  submit, ///< Also submits, and cancels or retries its own jobs.
  admin,  ///< Also those of others.
};
template <>
inline constexpr auto enum_names<access> =
  std::array<std::string_view, 4>{"none", "read", "submit", "admin"};

/// Who calls, as its token says.
struct caller {
  std::string subject;
  access level = access::none;
};

/// Checks a bearer token. Errors: `ec::unauthorized`. Threads: any, concurrently.
using token_check = std::function<caf::expected<caller>(std::string_view token)>;

} // namespace troupe
