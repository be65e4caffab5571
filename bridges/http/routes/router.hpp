#pragma once

#include "bridges/http/routes/call.hpp"

#include <vector>

namespace troupe {

/// Checks a bearer token. Errors: `ec::unauthorized`. Threads: any, concurrently.
using token_check = std::function<caf::expected<identity>(std::string_view token)>;

/// Finds the route of a request, checks the right to call it and what it
/// brings, and runs it. Everything is denied that the table does not allow.
///
/// Threads: `handle` and `gate` from any thread, concurrently.
class router {
public:
  router(caf::actor_system& sys, role_lookup roles, route_options options, token_check check);

  /// Answers one complete request; blocks at most until its deadline.
  http_response handle(const http_request& in);

  /// Decides about a request whose body has not been read. Does not block.
  body_verdict gate(const http_request& head) const;

  const std::vector<route>& table() const {
    return table_;
  }
  route_context& context() {
    return *context_;
  }

private:
  struct match {
    const route* row = nullptr;
    std::map<std::string, std::string, std::less<>> path;
    std::string allow; ///< The methods of the path, if it exists at all.
  };

  match find(std::string_view method, std::string_view path) const;
  http_response refuse_unmatched(const match& m) const;
  std::optional<http_response> authorize(const route& row, const http_request& in,
                                         identity& who) const;
  http_response dispatch(const http_request& in, std::string_view& path);

  std::vector<route> table_;
  token_check check_;
  std::shared_ptr<route_context> context_;
};

/// Returns what is wrong with the query of a request, by the route's table row.
std::vector<json_fault> check_query(const route& row, const http_request& in);

} // namespace troupe
