#include "tests/support/pulse_messages.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

constexpr auto claim_ms = int64_t{1'200'000};

std::string time_text(int64_t ms) {
  return to_iso8601(caf::timestamp{std::chrono::milliseconds{ms}});
}

/// 22 letters as slug ids have them.
std::string slug(std::mt19937_64& random) {
  constexpr auto letters =
    std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"};
  auto out = std::string(22, 'A');
  for (auto& c : out)
    c = letters[random() % letters.size()];
  out[8] = "QRST"[random() % 4];
  out[10] = "CGKOSWaeimquy26-"[random() % 16];
  out[21] = "AQgw"[random() % 4];
  return out;
}

json run_of(uint32_t run, const std::string& state, int64_t scheduled) {
  return {{"runId", run},
          {"state", state},
          {"reasonCreated", run == 0 ? "scheduled" : "retry"},
          {"scheduled", time_text(scheduled)}};
}

std::string task_key(const json& body, const json& status) {
  auto word = [&](const char* name) {
    return body.contains(name) ? body.at(name).is_number() ? body.at(name).dump()
                                                           : body.at(name).get<std::string>()
                               : std::string{"_"};
  };
  auto text = [&](const char* name) { return status.at(name).get<std::string>(); };
  return "primary." + text("taskId") + '.' + word("runId") + '.' + word("workerGroup") + '.'
         + word("workerId") + '.' + text("provisionerId") + '.' + text("workerType") + '.'
         + text("schedulerId") + '.' + text("taskGroupId") + "._";
}

} // namespace

