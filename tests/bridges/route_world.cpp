#include "route_world.hpp"

#include "messages/time.hpp"

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
    [](const read_events& what) {
      auto one = stored_event{};
      one.sequence = what.from;
      one.arrived = now() - std::chrono::seconds{90};
      return event_batch{{one}, what.from + 1, false};
    },
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
      out.next = 42;
      out.repeated = 5;
      return out;
    },
  };
}

statistics_actor::behavior_type statistics(statistics_actor::pointer, told_ptr) {
  return {
    [](const get_statistics& what) {
      auto out = statistics_report{};
      out.generated = 1;
      out.distributed = 3;
      out.processed = 3;
      out.processors["5b1e"].processed = 3;
      out.packages["asked for " + std::to_string(what.packages)].processed = 1;
      return out;
    },
    [](const get_object_progress& what) -> caf::result<object_progress> {
      if (what.id != 837)
        return fault(ec::not_found, "there is no such object");
      auto out = object_progress{};
      out.id = what.id;
      out.tasks_total = 3;
      return out;
    },
    [](const list_object_progress& what) {
      auto out = object_progress_page{};
      out.objects.resize(what.limit);
      out.next = what.cursor + "7";
      return out;
    },
    [](status_atom) {
      auto out = statistics_counters{};
      out.sequence = 41;
      out.events["job.queued"] = 3;
      auto& tasks = out.kinds["process"];
      tasks.work.results["pass"] = 3;
      tasks.work.reasons = {{"none", 3}, {"claim-expired", 2}};
      tasks.work.spend.count = 3;
      tasks.work.spend.sum_s = 6;
      tasks.spend = {{1, 0}, {5, 3}};
      out.queues["ebs \"a\"\n"].processed = 3;
      return out;
    },
  };
}

amqp_bridge_actor::behavior_type amqp(amqp_bridge_actor::stateful_pointer<caf::unit_t> self,
                                      told_ptr told) {
  return {
    [=](status_atom) -> caf::result<amqp_status> {
      auto lock = std::lock_guard{told->mutex};
      if (told->broker_silent)
        return self->make_response_promise<amqp_status>();
      auto out = amqp_status{};
      out.links.push_back({"publish", "localhost:5672", amqp_state::blocked, {}, 3, 2, ""});
      out.cursor = "amqp";
      out.published_up_to = 31;
      out.journal_next = 42;
      return out;
    },
    [](const list_dead_letters&) {
      auto out = dead_letter_queues{};
      out.queues.push_back({"processor_dead", 4, 0, ""});
      return out;
    },
    [](const peek_dead_letters&) { return dead_letter_list{}; },
    [](const replay_dead_letters&) { return dead_letters_moved{}; },
    [](const purge_dead_letters&) { return dead_letters_moved{}; },
    [](drain_atom) -> uint32_t { return 0; },
  };
}

objects_actor::behavior_type objects(objects_actor::pointer, told_ptr told) {
  return {
    [=](const create_object& x) -> caf::result<object_view> {
      auto lock = std::lock_guard{told->mutex};
      if (told->refuse)
        return told->refuse;
      told->created.push_back(x);
      auto out = object_view{};
      out.id = 1023 + told->created.size();
      out.name = x.name;
      return out;
    },
    [](const take_task&) { return job_accepted{}; },
    [](const task_report&) { return report_answer{}; },
    [=](const get_object& x) -> caf::result<object_view> {
      auto lock = std::lock_guard{told->mutex};
      if (auto i = told->objects.find(x.id); i != told->objects.end())
        return i->second;
      return fault_at(ec::not_found, "object_id", "there is no such object");
    },
    [=](const list_objects& x) {
      auto lock = std::lock_guard{told->mutex};
      auto out = object_page{};
      for (auto i = told->objects.rbegin(); i != told->objects.rend(); ++i)
        if (i->first < x.below && out.objects.size() < x.limit)
          out.objects.push_back(i->second);
      return out;
    },
    [](const list_dead_tasks& x) -> caf::result<dead_task_page> {
      if (!x.after.empty())
        return fault_at(ec::invalid_argument, "after", "is not the `next` of a page");
      auto out = dead_task_page{};
      out.tasks.emplace_back().id = "9f0c";
      out.tasks.back().data = R"({"a":1})";
      return out;
    },
    [=](const retry_dead_tasks& x) {
      auto lock = std::lock_guard{told->mutex};
      told->revived.push_back(x);
      return changed_tasks{x.tasks, x.tasks};
    },
    [=](const purge_dead_tasks& x) {
      auto lock = std::lock_guard{told->mutex};
      told->purged.push_back(x);
      return changed_tasks{x.tasks, {}};
    },
    [](drain_atom) -> uint32_t { return 0; },
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
  roles_->statistics = sys.spawn(statistics, told);
  roles_->amqp = sys.spawn(amqp, told);
  roles_->objects = sys.spawn(objects, told);
  roles_->machines = spawn_recording_machines(sys, machines);
}

route_world::~route_world() {
  router_.reset();
  caf::anon_send_exit(roles_->ledger, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->history, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->artifacts, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->journal, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->statistics, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->amqp, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->objects, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(roles_->machines, caf::exit_reason::user_shutdown);
  if (roles_->link)
    caf::anon_send_exit(roles_->link, caf::exit_reason::user_shutdown);
}

role_lookup route_world::lookup() const {
  auto all = roles_;
  return {[all] { return all->absent ? job_ledger_actor{} : all->ledger; },
          [all] { return all->absent ? job_history_actor{} : all->history; },
          [all] { return all->absent ? artifact_store_actor{} : all->artifacts; },
          [all] { return all->absent ? journal_actor{} : all->journal; },
          [] { return gate_actor{}; },
          [all] { return all->absent ? statistics_actor{} : all->statistics; },
          [all] { return all->absent ? amqp_bridge_actor{} : all->amqp; },
          [all] { return all->absent ? objects_actor{} : all->objects; },
          [all] { return all->absent ? machine_tracker_actor{} : all->machines; },
          [all] { return all->link; }};
}

void route_world::add_link(const node_view& far) {
  auto link = [](peer_link_actor::pointer,
                 const node_view& view) -> peer_link_actor::behavior_type {
    return {
      [](role_atom, const std::string&, const caf::strong_actor_ptr&) {},
      [view](status_atom) { return view; },
      [](drain_atom) { return 0U; },
    };
  };
  roles_->link = sys.spawn(link, far);
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
