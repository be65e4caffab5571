/// The client against a real node with the fake driver.
#include "tests/support/node_process.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

const auto* const roles = R"(
  journal: {}
  jobs: {first_backoff: 10ms, second_backoff: 10ms, longest_backoff: 10ms}
  artifacts: {}
  tests: {runners: {fake: {slots: 4, fake: {stages: [install_package, uninstall_package]}}}}
  http: {port: 0, submission: {default_runner: fake, retries: 0}}
)";

/// One node for all tests of this file but those that harm it.
node_process& shared_node() {
  static auto node = [] {
    auto out = std::make_unique<node_process>(roles);
    out->start();
    return out;
  }();
  return *node;
}

std::vector<std::string> command(const node_process& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {program("troupe"), "--data", node.data()});
  return arguments;
}

finished_process client(const node_process& node, const std::vector<std::string>& arguments,
                        const std::vector<std::string>& variables = {}) {
  return run_process(command(node, arguments), variables);
}

/// Returns the JSON values of the output, one a line.
std::vector<json> lines(const finished_process& what) {
  auto out = std::vector<json>{};
  auto in = std::istringstream{what.output};
  for (auto line = std::string{}; std::getline(in, line);)
    if (auto x = parse_json_text(line, {64, 1'000'000}))
      out.push_back(std::move(*x));
  return out;
}

std::string submit(const node_process& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "submit");
  arguments.insert(arguments.end(), {"--no-wait", "--json"});
  auto done = client(node, arguments);
  INFO(done.output);
  REQUIRE(done.exit_code == 0);
  REQUIRE(lines(done).size() == 1);
  return lines(done)[0].at("job_id").get<std::string>();
}

} // namespace

TEST_CASE("the exit code of submit is the verdict") {
  auto& node = shared_node();
  auto code = [&](const std::string& result) {
    return client(node, {"submit", "hello", "--env", "FAKE_RESULT=" + result}).exit_code;
  };
  CHECK(code("pass") == 0);
  CHECK(code("fail:install-failed") == 1);
  CHECK(code("error:exec-infra") == 4);
  CHECK(code("timeout:task-timeout") == 5);
}

TEST_CASE("submit shows the run, its stages and the verdict with links") {
  auto& node = shared_node();
  auto done = client(node, {"submit", "hello"});
  CHECK(done.exit_code == 0);
  for (auto text : {"hello on debian:12", "run 0 on test-node-fake", "  ok  install_package",
                    "  ok  uninstall_package", "PASS  hello", "troupe logs "})
    CHECK(done.output.find(text) != std::string::npos);
  CHECK(done.output.find(node.server() + "/jobs/") != std::string::npos);
  CHECK(done.output.find('\x1b') == std::string::npos);
}

TEST_CASE("with --json every change is a line and the last one is the finished job") {
  auto all = lines(client(shared_node(), {"submit", "hello", "--json"}));
  REQUIRE(all.size() >= 2);
  CHECK(all.front().at("repeated") == false);
  CHECK(all.back().at("state") == "finished");
  CHECK(all.back().at("result") == "pass");
  CHECK(all.back().at("runs")[0].at("stages").size() == 2);
}

TEST_CASE("the same idempotency key is the same job, another body with it is refused") {
  auto& node = shared_node();
  auto key = random_token();
  auto first = submit(node, {"hello", "--idempotency-key", key});
  CHECK(submit(node, {"hello", "--idempotency-key", key}) == first);
  CHECK(client(node, {"submit", "other", "--no-wait", "--idempotency-key", key}).exit_code == 2);
}

TEST_CASE("a refused submission names every wrong field and exits with 2") {
  auto done = client(shared_node(), {"submit", "--", "-rf"});
  CHECK(done.exit_code == 2);
  CHECK(done.output.find("package_name: ") != std::string::npos);
  done = client(shared_node(), {"submit", "hello", "--dist", "plan9:4"});
  CHECK(done.exit_code == 2);
  CHECK(done.output.find("dist_name: ") != std::string::npos);
}

