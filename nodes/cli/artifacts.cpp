#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <fstream>
#include <ostream>
#include <system_error>

namespace troupe::cli {

namespace {

struct artifacts_options {
  job_id job;
  std::optional<uint32_t> run;
  std::string name;
  std::string output;
};

std::string path_of(const artifacts_options& in) {
  auto path = "/jobs/" + to_string(in.job) + "/artifacts";
  if (!in.name.empty())
    path += '/' + escaped_path(in.name);
  return target(path, {{"run", in.run ? std::to_string(*in.run) : ""}});
}

void list(program& p, const artifacts_options& in, session& server) {
  auto raw = json{};
  auto all = server.get<artifact_list>(path_of(in), &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw["artifacts"]));
  p.io.out << artifacts_table(p.io, *all);
}

void get(program& p, const artifacts_options& in, session& server) {
  if (!obeys("path", in.name))
    return p.fail(fault_at(ec::invalid_argument, "--get", "is not the name of an artifact"));
  auto bytes = server.get_bytes(path_of(in));
  if (!bytes)
    return p.fail(bytes.error());
  auto to = in.output.empty() ? in.name.substr(in.name.rfind('/') + 1) : in.output;
  if (to == "-") {
    p.io.out << *bytes << std::flush;
    return;
  }
  auto file = std::ofstream{to, std::ios::binary | std::ios::trunc};
  file << *bytes << std::flush;
  if (!file)
    return p.fail(fault_at(ec::invalid_argument, to, std::generic_category().message(errno)));
  if (p.options.json)
    write_line(p.io, json_text({{"name", in.name}, {"file", to}, {"bytes", bytes->size()}}));
  else
    p.io.out << to << ": " << bytes->size() << " bytes\n";
}

void artifacts(program& p, const artifacts_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  if (in.name.empty())
    list(p, in, *server);
  else
    get(p, in, *server);
}

} // namespace

void add_artifacts(program& p) {
  auto in = std::make_shared<artifacts_options>();
  auto verb = p.verb("artifacts", "List the logs and files of a job's last run, or fetch one",
                     "  troupe artifacts JOB\n"
                     "  troupe artifacts JOB --get install_package.log -o install.log\n"
                     "  troupe artifacts JOB --get install_package.log -o - | less\n");
  add_job(*verb, in->job);
  verb->add_option("--run", in->run, "Of this run (default: the last one)");
  verb->add_option("--get", in->name, "Fetch this one");
  verb->add_option("-o,--output", in->output, "Write it there; \"-\" = standard output");
  verb->callback([&p, in] { artifacts(p, *in); });
}

} // namespace troupe::cli
