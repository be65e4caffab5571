/// `troupe` against a real node: exit codes, and a watch that outlives the node.
#include "tests/support/node_process.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// A port that is free now: a node that comes back must have the same one.
uint16_t free_port() {
  auto fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = sockaddr_in{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto size = socklen_t{sizeof at};
  bind(fd, reinterpret_cast<sockaddr*>(&at), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  close(fd);
  return ntohs(at.sin_port);
}

std::string roles() {
  return R"(
  journal: {}
  jobs: {first_backoff: 100ms}
  artifacts: {}
  tests:
    runners:
      fake: {driver: fake, slots: 2}
  http: {port: )"
         + std::to_string(free_port()) + "}\n";
}

std::vector<std::string> troupe_command(const node_process& node, std::vector<std::string> words) {
  auto out =
    std::vector<std::string>{program("troupe"), "--server", node.server(), "--data", node.data()};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

finished_process troupe_run(const node_process& node, std::vector<std::string> words) {
  return run_process(troupe_command(node, std::move(words)));
}

std::vector<std::string> submit_words(const std::vector<std::string>& variables) {
  auto out = std::vector<std::string>{"submit", "hello",  "--dist",   "debian:12",
                                      "--arch", "x86_64", "--runner", "fake"};
  for (const auto& variable : variables) {
    out.emplace_back("--env");
    out.push_back(variable);
  }
  return out;
}

} // namespace

TEST_CASE("the client's exit code is the verdict, with no set-up on the same machine",
          "[e2e][cli]") {
  auto node = node_process{roles()};
  node.start();
  auto passed = troupe_run(node, submit_words({}));
  INFO(passed.output);
  CHECK(passed.exit_code == 0);
  CHECK(troupe_run(node, submit_words({"FAKE_RESULT=fail"})).exit_code == 1);
  CHECK(troupe_run(node, submit_words({"FAKE_RESULT=timeout:stage-timeout"})).exit_code == 5);
  auto bad = troupe_run(node, {"submit", "a;b", "--dist", "debian:12"});
  INFO(bad.output);
  CHECK(bad.exit_code == 2);
  CHECK(troupe_run(node, {"show", "01a1fcc8-88a5-71af-803b-195daa21f2f9"}).exit_code == 8);
  auto list = troupe_run(node, {"--json", "ls"});
  INFO(list.output);
  CHECK(list.exit_code == 0);
  CHECK(parse_json_text(list.output));
}

TEST_CASE("a watch outlives a killed node and ends with the verdict", "[e2e][cli][kill]") {
  auto node = node_process{roles()};
  node.start();
  auto folder = temp_folder{};
  auto output = folder.path() + "/output";
  auto client = child_process{troupe_command(node, submit_words({"FAKE_RUN_FOR=4s"})), {}, output};
  REQUIRE(await(30s, [&] {
    auto page = node.get("/jobs?state=running").document();
    return !page.at("jobs").empty();
  }));
  node.crash();
  CHECK_FALSE(client.wait(1s));
  node.start();
  auto code = client.wait(120s);
  auto text = std::ostringstream{};
  text << std::ifstream{output}.rdbuf();
  INFO(text.str());
  REQUIRE(code);
  CHECK(*code == 0);
}

TEST_CASE("SIGTERM drains: what runs is finished or handed back, and the node ends well",
          "[e2e][jobs]") {
  auto node = node_process{roles()};
  node.start();
  auto body =
    json{{"runner_type", "fake"},   {"dist_name", "debian"},
         {"dist_version", "12"},    {"dist_arch", "x86_64"},
         {"package_name", "hello"}, {"variables", {{{"name", "FAKE_RUN_FOR"}, {"value", "1s"}}}}};
  auto id = node.submit(body);
  REQUIRE(await(30s, [&] { return node.job(id).at("state") == "running"; }));
  CHECK(node.stop() == 0);
  node.start();
  auto job = node.await_job(id);
  INFO(job.dump(1));
  CHECK(job.at("result") == "pass");
}