TEST_CASE("a canceled job ends and watch exits with 6") {
  auto& node = shared_node();
  auto job = submit(node, {"hello", "--env", "FAKE_RUN_FOR=10m"});
  auto done = client(node, {"cancel", job});
  CHECK(done.exit_code == 0);
  CHECK(done.output.find("cancel requested") != std::string::npos);
  CHECK(client(node, {"watch", job}).exit_code == 6);
  done = client(node, {"cancel", job});
  CHECK(done.exit_code == 0);
  CHECK(done.output.find("is finished: canceled") != std::string::npos);
}

TEST_CASE("canceling goes on behind an unknown job and says so") {
  auto& node = shared_node();
  auto job = submit(node, {"hello", "--env", "FAKE_RUN_FOR=10m"});
  auto unknown = to_string(new_job_id());
  auto done = client(node, {"cancel", unknown, job, "--json"});
  CHECK(done.exit_code == 8);
  auto all = lines(done);
  REQUIRE(all.size() == 1);
  CHECK(all[0][0].at("error").at("code") == "not_found");
  CHECK(all[0][1].at("job_id") == job);
}

TEST_CASE("retry makes a new job of a finished one only") {
  auto& node = shared_node();
  auto job = submit(node, {"hello", "--env", "FAKE_RUN_FOR=10m"});
  CHECK(client(node, {"retry", job}).exit_code == 2);
  client(node, {"cancel", job});
  CHECK(client(node, {"watch", job}).exit_code == 6);
  auto again = lines(client(node, {"retry", job, "--no-wait", "--json"}));
  REQUIRE(again.size() == 1);
  auto id = again[0].at("job_id").get<std::string>();
  CHECK(id != job);
  CHECK(lines(client(node, {"show", id, "--json"}))[0].at("retry_of") == job);
  client(node, {"cancel", id});
}

TEST_CASE("logs are the same read at once and followed, and one stage can be chosen") {
  auto& node = shared_node();
  auto job = submit(node, {"hello", "--env", "FAKE_OUTPUT_BYTES=520"});
  REQUIRE(client(node, {"watch", job}).exit_code == 0);
  auto once = client(node, {"logs", job});
  CHECK(once.exit_code == 0);
  CHECK(once.output.find("==> install_package <==\nThe quick brown fox") == 0);
  CHECK(once.output.find("==> uninstall_package <==") != std::string::npos);
  CHECK(client(node, {"logs", job, "--follow"}).output == once.output);
  auto stage = client(node, {"logs", job, "--stage", "install_package"});
  CHECK(stage.output.find("==>") == std::string::npos);
  CHECK(stage.output.find("The quick brown fox") == 0);
  CHECK(client(node, {"logs", job, "--run", "7"}).exit_code == 8);
  CHECK(client(node, {"logs", job, "--stage", "nothing"}).exit_code == 8);
  CHECK(client(node, {"logs", job, "--stage", "nothing", "--follow"}).exit_code == 8);
}

TEST_CASE("artifacts are listed and fetched") {
  auto& node = shared_node();
  auto folder = temp_folder{};
  auto job = submit(node, {"hello", "--env", "FAKE_OUTPUT_BYTES=520"});
  REQUIRE(client(node, {"watch", job}).exit_code == 0);
  auto list = lines(client(node, {"artifacts", job, "--json"}));
  REQUIRE(list.size() == 1);
  REQUIRE(list[0].size() == 2);
  CHECK(list[0][0].at("name") == "install_package.log");
  auto file = folder.path() + "/out.log";
  CHECK(client(node, {"artifacts", job, "--get", "install_package.log", "-o", file}).exit_code
        == 0);
  CHECK(slurp(file).size() == 520);
  CHECK(client(node, {"artifacts", job, "--get", "install_package.log", "-o", "-"}).output
        == slurp(file));
  CHECK(client(node, {"artifacts", job, "--get", "nothing.log"}).exit_code == 8);
  CHECK(client(node, {"artifacts", job, "--get", "../../etc/passwd"}).exit_code == 2);
}

