#pragma once

#include "bridges/http/routes/router.hpp"
#include "messages/test.hpp"
#include "recording_machines.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/stateful_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>

namespace troupe::tests {

/// What the recording actors were told, and what they answer. Threads: any.
struct recorder {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<submit_job> submitted;
  std::vector<job_id> canceled;
  std::vector<submit_jobs> batches;
  std::vector<retry_job> retried;
  std::vector<list_jobs> listed;
  std::vector<create_object> created;
  std::vector<retry_dead_tasks> revived;
  std::vector<purge_dead_tasks> purged;
  std::map<uint64_t, object_view> objects;
  std::map<job_id, job_view> jobs;
  std::map<std::string, std::string> logs; ///< "run/name" -> bytes.
  std::map<std::string, bool> closed;      ///< Logs that are complete.
  caf::error refuse;                       ///< Answer of the ledger, if set.
  bool accepting = true;
  bool broker_silent = false; ///< The bridge to RabbitMQ does not answer.

  void put(job_view view) {
    auto lock = std::lock_guard{mutex};
    jobs[view.job] = std::move(view);
    changed.notify_all();
  }
  void write_log(const std::string& name, const std::string& bytes, bool complete) {
    auto lock = std::lock_guard{mutex};
    logs[name] += bytes;
    closed[name] = complete;
    changed.notify_all();
  }
  size_t submissions() {
    auto lock = std::lock_guard{mutex};
    return submitted.size();
  }
};

/// A router in front of recording actors on a real actor system.
///
/// Tokens are their own meaning: "read:ann" is ann with the role read.
class route_world {
public:
  route_world();
  ~route_world();

  role_lookup lookup() const;

  router& routes();

  /// Returns a request without a body, as the server would hand it over.
  static http_request request(std::string method, const std::string& target,
                              const std::string& token = {});

  /// Returns the answer to a request, as if it had come over the wire.
  http_response call(std::string method, const std::string& target, const std::string& token = {},
                     std::string body = {}, std::multimap<std::string, std::string> headers = {});

  /// Takes every role away.
  void remove_roles() {
    roles_->absent = true;
  }

  /// Plays a link that is down.
  void add_link(const node_view& far);

  /// Adds a job of `owner` in a state; returns its id.
  job_id add_job(job_state state, verdict result = verdict::none, std::string owner = "ann");

  std::shared_ptr<recorder> told = std::make_shared<recorder>();
  std::shared_ptr<machine_record> machines = std::make_shared<machine_record>();
  route_options options;

  static caf::expected<identity> check(std::string_view token);

private:
  struct system_config : caf::actor_system_config {
    system_config();
  };
  system_config config_;

  /// Shared with the streams, which may outlive the world by a moment.
  struct handles {
    job_ledger_actor ledger;
    job_history_actor history;
    artifact_store_actor artifacts;
    journal_actor journal;
    statistics_actor statistics;
    amqp_bridge_actor amqp;
    objects_actor objects;
    machine_tracker_actor machines;
    peer_link_actor link;
    std::atomic<bool> absent = false;
  };

public:
  caf::actor_system sys{config_};

private:
  std::shared_ptr<handles> roles_ = std::make_shared<handles>();
  std::unique_ptr<router> router_;
};

/// Returns the JSON of an answer.
inline json body_of(const http_response& out) {
  auto doc = parse_json_text(out.body);
  REQUIRE(doc);
  return *doc;
}

/// Returns one header of an answer or "".
inline std::string header_of(const http_response& out, const std::string& name) {
  auto i = out.headers.find(name);
  return i == out.headers.end() ? std::string{} : i->second;
}

/// The smallest body that /tasks/schedule accepts.
inline json schedule_body() {
  return {{"runner_type", "any"},
          {"dist_name", "debian"},
          {"dist_version", 12},
          {"dist_arch", "x86_64"},
          {"package_name", "hello"}};
}

} // namespace troupe::tests
