#pragma once

#include "bridges/http/request_metrics.hpp"
#include "bridges/http/routes/role_lookup.hpp"
#include "bridges/http/routes/route.hpp"
#include "bridges/http/routes/route_options.hpp"
#include "bridges/http/routes/stream_pumps.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// What all routes share. Live streams keep it when the bridge has gone.
struct route_context : std::enable_shared_from_this<route_context> {
  route_context(caf::actor_system& system, role_lookup lookup, route_options how)
    : sys{system}, roles{std::move(lookup)}, options{std::move(how)} {}

  caf::actor_system& sys;
  role_lookup roles;
  route_options options;
  std::string openapi; ///< Text of `/openapi.json`, filled by the router.
  stream_pumps pumps;
  request_metrics requests;
  std::atomic<size_t> watches = 0; ///< Long polls that hold a worker now.
};

/// The role names of DESIGN 1, for messages.
template <class Handle>
inline constexpr auto role_name = std::string_view{"a part"};
template <>
inline constexpr auto role_name<job_ledger_actor> = std::string_view{"jobs"};
template <>
inline constexpr auto role_name<job_history_actor> = std::string_view{"history"};
template <>
inline constexpr auto role_name<artifact_store_actor> = std::string_view{"artifacts"};
template <>
inline constexpr auto role_name<journal_actor> = std::string_view{"journal"};
template <>
inline constexpr auto role_name<gate_actor> = std::string_view{"nodes"};
template <>
inline constexpr auto role_name<statistics_actor> = std::string_view{"statistics"};
template <>
inline constexpr auto role_name<amqp_bridge_actor> = std::string_view{"amqp"};
template <>
inline constexpr auto role_name<objects_actor> = std::string_view{"objects"};
template <>
inline constexpr auto role_name<machine_tracker_actor> = std::string_view{"machines"};
template <>
inline constexpr auto role_name<peer_link_actor> = std::string_view{"link"};

/// One request on its way through a route.
///
/// Threads: one worker.
struct call {
  route_context& shared;
  const route& at;
  const http_request& in;
  const identity who;
  const std::map<std::string, std::string, std::less<>> captured; ///< The "{name}"s of the path.

  /// Returns the text of "{name}" in the path.
  const std::string& path(std::string_view name) const;

  /// Returns the job that "{job_id}" names. Errors: `ec::not_found`.
  caf::expected<job_id> job() const;

  /// Return a query parameter; its type and range were checked against the table.
  std::string text(const std::string& name) const;
  std::optional<int64_t> whole(const std::string& name) const;
  bool flag(const std::string& name) const;

  /// Returns the parsed body. Errors: `ec::invalid_argument` (not JSON at all).
  caf::expected<json> document(json_limits limits = {}) const;

  /// Sends one message and waits for the answer until the request's deadline.
  /// Errors: `ec::unavailable` (absent role), `ec::timeout`, those of the actor.
  template <class Reply, class Handle, class... Xs>
  caf::expected<Reply> ask(const std::function<Handle()>& question, Xs&&... xs) const {
    auto to = find_role(question);
    if (!to)
      return fault(ec::unavailable, "the " + std::string{role_name<Handle>} + " role is absent");
    // One per request: timers of answered requests would pile up in a longer-lived one.
    auto self = caf::scoped_actor{shared.sys};
    auto out = caf::expected<Reply>{caf::sec::request_timeout};
    self->request(to, remaining(), std::forward<Xs>(xs)...)
      .receive([&](Reply& reply) { out = std::move(reply); },
               [&](caf::error& why) { out = std::move(why); });
    return out;
  }

  /// Returns the time until the deadline, at least 1 ms.
  caf::timespan remaining() const;

  /// Returns the answer for a failure; places of messages become places of the request.
  http_response fail(const caf::error& why) const;
  http_response fail(const std::vector<json_fault>& faults) const {
    return fault_response(at.words, faults);
  }
};

/// Returns a record as JSON with a status, or the failure.
template <record T>
http_response answer(const call& c, const caf::expected<T>& x, int status = 200) {
  return x ? json_response(status, write_json(*x)) : c.fail(x.error());
}

} // namespace troupe
