#include "tests/support/machine_expectation.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

/// The history is read this far back; runs overlap no more than by a claim.
constexpr auto kept_runs = size_t{40};
constexpr auto told_runs = size_t{20};

std::string word(const json& of, const char* name) {
  return of.value(name, std::string{});
}

std::string time_of(caf::timestamp t) {
  return t == caf::timestamp{} ? std::string{} : to_iso8601(t);
}

/// As the tracker writes times, whatever digits the message had.
std::string time_in(const json& of, const char* name) {
  auto text = word(of, name);
  return text.empty() ? text : time_of(*parse_iso8601(text));
}

void raise(std::string& to, const std::string& x) {
  to = std::max(to, x);
}

} // namespace

void machine_expectation::live(machine& of, const std::string& at) {
  of.first = of.first.empty() ? at : std::min(of.first, at);
  raise(of.seen, at);
}

void machine_expectation::tell(const pulse_message& x) {
  auto kind = x.exchange.substr(x.exchange.rfind('/') + 1);
  if (kind.starts_with("task-"))
    tell_task(kind.substr(5), x.body);
  else
    tell_worker(kind, x.body);
}

void machine_expectation::tell_task(const std::string& kind, const json& body) {
  const auto& status = body.at("status");
  const auto& it = status.at("runs").at(body.at("runId").get<size_t>());
  if (!it.contains("workerId"))
    return; // Nobody had claimed it.
  auto& of = machines_[word(it, "workerGroup") + ':' + word(it, "workerId")];
  auto reason = word(it, "reasonResolved");
  auto began = time_in(it, "started");
  auto at = kind == "running" ? began : time_in(it, "resolved");
  auto by_worker = reason == "malformed-payload" || reason == "internal-error"
                   || reason == "resource-unavailable" || reason == "intermittent-task"
                   || reason == "worker-shutdown";
  if (kind != "exception" || by_worker)
    live(of, at);
  if (reason == "worker-shutdown")
    raise(of.down, at);
  raise(of.message, at);
  ++of.counts[kind == "exception" ? "exception." + reason : kind];
  if (of.status_at <= at) { // The script tells a run's begin before its end.
    of.status_at = at;
    of.status = word(it, "state") + '_' + (reason.empty() ? "unresolved" : reason);
    of.task = word(status, "taskId");
  }
  auto phase = reason == "claim-expired" ? std::string{"lost"} : kind;
  of.runs[began] = {{{"taskId", word(status, "taskId")},
                     {"runId", body.at("runId")},
                     {"state", word(it, "state")},
                     {"reasonResolved", reason},
                     {"started", began},
                     {"resolved", time_in(it, "resolved")}},
                    phase,
                    time_in(it, "takenUntil")};
  if (of.runs.size() > kept_runs)
    of.runs.erase(of.runs.begin());
}

void machine_expectation::tell_worker(const std::string& kind, const json& body) {
  auto& of = machines_[word(body, "workerGroup") + ':' + word(body, "workerId")];
  auto at = time_in(body, "timestamp");
  raise(of.message, at);
  if (kind == "worker-running") {
    live(of, at);
    raise(of.up, at);
  }
  if (kind == "worker-stopped" || kind == "worker-removed")
    raise(of.down, at);
}

std::map<std::string, json> machine_expectation::all() const {
  auto out = std::map<std::string, json>{};
  for (const auto& [id, x] : machines_) {
    const auto* last = x.runs.empty() ? nullptr : &x.runs.rbegin()->second;
    auto lived_since = [&x = x](const std::string& then) { return x.seen > then || x.up > then; };
    auto state = std::string{last || !x.up.empty() ? "idle" : "unknown"};
    if (!x.down.empty() && !lived_since(x.down))
      state = "shutdown";
    else if (last && last->phase == "lost" && !lived_since(last->taken_until))
      state = "lost";
    else if (last && last->phase == "running")
      state = "busy";
    auto recent = json::array();
    for (auto i = x.runs.rbegin(); i != x.runs.rend() && recent.size() < told_runs; ++i)
      recent.push_back(i->second.task);
    out[id] = {{"firstseen", x.first}, {"lastseen", x.seen}, {"lastmessage", x.message},
               {"state", state},       {"counts", x.counts}, {"laststatus", x.status},
               {"lasttaskid", x.task}, {"recent", recent}};
  }
  return out;
}

json told_of(const machine_view& x) {
  auto counts = std::map<std::string, uint64_t>{};
  auto add = [&](const std::string& what, uint64_t n) {
    if (n > 0)
      counts[what] = n;
  };
  add("running", x.counts.running);
  add("completed", x.counts.completed);
  add("failed", x.counts.failed);
  for (const auto& [reason, n] : x.counts.exception)
    add("exception." + reason, n);
  auto recent = json::array();
  for (const auto& y : x.recent)
    recent.push_back({{"taskId", y.task},
                      {"runId", y.run},
                      {"state", y.state},
                      {"reasonResolved", y.reason},
                      {"started", time_of(y.started)},
                      {"resolved", time_of(y.resolved)}});
  return {{"firstseen", time_of(x.firstseen)},
          {"lastseen", time_of(x.lastseen)},
          {"lastmessage", time_of(x.lastmessage)},
          {"state", std::string{name_of(x.state)}},
          {"counts", counts},
          {"laststatus", x.laststatus},
          {"lasttaskid", x.lasttaskid},
          {"recent", recent}};
}

} // namespace troupe::tests
