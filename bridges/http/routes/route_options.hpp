#pragma once

#include "messages/enum_names.hpp"
#include "messages/statistics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Where the compatible paths copy their original beyond what is right. Source: DESIGN 9.
struct compat_options {
  bool alts_missing_token_403 = true; ///< Without a token 403, as FastAPI has it; else 401.
  bool alts_unknown_pending =
    true; ///< `GET /tasks/{id}/result` of an unknown id is 200 PENDING; else 404.
  bool machines_open = false; ///< Reading `/machines` and `/machines/{id}` needs no token.
  bool ebs_open = false;      ///< `POST /objects` and its other spellings need no token.
  bool ebs_validation = true; ///< An object's id that is no number: 422 in FastAPI's words.
};

/// What a submission may ask for and gets by default. Times are per job.
struct submission_options {
  std::string default_runner = "docker"; ///< What "any" means; empty = the least loaded queue.
  std::vector<std::string> runners{"docker", "exec",
                                   "fake"}; ///< Runner types that may be asked for.
  uint32_t retries = 3;
  std::chrono::milliseconds queue_deadline{std::chrono::hours{24}};
  std::chrono::milliseconds run_deadline{std::chrono::hours{2}};
};

/// Who may read `/metrics`.
enum class metrics_access : uint8_t {
  token,    ///< Whoever has a token of the role read.
  loopback, ///< Also anybody on this machine: not behind a proxy on it.
  open,     ///< Anybody.
};
template <>
inline constexpr auto enum_names<metrics_access> =
  std::array<std::string_view, 3>{"token", "loopback", "open"};

struct metrics_options {
  metrics_access access = metrics_access::token;
  bool celery_names = false; ///< Also the names of a Celery exporter.
};

/// How long writes into the database took.
struct write_figures {
  bool synced = false;
  std::vector<duration_step> steps;
  uint64_t count = 0;
  double sum_s = 0;
};

/// What a node knows of itself beside its roles.
struct node_figures {
  std::string version;
  std::string commit = "unknown"; ///< That the program was built of.
  bool reload_successful = true;
  std::optional<uint64_t> store_bytes; ///< Of a node with a store.
  std::vector<write_figures> writes;   ///< As above.
  uint64_t disk_bytes = 0;             ///< Size of the data folder's file system.
  uint64_t disk_free_bytes = 0;
};

/// Options of the routes.
struct route_options {
  size_t max_watches = 32; ///< Each holds a worker while it waits; more are `saturated`.
  compat_options compat;
  submission_options submission;
  metrics_options metrics;
  bool with_jobs = true; ///< This node, or one that it joins, plays the role jobs.
  std::function<node_figures()> figures; ///< Asked at each scrape, on a worker; may be unset.
  std::chrono::milliseconds heartbeat{
    std::chrono::seconds{15}}; ///< Silence on a live stream, at most.
};

} // namespace troupe
