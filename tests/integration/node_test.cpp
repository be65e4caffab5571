/// A node in this process, and what it does when it cannot go on.
#include "actors/store/database.hpp"
#include "nodes/config_check.hpp"
#include "nodes/node.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

section config_of(const std::string& folder, const std::string& roles = "{journal: , jobs: }") {
  auto out = section::from_text(
    "node: {name: n, data: " + folder + ", log: error}\nroles: " + roles, "test.yaml");
  REQUIRE(out);
  return *out;
}

void ignore(const std::string&, bool) {}

/// Runs `body` in a child process and returns its exit code.
template <class F>
int exit_code_of(F&& body) {
  auto pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    body();
    _exit(0);
  }
  auto status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

uint64_t log_bytes(const std::string& folder) {
  auto sum = uint64_t{0};
  for (const auto& x : std::filesystem::directory_iterator{folder})
    if (x.path().extension() == ".log")
      sum += x.file_size();
  return sum;
}

std::vector<std::string> faults_of(const std::string& text) {
  auto folder = tests::temp_folder{};
  auto path = folder.path() + "/node.yaml";
  std::ofstream{path} << text;
  auto out = std::vector<std::string>{};
  for (const auto& x : check_node_config(path, named_files::left))
    out.push_back(to_string(x).substr(folder.path().size() + 1));
  return out;
}

} // namespace

TEST_CASE("a second node on a data folder is told who uses it", "[integration][node]") {
  auto folder = tests::temp_folder{};
  auto root = config_of(folder.path());
  {
    auto first = node{};
    REQUIRE(!first.start(root, ignore));
    auto again = config_of(folder.path());
    auto second = node{};
    auto why = second.start(again, ignore);
    REQUIRE(why);
    CHECK(explain(why).code == ec::unavailable);
    CHECK(one_line(why).find("another node (process " + std::to_string(getpid())
                             + ") uses this data folder: " + folder.path())
          != std::string::npos);
  }
  auto later = config_of(folder.path());
  auto third = node{};
  CHECK(!third.start(later, ignore));
}

TEST_CASE("a database that another process has open says so", "[integration][node]") {
  auto folder = tests::temp_folder{};
  auto first = database::open(folder.path());
  REQUIRE(first);
  auto second = database::open(folder.path());
  REQUIRE(!second);
  CHECK(one_line(second.error()).find("another process uses the database in " + folder.path())
        != std::string::npos);
}

TEST_CASE("a node that is stopped leaves no log to replay", "[integration][node]") {
  auto folder = tests::temp_folder{};
  auto root = config_of(folder.path());
  {
    auto it = node{};
    REQUIRE(!it.start(root, ignore));
    auto journal = it.roles().find<journal_actor>("journal");
    auto what = append_events{};
    what.groups.emplace_back().events.push_back({"test.x", {}, std::string(1 << 20, 'x')});
    caf::scoped_actor {
      it.actors()
      } -> request(journal, 30s, what)
        .receive([](const append_results&) {}, [](const caf::error& why) { FAIL(one_line(why)); });
    journal = nullptr;
    CHECK(log_bytes(folder.path() + "/store") > 1 << 20);
    CHECK(it.stop() == 0);
  }
  CHECK(log_bytes(folder.path() + "/store") < 1 << 16);
}

TEST_CASE("the end of the supervisor is the end of the node", "[integration][node]") {
  auto folder = tests::temp_folder{};
  auto root = config_of(folder.path());
  auto code = exit_code_of([&] {
    auto it = node{};
    auto told = std::promise<bool>{};
    if (it.start(root, [&](const std::string&, bool at_start) { told.set_value(at_start); }))
      _exit(1);
    caf::scoped_actor {
      it.actors()
      } -> send_exit(it.boss(), caf::exit_reason::kill);
    auto when = told.get_future();
    if (when.wait_for(60s) != std::future_status::ready || when.get())
      _exit(2);
    it.stop();
  });
  CHECK(code == 70);
}

TEST_CASE("a runner's name and key must be words", "[integration][node]") {
  auto runner = [](const std::string& key) {
    return "roles:\n  tests:\n    runners:\n      " + key + "\n";
  };
  for (auto key : {"../evil: {driver: fake}", "a b: {driver: fake}", "fake: {name: a b}"}) {
    auto faults = faults_of(runner(key));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].find("has characters that are not allowed in a word") != std::string::npos);
  }
  CHECK(faults_of(runner("fake-2.x: {driver: fake, name: a_b}")).empty());
}

TEST_CASE("two runners of a node have two names", "[integration][node]") {
  auto runners = [](const std::string& second) {
    return "node: {name: n}\nroles:\n  tests:\n    runners:\n      fake:\n      other: {driver: "
           "fake"
           + second + "}\n";
  };
  auto faults = faults_of(runners(", name: n-fake"));
  REQUIRE(faults.size() == 1);
  CHECK(faults[0]
        == "node.yaml:6:35: roles.tests.runners.other.name: is the name of another runner of this "
           "node");
  CHECK(faults_of(runners("")).empty());
}

TEST_CASE("a runner's drain must fit into that of its node", "[integration][node]") {
  auto runner = [](const std::string& drain) {
    return "node: {drain_limit: 10s}\nroles:\n  tests:\n    runners:\n      fake:\n" + drain;
  };
  auto faults = faults_of(runner("        drain_deadline: 10s\n"));
  REQUIRE(faults.size() == 1);
  CHECK(faults[0]
        == "node.yaml:6:25: roles.tests.runners.fake.drain_deadline: must be less than "
           "node.drain_limit, which is 10.0s");
  CHECK(faults_of(runner("        drain_deadline: 9s\n")).empty());
  CHECK(faults_of(runner("        slots: 1\n")).empty()); // the default follows the node's
}

TEST_CASE("a node of a cluster dials or listens, not both", "[integration][node][cluster]") {
  auto faults =
    faults_of("cluster: {listen: \"127.0.0.1:1\", dial: [\"a@127.0.0.1:2\"], peers: {b: {}}, "
              "certificate: c, key: k, authority: a}\nroles: {http: {}}\n");
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].find("cluster.listen: a node that dials does not listen") != std::string::npos);
}