TEST_CASE("ls filters, limits and reads page after page") {
  auto& node = shared_node();
  auto name = "list-" + random_token().substr(0, 8);
  auto ids = std::vector<std::string>{};
  for (auto i = 0; i < 3; ++i)
    ids.push_back(submit(node, {name}));
  auto one = submit(node, {name, "--dist", "debian:11"});
  CHECK(client(node, {"watch", one}).exit_code == 0);
  CHECK(lines(client(node, {"ls", "--package", name, "--json"}))[0].size() == 4);
  auto quiet = client(node, {"ls", "--package", name, "--dist", "debian:11", "--quiet"});
  CHECK(quiet.output == one + "\n");
  CHECK(client(node, {"ls", "--package", name, "--limit", "2"}).output.find("--all")
        != std::string::npos);
  auto table = client(node, {"ls", "--package", name, "--all"});
  CHECK(table.output.find("JOB") == 0);
  for (const auto& id : ids)
    CHECK(table.output.find(id) != std::string::npos);
  CHECK(client(node, {"ls", "--package", name, "--result", "fail", "-q"}).output.empty());
}

TEST_CASE("runners and queues are shown") {
  auto& node = shared_node();
  CHECK(client(node, {"runners"}).output.find("test-node-fake  ready") != std::string::npos);
  auto queues = lines(client(node, {"queues", "--json"}));
  REQUIRE(queues.size() == 1);
  CHECK(queues[0][0].at("slots") == 4);
}

TEST_CASE("a node without a certificate shows no end of one") {
  auto table = client(shared_node(), {"nodes"}).output;
  auto row = table.find('\n') + 1;
  auto column = table.find("CERTIFICATE");
  REQUIRE(column < row);
  CHECK(table.substr(row + column, 11) == std::string(11, ' '));
  CHECK(table.find("journal") > row);
}

TEST_CASE("an unknown job is 8, a malformed id is 2, no server is 3") {
  auto& node = shared_node();
  for (auto verb : {"show", "watch", "logs", "retry", "artifacts"})
    CHECK(client(node, {verb, to_string(new_job_id())}).exit_code == 8);
  CHECK(client(node, {"show", "42"}).exit_code == 2);
  CHECK(client(node, {"ls", "--server", "http://127.0.0.1:1"}).exit_code == 3);
  CHECK(client(node, {"submit", "hello", "--server", "http://127.0.0.1:1"}).exit_code == 3);
  CHECK(client(node, {"ls", "--server", "ftp://x"}).exit_code == 2);
}

TEST_CASE("what a token allows is all that it allows") {
  auto& node = shared_node();
  auto folder = temp_folder{};
  auto token = client(node, {"token", "--sub", "reader", "--role", "read", "--ttl", "5m"});
  REQUIRE(token.exit_code == 0);
  std::ofstream{folder.path() + "/token"} << token.output;
  CHECK(client(node, {"ls", "--token-file", folder.path() + "/token"}).exit_code == 0);
  CHECK(client(node, {"submit", "hello", "--token-file", folder.path() + "/token"}).exit_code == 7);
  CHECK(client(node, {"ls"}, {"TROUPE_TOKEN=a.b.c"}).exit_code == 7);
  auto without =
    run_process({program("troupe"), "ls", "--server", node.server(), "--data", folder.path()});
  CHECK(without.exit_code == 7);
  CHECK(without.output.find("--token-file or TROUPE_TOKEN") != std::string::npos);
}

TEST_CASE("Ctrl-C ends the client with 130 and leaves the job alone") {
  auto& node = shared_node();
  auto folder = temp_folder{};
  auto job = submit(node, {"hello", "--env", "FAKE_RUN_FOR=10m"});
  auto child = child_process{command(node, {"watch", job}), {}, folder.path() + "/out"};
  REQUIRE(
    await(20s, [&] { return slurp(folder.path() + "/out").find("run 0") != std::string::npos; }));
  child.signal(SIGINT);
  CHECK(child.wait(20s) == 130);
  CHECK(slurp(folder.path() + "/out").find("troupe watch " + job) != std::string::npos);
  CHECK(node.job(job).at("state") == "running");
  client(node, {"cancel", job});
}

