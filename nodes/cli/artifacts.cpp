#include "bridges/http/sha256.hpp"
#include "config/printable.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/saved_file.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct artifacts_options {
  job_id job;
  std::optional<uint32_t> run;
  std::string name;
  std::string output;
};

std::string of_run(const artifacts_options& in, const std::string& rest) {
  return target("/jobs/" + to_string(in.job) + "/artifacts" + rest,
                {{"run", in.run ? std::to_string(*in.run) : ""}});
}

std::string list_path(const artifacts_options& in) {
  return of_run(in, "");
}

std::string file_path(const artifacts_options& in) {
  return of_run(in, '/' + escaped_path(in.name));
}

void list(program& p, const artifacts_options& in, session& server) {
  auto raw = json{};
  auto all = server.get<artifact_list>(list_path(in), &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw["artifacts"]));
  p.io.out << artifacts_table(p.io, *all);
}

/// Returns what the server says of one artifact. It fixes the run, or the bytes could be those of
/// a later one.
caf::expected<artifact_ref> describe(artifacts_options& in, session& server) {
  if (!in.run) {
    auto job = server.get<job_view>("/jobs/" + to_string(in.job));
    if (!job)
      return std::move(job.error());
    in.run = job->runs.empty() ? 0 : job->runs.back().run_id;
  }
  auto all = server.get<artifact_list>(list_path(in));
  if (!all)
    return std::move(all.error());
  for (auto& one : all->artifacts)
    if (one.name == in.name)
      return std::move(one);
  return fault(ec::not_found, "there is no such artifact");
}

caf::error check(const std::string& bytes, const artifact_ref& wanted) {
  if (bytes.size() == wanted.length && sha256_text(bytes) == wanted.sha256)
    return caf::none;
  return fault_at(ec::corrupt, wanted.name,
                  "the bytes do not have the hash that the server told; got "
                    + std::to_string(bytes.size()) + " of " + std::to_string(wanted.length)
                    + ", nothing was written");
}

void get(program& p, artifacts_options in, session& server) {
  if (!obeys("path", in.name))
    return p.fail(fault_at(ec::invalid_argument, "--get", "is not the name of an artifact"));
  auto wanted = describe(in, server);
  if (!wanted)
    return p.fail(wanted.error());
  auto bytes = server.get_bytes(file_path(in));
  if (!bytes)
    return p.fail(bytes.error());
  auto is_final = !wanted->sha256.empty();
  if (auto why = is_final ? check(*bytes, *wanted) : caf::error{})
    return p.fail(why);
  if (!is_final)
    p.io.err << "troupe: the run still writes it: there is no hash to check yet\n";
  auto to = in.output.empty() ? in.name.substr(in.name.rfind('/') + 1) : in.output;
  if (to == "-") {
    p.io.out << *bytes << std::flush;
    return;
  }
  if (auto why = save_file(to, *bytes))
    return p.fail(why);
  if (p.options.json)
    write_line(
      p.io,
      json_text(
        {{"name", in.name}, {"file", to}, {"bytes", bytes->size()}, {"sha256", wanted->sha256}}));
  else
    p.io.out << printable(to) << ": " << bytes->size() << " bytes\n";
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
  auto name = verb->add_option("--get", in->name, "Fetch this one");
  verb->add_option("-o,--output", in->output, "Write it there; \"-\" = standard output")
    ->needs(name);
  verb->callback([&p, in] { artifacts(p, *in); });
}

} // namespace troupe::cli
