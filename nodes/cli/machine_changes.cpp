#include "config/units.hpp"
#include "messages/time.hpp"
#include "nodes/cli/machine_file.hpp"
#include "nodes/cli/machine_tables.hpp"
#include "nodes/cli/machines.hpp"
#include "nodes/cli/table.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct change_options {
  std::vector<std::string> ids;
  std::string span = "7d";
  std::string until;
  std::string why;
  std::string file;
};

/// The end of a quarantine as the server reads it.
caf::expected<std::string> end_of(const change_options& in) {
  if (!in.until.empty())
    return in.until;
  auto span = parse_duration(in.span);
  if (!span)
    return fault_at(ec::invalid_argument, "--for", "must be a duration with a unit, as \"7d\"");
  return to_iso8601(now() + *span);
}

/// Calls for each machine, and stops at the first that fails.
void for_each_machine(
  program& p, const std::vector<std::string>& ids, const std::string& done,
  const std::function<caf::expected<json>(session&, const std::string&)>& call) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  for (const auto& id : ids) {
    auto got = call(*server, id);
    if (!got)
      return p.fail(fault_at(explain(got.error()).code, id, one_line(got.error())));
    if (p.options.json)
      write_line(p.io, json_text(*got));
    else
      p.io.out << id << ' ' << done << '\n';
  }
}

void quarantine(program& p, const change_options& in) {
  auto until = end_of(in);
  if (!until)
    return p.fail(until.error());
  auto body = json{{"quarantineUntil", *until}};
  if (!in.why.empty())
    body["quarantineInfo"] = in.why;
  for_each_machine(p, in.ids, "is quarantined until " + *until,
                   [&](session& server, const std::string& id) {
                     return server.put(machine_path(id) + "/quarantine", body);
                   });
}

void lift(program& p, const change_options& in) {
  for_each_machine(p, in.ids, "is in quarantine no longer",
                   [](session& server, const std::string& id) {
                     return server.remove(machine_path(id) + "/quarantine");
                   });
}

void forget(program& p, const change_options& in) {
  for_each_machine(p, in.ids, "is forgotten", [](session& server, const std::string& id) {
    return server.remove(machine_path(id));
  });
}

void expect(program& p, const change_options& in, bool replace) {
  auto list = read_machine_list(in.file);
  if (!list)
    return p.fail(list.error());
  ask_machines(
    p,
    [&](session& server) {
      return server.post("/machines/expected", {{"machines", *list}, {"replace", replace}});
    },
    [&](const json& got) {
      p.io.out << got.value("total", 0) << " machines are expected: " << got.value("added", 0)
               << " more, " << got.value("removed", 0) << " no longer\n";
    });
}

void add_expected(program& p, CLI::App& verb, const std::shared_ptr<change_options>& in) {
  auto expected = verb.add_subcommand("expected", "Tell which machines should exist");
  expected->require_subcommand(1);
  auto set = expected->add_subcommand("set", "Expect these machines and no others");
  set->callback([&p, in] { expect(p, *in, true); });
  auto add = expected->add_subcommand("add", "Expect these machines, too");
  add->callback([&p, in] { expect(p, *in, false); });
  for (auto change : {set, add})
    change->add_option(
      "FILE", in->file,
      "A JSON list of \"DATACENTER:HOST\", or of machines as GET /machines answers "
      "them (default: standard input)");
}

} // namespace

void add_machine_changes(program& p, CLI::App& verb) {
  auto in = std::make_shared<change_options>();
  auto hold = verb.add_subcommand("quarantine", "Mark machines: no alarms for them for a while");
  auto span = hold->add_option("--for", in->span, "How long")->capture_default_str();
  hold->add_option("--until", in->until, "Until when, as \"2027-01-31T08:00:00Z\"")->excludes(span);
  hold->add_option("--why", in->why, "A reason for those who come after");
  hold->callback([&p, in] { quarantine(p, *in); });
  auto release = verb.add_subcommand("lift", "End the quarantine of machines");
  release->callback([&p, in] { lift(p, *in); });
  auto rm = verb.add_subcommand("rm", "Forget machines with all that they did");
  rm->callback([&p, in] { forget(p, *in); });
  for (auto change : {hold, release, rm})
    change->add_option("MACHINE", in->ids, "DATACENTER:HOST, one or more")->required();
  add_expected(p, verb, in);
}

} // namespace troupe::cli
