#pragma once

#include "messages/json.hpp"

#include <string>

/// The store of the original tracker: hashes `machines`, `machines-last-status` and
/// `machines-last-taskid` by "datacenter:host". Source: spec/machines.md 2.2.
namespace troupe::cli {

/// Returns the machines as `GET /machines?fields=status` lists them; what is no machine's name is
/// left out. `url` is "redis://[:PASSWORD@]HOST[:PORT][/DATABASE]", or "env" for
/// that in $REDIS_URL.
/// Errors: `ec::invalid_argument` (the address), `ec::unavailable` (the server).
caf::expected<json> read_redis(const std::string& url);

/// Writes such a list; what is there of other machines stays. Errors: as `read_redis`.
caf::error write_redis(const std::string& url, const json& list);

} // namespace troupe::cli
