#include "nodes/cli/machines.hpp"

#include "config/units.hpp"
#include "messages/time.hpp"
#include "nodes/cli/machine_tables.hpp"
#include "nodes/cli/redis_hashes.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

constexpr auto most_of_a_page = size_t{1000};

struct machine_filter {
  std::string datacenter;
  std::string type;
  std::string provisioner;
  std::string state;
  std::string quarantined;
  std::string stale_for;
  std::string seen_before;
  std::string seen_after;
  std::string sort;
  size_t limit = 100;
  bool all = false;
  bool quiet = false;
};

/// "2h" on the command line, seconds on the wire.
caf::expected<std::string> seconds_of(const std::string& text) {
  if (text.empty())
    return std::string{};
  auto span = parse_duration(text);
  if (!span)
    return fault_at(ec::invalid_argument, "--stale-for",
                    "must be a duration with a unit, as \"2h\"");
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*span).count());
}

std::string quiet_id(const json& machine) {
  return machine.value("datacenter", "") + ':' + machine.value("machine", "");
}

void list_machines_of(program& p, const machine_filter& in) {
  auto stale = seconds_of(in.stale_for);
  if (!stale)
    return p.fail(stale.error());
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto found = json::array();
  auto token = std::string{};
  auto wanted = in.all ? SIZE_MAX : in.limit;
  do {
    auto left = std::min(wanted - found.size(), most_of_a_page);
    auto page = server->get(target("/machines", {{"datacenter", in.datacenter},
                                                 {"workerType", in.type},
                                                 {"provisionerId", in.provisioner},
                                                 {"state", in.state},
                                                 {"quarantined", in.quarantined},
                                                 {"stale_for", *stale},
                                                 {"seen_before", in.seen_before},
                                                 {"seen_after", in.seen_after},
                                                 {"sort", in.sort},
                                                 {"limit", std::to_string(left)},
                                                 {"continuationToken", token}}));
    if (!page)
      return p.fail(page.error());
    for (auto& x : (*page)["machines"])
      found.push_back(std::move(x));
    token = page->value("continuationToken", "");
  } while (!token.empty() && found.size() < wanted);
  if (p.options.json)
    return write_line(p.io, json_text(found));
  if (in.quiet)
    for (const auto& x : found)
      p.io.out << quiet_id(x) << '\n';
  else
    p.io.out << machines_table(p.io, found, now());
  if (!token.empty() && !in.quiet)
    p.io.err << "There are more; --all shows them.\n";
}

void add_ls_of(program& p, CLI::App& verb) {
  auto in = std::make_shared<machine_filter>();
  auto ls = verb.add_subcommand("ls", "List machines, those first that were not seen for longest");
  ls->add_option("--datacenter", in->datacenter, "Only of this datacenter");
  ls->add_option("--type", in->type, "Only of this worker type");
  ls->add_option("--provisioner", in->provisioner, "Only of this provisioner");
  ls->add_option("--state", in->state,
                 "Only in this state: busy, idle, lost, shutdown, quarantined, unknown, stale, "
                 "overdue, suspect, missing");
  ls->add_option("--quarantined", in->quarantined, "Only those that are, or are not: true, false")
    ->check(CLI::IsMember({"true", "false"}));
  ls->add_option("--stale-for", in->stale_for, "Only those that were not seen for so long: \"2h\"");
  ls->add_option("--seen-before", in->seen_before, "Only those last seen before this time");
  ls->add_option("--seen-after", in->seen_after, "Only those last seen after this time");
  ls->add_option("--sort", in->sort, "id, lastseen, -lastseen (default: lastseen)");
  auto limit = ls->add_option("--limit", in->limit, "At most so many")
                 ->check(CLI::Range(1, 1'000'000))
                 ->capture_default_str();
  ls->add_flag("--all", in->all, "All of them, however many")->excludes(limit);
  ls->add_flag("-q,--quiet", in->quiet, "Only ids");
  ls->callback([&p, in] { list_machines_of(p, *in); });
}

void show_machine(program& p, const std::string& id) {
  ask_machines(
    p, [&](session& server) { return server.get(machine_path(id)); },
    [&](const json& got) { p.io.out << machine_text(p.io, got, now()); });
}

