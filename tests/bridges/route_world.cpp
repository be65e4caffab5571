#include "route_world.hpp"

namespace troupe::tests {

namespace {

using told_ptr = std::shared_ptr<recorder>;

bool matches(const list_jobs& what, const job_view& view) {
  if (!what.owner.empty() && what.owner != view.owner)
    return false;
  if (what.state && *what.state != view.state)
    return false;
  for (const auto& [name, value] : what.tags)
    if (auto tag = view.tags.find(name); tag == view.tags.end() || tag->second != value)
      return false;
  return true;
}

job_ledger_actor::behavior_type ledger(job_ledger_actor::pointer, told_ptr told) {
  return {
    [=](submit_job& job) -> caf::result<job_accepted> {
      auto lock = std::lock_guard{told->mutex};
      if (told->refuse)
        return told->refuse;
      told->submitted.push_back(std::move(job));
      return job_accepted{new_job_id(), false};
    },
    [=](submit_jobs& batch) -> caf::result<jobs_accepted> {
      auto lock = std::lock_guard{told->mutex};
      if (told->refuse)
        return told->refuse;
      told->batches.push_back(batch);
      auto out = jobs_accepted{};
      for (auto& job : batch.jobs) {
        told->submitted.push_back(std::move(job));
        out.jobs.push_back({new_job_id(), false});
      }
      return out;
    },
    [=](const cancel_job& x) -> caf::result<job_status> {
      auto lock = std::lock_guard{told->mutex};
      told->canceled.push_back(x.job);
      return job_status{x.job, told->jobs[x.job].state, verdict::none};
    },
    [=](const retry_job& x) -> caf::result<job_accepted> {
      auto lock = std::lock_guard{told->mutex};
      told->retried.push_back(x);
      return job_accepted{new_job_id(), false};
    },
    [](const claim_runs&) { return claimed_runs{}; },
    [](const renew_leases&) { return lease_states{}; },
    [](const finish_runs&) { return finish_outcomes{}; },
    [](const report_stages&) -> uint32_t { return 0; },
    [](const outside_report&) { return report_answer{}; },
    [](const runner_status&) -> uint32_t { return 0; },
    [](runners_atom) { return runner_list{}; },
    [](queues_atom) {
      auto out = queue_list{};
      out.queues.push_back({"docker-x86_64-0", 8, 2, 2});
      out.queues.push_back({"fake-x86_64-0", 0, 1, 4});
      return out;
    },
    [](drain_atom) -> uint32_t { return 0; },
  };
}

/// Blocks while it waits, so it has a thread of its own.
job_history_actor::behavior_type history(job_history_actor::pointer, told_ptr told) {
  return {
    [=](const get_job& what) -> caf::result<job_view> {
      auto lock = std::unique_lock{told->mutex};
      auto known = [&] {
        auto i = told->jobs.find(what.job);
        return i == told->jobs.end() || i->second.version > what.newer_than;
      };
      told->changed.wait_for(lock, what.wait, known);
      auto i = told->jobs.find(what.job);
      if (i == told->jobs.end())
        return fault(ec::not_found, "there is no such job");
      return i->second;
    },
    [=](const list_jobs& what) -> caf::result<job_page> {
      auto lock = std::lock_guard{told->mutex};
      if (told->refuse)
        return told->refuse;
      told->listed.push_back(what);
      auto out = job_page{};
      for (const auto& [id, view] : told->jobs)
        if (matches(what, view))
          out.jobs.push_back(view);
      return out;
    },
    [](const read_live_jobs&) { return live_jobs{}; },
  };
}

artifact_store_actor::behavior_type artifacts(artifact_store_actor::pointer, told_ptr told) {
  return {
    [](const write_artifact& x) -> uint64_t { return x.offset + x.bytes.size(); },
    [](const close_artifact&) { return artifact_ref{}; },
    [=](const read_artifact& what) -> caf::result<artifact_chunk> {
      auto lock = std::unique_lock{told->mutex};
      auto name = std::to_string(what.key.run) + '/' + what.key.name;
      if (!told->logs.contains(name))
        return fault(ec::not_found, "there is no such artifact");
      const auto& bytes = told->logs[name];
      told->changed.wait_for(lock, what.wait,
                             [&] { return bytes.size() > what.from || told->closed[name]; });
      auto out = artifact_chunk{};
      out.from = what.from;
      if (what.from < bytes.size())
        out.bytes = bytes.substr(what.from, what.max_bytes);
      out.next = what.from + out.bytes.size();
      out.complete = told->closed[name] && out.next >= bytes.size();
      return out;
    },
    [=](const list_artifacts& what) -> caf::result<artifact_list> {
      auto lock = std::lock_guard{told->mutex};
      auto out = artifact_list{};
      auto prefix = std::to_string(what.run) + '/';
      for (const auto& [name, bytes] : told->logs)
        if (name.starts_with(prefix))
          out.artifacts.push_back({name.substr(prefix.size()), bytes.size(), 0, {}, false});
      return out;
    },
  };
}

journal_actor::behavior_type journal(journal_actor::pointer, told_ptr told) {
  return {
    [](const append_events&) { return append_results{}; },
    [](const read_events&) { return event_batch{}; },
    [](const cursor& x) { return x; },
    [](cursors_atom) { return cursor_list{}; },
    [](caf::delete_atom, const std::string& name) {
      return cursor{name, 0};
    },
    [](const trim_journal&) { return journal_status{}; },
    [=](status_atom) {
      auto lock = std::lock_guard{told->mutex};
      auto out = journal_status{};
      out.accepting = told->accepting;
      return out;
    },
  };
}

} // namespace

route_world::system_config::system_config() {
  add_message_types<caf::id_block::troupe_atoms>();
  add_message_types<caf::id_block::troupe>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", 2);
}

route_world::route_world() {
  roles_->ledger = sys.spawn(ledger, told);
  roles_->history = sys.spawn<caf::detached>(history, told);
  roles_->artifacts = sys.spawn<caf::detached>(artifacts, told);
  roles_->journal = sys.spawn(journal, told);
}

route_world::~route_world() {
  router_.reset();
  caf::anon_send_exit(roles_->ledger, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->history, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->artifacts, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->journal, caf::exit_reason::user_shutdown);
}

role_lookup route_world::lookup() const {
  auto all = roles_;
  return {[all] { return all->absent ? job_ledger_actor{} : all->ledger; },
          [all] { return all->absent ? job_history_actor{} : all->history; },
          [all] { return all->absent ? artifact_store_actor{} : all->artifacts; },
          [all] { return all->absent ? journal_actor{} : all->journal; },
          [] { return gate_actor{}; }};
}

caf::expected<identity> route_world::check(std::string_view token) {
  auto colon = token.find(':');
  auto level = enum_of<token_level>(token.substr(0, colon));
  if (!level || colon == std::string_view::npos)
    return fault(ec::unauthorized, "bad signature");
  return identity{std::string{token.substr(colon + 1)}, *level, {}, {}};
}

router& route_world::routes() {
  if (!router_)
    router_ = std::make_unique<router>(sys, lookup(), options, check);
  return *router_;
}

http_request route_world::request(std::string method, const std::string& target,
                                  const std::string& token) {
  auto in = http_request{};
  in.method = std::move(method);
  auto mark = target.find('?');
  in.path = target.substr(0, mark);
  while (mark != std::string::npos) {
    auto end = target.find('&', mark + 1);
    auto one = target.substr(mark + 1, end == std::string::npos ? end : end - mark - 1);
    auto equals = one.find('=');
    in.query.emplace(one.substr(0, equals), one.substr(equals + 1));
    mark = end;
  }
  if (!token.empty())
    in.headers.emplace("authorization", "Bearer " + token);
  in.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  return in;
}

http_response route_world::call(std::string method, const std::string& target,
                                const std::string& token, std::string body,
                                std::multimap<std::string, std::string> headers) {
  auto in = request(std::move(method), target, token);
  in.body = std::move(body);
  in.headers.merge(headers);
  return routes().handle(in);
}

job_id route_world::add_job(job_state state, verdict result, std::string owner) {
  auto view = job_view{};
  view.job = new_job_id();
  view.kind = "test";
  view.subject = "hello";
  view.owner = std::move(owner);
  view.state = state;
  view.result = result;
  view.version = 1;
  told->put(view);
  return view.job;
}

} // namespace troupe::tests
