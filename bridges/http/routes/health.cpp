#include "bridges/http/routes/call.hpp"

namespace troupe {

/// Answer of GET /healthz/ready: one part of the node.
struct ready_part {
  std::string part;
  bool ready = false;
  std::string text;

  static constexpr auto type_name = "troupe::ready_part";
  static constexpr auto fields = std::tuple{
    field{"part", &ready_part::part},
    field{"ready", &ready_part::ready},
    field{"text", &ready_part::text},
  };
};

struct ready_report {
  bool ready = true;
  std::vector<ready_part> parts;

  static constexpr auto type_name = "troupe::ready_report";
  static constexpr auto fields = std::tuple{
    field{"ready", &ready_report::ready},
    field{"parts", &ready_report::parts},
  };
};

namespace {

constexpr auto ready_time = std::chrono::seconds{1};

void note(ready_report& out, std::string part, std::string trouble) {
  out.ready = out.ready && trouble.empty();
  out.parts.push_back({std::move(part), trouble.empty(), std::move(trouble)});
}

/// Begins to ask one part; the returned function waits for its answer.
template <class Reply, class Handle, class Message, class Check>
auto begin(caf::scoped_actor& self, const std::function<Handle()>& question, Message what,
           ready_report& out, Check check) {
  auto to = find_role(question);
  auto name = std::string{role_name<Handle>};
  using pending = decltype(self->request(to, caf::timespan{}, what));
  auto sent = std::optional<pending>{};
  if (to)
    sent.emplace(self->request(to, caf::timespan{ready_time}, std::move(what)));
  return [&out, check, name, sent = std::move(sent)]() mutable {
    if (!sent)
      return note(out, name, "absent");
    sent->receive([&](const Reply& reply) { note(out, name, check(reply)); },
                  [&](const caf::error& why) { note(out, name, one_line(why)); });
  };
}

/// A node without its broker accepts and runs jobs: the outbox waits. So it is told, but the
/// node is ready.
void note_amqp(call& c, caf::scoped_actor& self, ready_report& out) {
  if (!find_role(c.shared.roles.amqp))
    return;
  auto away = std::string{};
  begin<amqp_status>(self, c.shared.roles.amqp, status_atom_v, out, [&](const amqp_status& status) {
    for (const auto& x : status.links)
      if (x.state != amqp_state::up)
        away += (away.empty() ? "" : "; ") + x.link + ": " + std::string{name_of(x.state)};
    return std::string{};
  })();
  if (!away.empty())
    out.parts.back().text = std::move(away);
}

/// A tracker that is not at the journal's end yet answers no questions.
void note_machines(call& c, caf::scoped_actor& self, ready_report& out) {
  if (find_role(c.shared.roles.machines))
    begin<machine_page>(self, c.shared.roles.machines, list_machines{}, out,
                        [](const machine_page&) { return std::string{}; })();
}

http_response answer(const ready_report& out) {
  auto made = json_response(out.ready ? 200 : 503, write_json(out));
  if (!out.ready)
    made.headers.emplace("Retry-After", "1");
  return made;
}

http_response live(call&) {
  return json_response(200, {{"live", true}});
}

http_response ready(call& c) {
  auto self = caf::scoped_actor{c.shared.sys};
  auto out = ready_report{};
  auto journal = begin<journal_status>(
    self, c.shared.roles.journal, status_atom_v, out, [](const journal_status& status) {
      return std::string{status.accepting ? "" : "the disk guard refuses writes"};
    });
  if (!c.shared.options.with_jobs) {
    journal();
    note_machines(c, self, out);
    note_amqp(c, self, out);
    return answer(out);
  }
  auto jobs = begin<queue_list>(self, c.shared.roles.jobs, queues_atom_v, out,
                                [](const queue_list&) { return std::string{}; });
  auto one = list_jobs{};
  one.limit = 1;
  auto history = begin<job_page>(self, c.shared.roles.history, std::move(one), out,
                                 [](const job_page&) { return std::string{}; });
  journal();
  jobs();
  history();
  note_amqp(c, self, out);
  return answer(out);
}

http_response health(call&) {
  return json_response(200, "Ready");
}

} // namespace

std::vector<route> health_routes() {
  return {
    {.method = "GET",
     .path = "/healthz/live",
     .least = token_level::none,
     .tag = "health",
     .summary = "Says that the process answers",
     .answers = {{200, "It does.", {}}},
     .run = live},
    {.method = "GET",
     .path = "/healthz/ready",
     .least = token_level::none,
     .tag = "health",
     .summary = "Says whether jobs are accepted and read, or machines answered for",
     .answers = {{200, "They are.", schema_of<ready_report>()},
                 {503, "They are not; the parts say why.", schema_of<ready_report>()}},
     .run = ready},
    {.method = "GET",
     .path = "/health",
     .least = token_level::none,
     .tag = "health",
     .summary = "Answers \"Ready\"",
     .answers = {{200, "It answers.", {}}},
     .run = health},
  };
}

} // namespace troupe