void show_tasks(program& p, const std::string& id, uint32_t limit) {
  ask_machines(
    p,
    [&](session& server) {
      return server.get(target(machine_path(id) + "/tasks", {{"limit", std::to_string(limit)}}));
    },
    [&](const json& got) {
      p.io.out << machine_tasks_table(p.io, got.at("tasks"));
      if (!got.value("continuationToken", "").empty())
        p.io.err << "There are more; --limit shows them.\n";
    });
}

void export_machines(program& p, bool status, const std::string& redis) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  // As the server wrote it: the list of a large site is not worth a document.
  auto got =
    server->get_bytes(target("/machines", {{"fields", status || !redis.empty() ? "status" : ""}}));
  if (!got)
    return p.fail(got.error());
  if (redis.empty()) {
    p.io.out << *got << '\n';
    return;
  }
  auto list = parse_json_text(*got, {8, 20'000'000});
  if (auto why = list ? write_redis(redis, *list) : list.error())
    return p.fail(why);
  if (p.options.json)
    return write_line(p.io, json_text({{"machines", list->size()}}));
  p.io.out << list->size() << " machines\n";
}

void summarize(program& p, const std::string& stale_for) {
  auto stale = seconds_of(stale_for);
  if (!stale)
    return p.fail(stale.error());
  ask_machines(
    p,
    [&](session& server) {
      return server.get(target("/machines/summary", {{"stale_for", *stale}}));
    },
    [&](const json& got) { p.io.out << summary_table(p.io, got); });
}

struct view_options {
  std::string id;
  std::string stale_for;
  uint32_t limit = 50;
  bool status = false;
  std::string redis;
};

void add_views(program& p, CLI::App& verb) {
  auto in = std::make_shared<view_options>();
  auto show = verb.add_subcommand("show", "Show one machine with its latest tasks");
  show->callback([&p, in] { show_machine(p, in->id); });
  auto tasks = verb.add_subcommand("tasks", "List what a machine did, the latest first");
  tasks->add_option("--limit", in->limit, "At most so many")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  tasks->callback([&p, in] { show_tasks(p, in->id, in->limit); });
  for (auto view : {show, tasks})
    view->add_option("MACHINE", in->id, "DATACENTER:HOST")->required();
  auto summary = verb.add_subcommand("summary", "Count machines by datacenter and worker type");
  summary->add_option("--stale-for", in->stale_for, "What counts as stale (default: the node's)");
  summary->callback([&p, in] { summarize(p, in->stale_for); });
  auto all = verb.add_subcommand("export", "Write all machines as GET /machines lists them");
  all->add_flag("--status", in->status, "Also the last status and task");
  all->add_option("--redis", in->redis,
                  "Into the original's store: redis://[:PASSWORD@]HOST[:PORT][/DATABASE], or "
                  "\"env\" for that in REDIS_URL");
  all->callback([&p, in] { export_machines(p, in->status, in->redis); });
}

} // namespace

std::string machine_path(const std::string& id) {
  return "/machines/" + escaped_path(id);
}

void ask_machines(program& p, const std::function<caf::expected<json>(session&)>& ask,
                  const std::function<void(const json&)>& show) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto got = ask(*server);
  if (!got)
    return p.fail(got.error());
  if (p.options.json)
    return write_line(p.io, json_text(*got));
  show(*got);
}

void add_machines(program& p) {
  auto verb =
    p.verb("machines", "Show which machines are alive, lost, late, flaky or missing",
           "  troupe machines ls --state lost\n"
           "  troupe machines ls --stale-for 6h --type gecko-t-osx-1010 --json\n"
           "  troupe machines show mdc1:t-linux64-ms-100\n"
           "  troupe machines quarantine mdc1:t-linux64-ms-100 --for 7d --why \"bad disk\"\n"
           "  troupe machines expected set < inventory.json\n"
           "  troupe machines summary\n");
  verb->require_subcommand(1);
  add_ls_of(p, *verb);
  add_views(p, *verb);
  add_machine_changes(p, *verb);
}

} // namespace troupe::cli