pulse_script::pulse_script(uint64_t seed, size_t machines) : random_{seed} {
  const char* types[] = {"gecko-t-linux-talos", "gecko-t-osx-1010", "gecko-t-win10-64-hw"};
  for (auto i = size_t{0}; i < machines; ++i)
    workers_.push_back({i % 2 == 0 ? "mdc1" : "mdc2", "t-linux64-ms-" + std::to_string(i),
                        types[i % 3], now_ + static_cast<int64_t>(below(1'000))});
}

json pulse_script::status_of(const worker& who) {
  return {{"taskId", slug(random_)},
          {"provisionerId", "releng-hardware"},
          {"workerType", who.type},
          {"taskQueueId", "releng-hardware/" + who.type},
          {"schedulerId", "gecko-level-3"},
          {"projectId", "none"},
          {"taskGroupId", slug(random_)},
          {"priority", "low"},
          {"deadline", time_text(now_ + 86'400'000)},
          {"expires", time_text(now_ + 365 * int64_t{86'400'000})},
          {"retriesLeft", 5},
          {"state", "running"},
          {"runs", json::array()}};
}

void pulse_script::say(const std::string& kind, json status, const worker* who, uint32_t run,
                       json more) {
  auto body = json{{"version", 1},
                   {"task", {{"tags", {{"kind", "test"}, {"os", "linux"}}}}},
                   {"runId", run}};
  if (who != nullptr) {
    body["workerGroup"] = who->group;
    body["workerId"] = who->host;
  }
  if (more.is_object())
    body.update(more);
  auto key = task_key(body, status);
  body["status"] = std::move(status);
  made_.push_back({"exchange/taskcluster-queue/v1/" + kind, std::move(key), std::move(body)});
}

void pulse_script::play_task() {
  auto& who = workers_[below(workers_.size())];
  auto status = status_of(who);
  auto began = std::max(now_, who.free_at);
  auto ended = began + 1 + static_cast<int64_t>(below(1'100'000));
  who.free_at = ended + 1;
  now_ += static_cast<int64_t>(below(5'000));
  auto run = run_of(0, "exception", began - 1'000);
  auto luck = below(100);
  if (luck < 2) { // Nobody ever claimed it.
    run["reasonResolved"] = luck == 0 ? "canceled" : "deadline-exceeded";
    run["resolved"] = time_text(ended);
    status["state"] = "exception";
    status["runs"] = {run};
    return say("task-exception", status, nullptr, 0);
  }
  run["state"] = "running";
  run["workerGroup"] = who.group;
  run["workerId"] = who.host;
  run["takenUntil"] = time_text(began + claim_ms);
  run["started"] = time_text(began);
  status["runs"] = {run};
  say("task-running", status, &who, 0, {{"takenUntil", run["takenUntil"]}});
  auto resolve = [&](const char* state, const std::string& reason, int64_t at) {
    run["state"] = state;
    run["reasonResolved"] = reason;
    run["resolved"] = time_text(at);
    status["state"] = state;
    status["runs"] = {run};
  };
  if (luck < 75) {
    resolve("completed", "completed", ended);
    say("task-completed", status, &who, 0);
  } else if (luck < 85) {
    resolve("failed", "failed", ended);
    say("task-failed", status, &who, 0);
  } else if (luck < 90) { // Its worker died; the next run is somebody else's.
    resolve("exception", "claim-expired", began + claim_ms + 8'400);
    status["state"] = "pending";
    status["retriesLeft"] = 4;
    status["runs"].push_back(run_of(1, "pending", began + claim_ms + 8'400));
    say("task-exception", status, &who, 0);
  } else if (luck < 97) {
    const char* reasons[] = {"malformed-payload", "internal-error",  "resource-unavailable",
                             "intermittent-task", "worker-shutdown", "canceled",
                             "never-heard-of"};
    resolve("exception", reasons[luck - 90], ended);
    say("task-exception", status, &who, 0);
  } else { // The queue's own word: the machine stands in the runs only.
    resolve("exception", "deadline-exceeded", ended);
    say("task-exception", status, nullptr, 0);
  }
  if (below(50) == 0)
    play_worker(who);
}

void pulse_script::play_worker(const worker& who) {
  auto kind = std::string{pulse_worker_kinds[below(std::size(pulse_worker_kinds))]};
  auto body = json{{"workerPoolId", "releng-hardware/" + who.type},
                   {"providerId", "static"},
                   {"workerId", who.host},
                   {"workerGroup", who.group},
                   {"capacity", 1},
                   {"timestamp", time_text(who.free_at)}};
  if (kind == "worker-removed")
    body["reason"] = "workerManager.removeWorker API call";
  if (kind == "worker-pool-error")
    body.update({{"errorId", slug(random_)}, {"kind", "creation-error"}, {"title", "no room"}});
  auto key = "primary.static.releng-hardware." + who.type + '.' + who.group + '.' + who.host + "._._";
  made_.push_back({"exchange/taskcluster-worker-manager/v1/" + kind, std::move(key),
                   std::move(body)});
}

std::vector<pulse_message> pulse_script::take(size_t count) {
  while (made_.size() < count)
    play_task();
  auto end = made_.begin() + static_cast<std::ptrdiff_t>(count);
  auto out = std::vector<pulse_message>{std::make_move_iterator(made_.begin()),
                                        std::make_move_iterator(end)};
  made_.erase(made_.begin(), end);
  return out;
}

std::vector<pulse_message> pulse_script::one_of_each() {
  auto script = pulse_script{1, 4};
  auto out = std::vector<pulse_message>{};
  for (const auto& x : script.take(5'000)) {
    auto same = std::any_of(out.begin(), out.end(), [&](const pulse_message& y) {
      auto reason_of = [](const pulse_message& m) {
        return m.body.contains("status")
                 ? m.body["status"]["runs"][0].value("reasonResolved", std::string{})
                 : std::string{};
      };
      return x.exchange == y.exchange && reason_of(x) == reason_of(y)
             && x.body.contains("workerId") == y.body.contains("workerId");
    });
    if (!same)
      out.push_back(x);
  }
  return out;
}

publication to_publication(const pulse_message& what, const std::string& prefix) {
  auto out = publication{};
  out.exchange = prefix + what.exchange;
  out.routing_key = what.routing_key;
  out.body = what.body.dump();
  out.content_type = "application/json";
  out.content_encoding = "utf-8";
  return out;
}

} // namespace troupe::tests
