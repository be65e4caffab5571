#include "nodes/cli/follow.hpp"
#include "nodes/cli/patience.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/submission.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct submit_options {
  submission what;
  std::string key;
  bool no_wait = false;
  follow_options how;
};

/// Submits until the answer is known. A repeated request with the same key is
/// the same job, so an answer that was lost on the way does no harm.
caf::expected<json> submit_once(program& p, session& server, const json& body, std::string key) {
  // A wrong address should fail at once and not after the whole patience.
  if (auto alive = server.get("/healthz/live"); !alive)
    return std::move(alive.error());
  auto headers = http_headers{{"Idempotency-Key", key.empty() ? random_token() : std::move(key)}};
  auto calm = patience{p.options.timeout};
  while (true) {
    auto answer = server.post("/jobs", body, headers);
    if (answer || !calm.wait_after(answer.error()))
      return answer;
  }
}

void submit(program& p, const submit_options& in) {
  auto body = submission_body(in.what);
  if (!body)
    return p.fail(body.error());
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = submit_once(p, *server, *body, in.key);
  auto accepted = raw ? session::as<job_accepted>(*raw) : caf::expected<job_accepted>{raw.error()};
  if (!accepted)
    return p.fail(accepted.error());
  if (p.options.json)
    write_line(p.io, json_text(*raw));
  else
    p.io.out << "job " << to_string(accepted->job)
             << (accepted->repeated ? " was already accepted" : "") << ": " << in.what.package
             << " on " << in.what.dist << std::endl;
  if (!in.no_wait)
    p.exit_code = follow_job(p.io, p.options, *server, accepted->job, in.how);
}

} // namespace

void add_submit(program& p) {
  auto in = std::make_shared<submit_options>();
  auto& what = in->what;
  auto verb =
    p.verb("submit", "Test a package and follow it; the exit code is the verdict",
           "  troupe submit hello --dist debian:12\n"
           "  troupe submit bash --dist almalinux:9 --version 5.1.8-9.el9 --log\n"
           "  troupe submit mytool --repo mine=https://repo.example/deb --gpg-key mine=key.asc\n"
           "  troupe submit mytool --test smoke.sh --env MODE=fast --secret-env API_KEY\n"
           "  troupe submit hello --no-wait --json --idempotency-key build-4711\n");
  verb->add_option("PACKAGE", what.package, "Name of the package")->required();
  verb->add_option("--dist", what.dist, "Distribution, as \"debian:12\"")->capture_default_str();
  verb->add_option("--arch", what.arch, "Architecture (default: this machine's)");
  verb->add_option("--version", what.version, "Version (default: the newest)");
  verb->add_option("--repo", what.repositories, "Package source to add: [NAME=]URL")
    ->allow_extra_args(false);
  verb->add_option("--gpg-key", what.gpg_keys, "Key of the sources: [NAME=]FILE, or an https URL")
    ->allow_extra_args(false);
  verb->add_option("--test", what.tests, "File with a further test, run as root in the container")
    ->allow_extra_args(false);
  verb->add_option("--env", what.variables, "Variable of the tests: NAME=value")
    ->allow_extra_args(false);
  verb
    ->add_option("--secret-env", what.secrets,
                 "Variable of the tests with the value it has here; masked in every log")
    ->allow_extra_args(false);
  verb->add_option("--runner", what.runner, "Type of runner")->capture_default_str();
  verb->add_option("--priority", what.priority, "1..10, higher first (default 5)")
    ->check(CLI::Range(1, 10));
  verb->add_option("--idempotency-key", in->key, "The same key is the same job (default: random)");
  auto no_wait = verb->add_flag("--no-wait", in->no_wait, "Only submit");
  auto log = verb->add_flag("--log", in->how.log, "Also show the log as it grows");
  log->excludes(no_wait);
  verb->add_flag("--raw", in->how.raw, "Do not escape control characters of the log")->needs(log);
  verb->callback([&p, in] { submit(p, *in); });
}

} // namespace troupe::cli
