#include "messages/object.hpp"
#include "messages/time.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/table.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct object_orders {
  std::string name;
  std::string content;
  std::string key;
  uint64_t id = 0;
  uint32_t limit = 50;
  std::vector<std::string> tasks;
  bool all = false;
};

color color_of(task_state state) {
  switch (state) {
    case task_state::done: return color::green;
    case task_state::dead: return color::red;
    case task_state::waiting: return color::yellow;
    case task_state::running: return color::blue;
    default: return color::none;
  }
}

color color_of(object_state state) {
  switch (state) {
    case object_state::completed: return color::green;
    case object_state::failed: return color::red;
    default: return color::none;
  }
}

std::string tasks_table(const terminal& io, const std::vector<object_task>& tasks) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& x : tasks)
    rows.push_back({{x.id},
                    {std::string{name_of(x.state)}, color_of(x.state)},
                    {std::to_string(x.attempt)},
                    {x.processor},
                    {x.spend > caf::timespan{0} ? to_short_text(x.spend) : ""},
                    {x.error}});
  return table_text(io, {"TASK", "STATE", "ATTEMPT", "PROCESSOR", "SPENT", "ERROR"}, rows);
}

/// What processors made is any JSON; here only the rest is of interest.
void leave_out_data(json& tasks) {
  for (auto& task : tasks)
    task.erase("data");
}

void print_object(program& p, const object_view& x) {
  p.io.out << "object " << x.id << "  " << log_text(x.name) << "  "
           << p.io.paint(color_of(x.state), name_of(x.state)) << "  " << x.tasks_done << '/'
           << x.tasks_total << " tasks\n"
           << tasks_table(p.io, x.tasks);
}

/// Opens a session, asks, and shows what came: as JSON, or by `show`.
template <class Ask, class Show>
void talk(program& p, Ask ask, Show show) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  caf::expected<json> got = ask(*server);
  if (!got)
    return p.fail(got.error());
  if (p.options.json)
    return write_line(p.io, json_text(*got));
  if (auto why = show(*got))
    p.fail(why);
}

caf::error show_object(program& p, json got) {
  leave_out_data(got["tasks"]);
  auto x = session::as<object_view>(got);
  if (!x)
    return std::move(x.error());
  print_object(p, *x);
  return {};
}

void submit_object(program& p, const object_orders& in) {
  auto body = json::object();
  if (!in.name.empty())
    body["name"] = in.name;
  if (!in.content.empty())
    body["content"] = in.content;
  auto key = in.key.empty() ? random_token() : in.key;
  talk(
    p,
    [&](session& server) {
      return server.post("/objects", body, {{"Idempotency-Key", key}});
    },
    [&](const json& got) { return show_object(p, got); });
}

void list_objects_of(program& p, const object_orders& in) {
  talk(
    p,
    [&](session& server) {
      return server.get(target("/objects", {{"limit", std::to_string(in.limit)}}));
    },
    [&](const json& got) -> caf::error {
      auto page = session::as<object_page>(got);
      if (!page)
        return std::move(page.error());
      auto rows = std::vector<std::vector<cell>>{};
      for (const auto& x : page->objects)
        rows.push_back({{std::to_string(x.id)},
                        {x.name},
                        {std::string{name_of(x.state)}, color_of(x.state)},
                        {std::to_string(x.tasks_done) + '/' + std::to_string(x.tasks_total)},
                        {x.source},
                        {to_iso8601(x.created_at)}});
      p.io.out << table_text(p.io, {"OBJECT", "NAME", "STATE", "TASKS", "SOURCE", "CREATED"}, rows);
      if (page->next)
        p.io.err << "There are more; --limit shows them.\n";
      return {};
    });
}

void show_one(program& p, const object_orders& in) {
  talk(
    p, [&](session& server) { return server.get("/objects/" + std::to_string(in.id)); },
    [&](const json& got) { return show_object(p, got); });
}

void list_dead(program& p, const object_orders& in) {
  talk(
    p,
    [&](session& server) {
      return server.get(target("/objects/dead", {{"limit", std::to_string(in.limit)}}));
    },
    [&](json got) -> caf::error {
      leave_out_data(got["tasks"]);
      auto page = session::as<dead_task_page>(got);
      if (!page)
        return std::move(page.error());
      p.io.out << tasks_table(p.io, page->tasks);
      if (!page->next.empty())
        p.io.err << "There are more; --limit shows them.\n";
      return {};
    });
}

void change_dead(program& p, const object_orders& in, const std::string& what) {
  if (in.tasks.empty() != in.all)
    return p.fail(fault(ec::invalid_argument, "name tasks, or say --all"));
  auto body = in.all ? json{{"all", true}} : json{{"tasks", in.tasks}};
  talk(
    p, [&](session& server) { return server.post("/objects/dead/" + what, body); },
    [&](const json& got) -> caf::error {
      auto done = session::as<changed_tasks>(got);
      if (!done)
        return std::move(done.error());
      for (auto i = size_t{0}; i < done->tasks.size(); ++i)
        p.io.out << done->tasks[i] << (i < done->now.size() ? " is now " + done->now[i] : " purged")
                 << '\n';
      if (done->tasks.empty())
        p.io.err << "None of them was dead.\n";
      return {};
    });
}

} // namespace

void add_objects(program& p) {
  auto verb = p.verb("objects", "Make objects, see their tasks, bring the dead ones back",
                     "  troupe objects submit --name lorem\n"
                     "  troupe objects show 1024 --json | jq .tasks\n"
                     "  troupe objects dead\n"
                     "  troupe objects retry --all\n");
  verb->require_subcommand(1);
  // The verb lives as long as the program, and so do its options.
  auto in = std::make_shared<object_orders>();
  verb->callback([in] {});
  auto submit = verb->add_subcommand("submit", "Make an object and its tasks");
  submit->add_option("--name", in->name, "One line (default: a random word)");
  submit->add_option("--content", in->content, "Any text (default: random words)");
  submit->add_option("--idempotency-key", in->key,
                     "The same key is the same object (default: random)");
  submit->callback([&p, in = in.get()] { submit_object(p, *in); });
  auto ls = verb->add_subcommand("ls", "List objects, the newest first");
  ls->callback([&p, in = in.get()] { list_objects_of(p, *in); });
  auto show = verb->add_subcommand("show", "Show one object with its tasks");
  show->add_option("OBJECT", in->id, "Its number")->required();
  show->callback([&p, in = in.get()] { show_one(p, *in); });
  auto dead = verb->add_subcommand("dead", "List tasks that have no attempt left");
  dead->callback([&p, in = in.get()] { list_dead(p, *in); });
  for (auto listing : {ls, dead})
    listing->add_option("--limit", in->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto retry = verb->add_subcommand("retry", "Put dead tasks into the queue again");
  retry->callback([&p, in = in.get()] { change_dead(p, *in, "retry"); });
  auto purge = verb->add_subcommand("purge", "Take dead tasks off the list");
  purge->callback([&p, in = in.get()] { change_dead(p, *in, "purge"); });
  for (auto change : {retry, purge}) {
    change->add_option("TASK", in->tasks, "Ids of dead tasks");
    change->add_flag("--all", in->all, "The oldest 1000 dead tasks");
  }
}

} // namespace troupe::cli