TEST_CASE("a killed node does not end what follows it, and the log goes on where it was") {
  auto node = node_process{roles};
  node.start();
  auto folder = temp_folder{};
  auto output = folder.path() + "/out";
  auto run = std::vector<std::string>{
    "submit", "hello", "--log", "--env", "FAKE_OUTPUT=said once\n", "--env", "FAKE_RUN_FOR=8s"};
  auto child = child_process{command(node, run), {}, output};
  REQUIRE(await(20s, [&] { return slurp(output).find("said once") != std::string::npos; }));
  node.crash();
  node.start();
  CHECK(child.wait(120s) == 0);
  INFO(slurp(output));
  CHECK(slurp(output).find("PASS  hello") != std::string::npos);
  // The killed run and the one that took its place, two stages each; nothing was shown twice.
  auto all = slurp(output);
  auto times = 0;
  for (auto at = all.find("said once"); at != std::string::npos; at = all.find("said once", at + 1))
    ++times;
  CHECK(times >= 3);
  CHECK(times <= 4);
}

TEST_CASE("watch finds a killed node again, also on another port, and ends with the verdict") {
  auto node = node_process{roles};
  node.start();
  auto folder = temp_folder{};
  auto output = folder.path() + "/out";
  auto job = submit(node, {"hello", "--env", "FAKE_RUN_FOR=5s"});
  auto child = child_process{command(node, {"watch", job, "--json"}), {}, output};
  REQUIRE(await(20s, [&] { return slurp(output).find("\"running\"") != std::string::npos; }));
  node.crash();
  node.start();
  CHECK(child.wait(120s) == 0);
  auto all = lines({0, slurp(output)});
  INFO(slurp(output));
  REQUIRE(all.size() >= 2);
  CHECK(all.back().at("state") == "finished");
  CHECK(all.back().at("result") == "pass");
  // Nothing is told twice, and time does not run backwards.
  for (auto i = size_t{1}; i < all.size(); ++i)
    CHECK(all[i].at("version") > all[i - 1].at("version"));
}

TEST_CASE("a command of a killed node is gone at once, what it started with the next start") {
  auto folder = temp_folder{};
  auto script = folder.path() + "/runner";
  std::ofstream{script} << "#!/bin/sh\n"
                        << "[ -e $1/leader ] && echo '{\"type\":\"result\",\"result\":\"pass\"}' "
                        << "&& exit 0\n"
                        << "setsid sh -c 'echo $$ > $0/hidden; exec sleep 300' $1 &\n"
                        << "until [ -s $1/hidden ]; do sleep 0.1; done\n"
                        << "echo $$ > $1/leader\nwait\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  auto node = node_process{R"(
  journal: {}
  jobs: {first_backoff: 10ms, second_backoff: 10ms, longest_backoff: 10ms}
  artifacts: {}
  tests: {runners: {exec: {queues: [exec-x86_64-0], exec: {argv: [)"
                           + script + ", " + folder.path() + R"(]}}}}
  http: {port: 0, submission: {default_runner: exec, runners: [exec]}}
)"};
  node.start();
  auto has_ended = [&](const std::string& name) {
    auto pid = slurp(folder.path() + '/' + name);
    auto stat = slurp("/proc/" + pid.substr(0, pid.find('\n')) + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
  };
  auto job = submit(node, {"hello", "--runner", "exec", "--arch", "x86_64"});
  REQUIRE(await(30s, [&] { return !slurp(folder.path() + "/leader").empty(); }));
  CHECK_FALSE(has_ended("leader"));
  node.crash();
  CHECK(await(20s, [&] { return has_ended("leader"); }));
  CHECK_FALSE(has_ended("hidden"));
  node.start();
  // The sweep comes before the first claim, so the second run finds nothing of the first.
  CHECK(client(node, {"watch", job}).exit_code == 0);
  CHECK(has_ended("hidden"));
}
