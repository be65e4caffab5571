/// 50 MB of output and a secret in a real container. Source: spec/testing.md 6.2, number 12.
#include "tests/support/node_process.hpp"
#include "tests/support/private_engine.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// Shows the secret in the environment, on a command line, on both streams and in 50 MB of lines.
constexpr auto loud_script = R"(#!/bin/sh
env
tr '\0' ' ' < /proc/self/environ; echo
sh -c 'tr "\0" " " < /proc/$$/cmdline; echo' loud "$TOKEN"
echo "told $TOKEN" >&2
awk 'BEGIN {
  filler = sprintf("%0200d", 0)
  for (i = 0; i < 215000; ++i)
    printf "line %07d token=%s %s\n", i, ENVIRON["TOKEN"], filler
}'
echo "the very end"
)";

} // namespace

TEST_CASE("50 MB of a stage in a container keep head and tail, and no secret",
          "[e2e][testing][logs]") {
  auto node = node_process{R"(
  journal: {}
  jobs: {}
  artifacts: {}
  tests:
    runners:
      docker:
        name: )" + unique_runner()
                           + R"(
        slots: 1
        docker: {socket: )" + private_engine::shared().socket()
                           + "}\n  http: {port: 0}\n"};
  node.start();
  auto secret = std::string{"s3cret-9f41c0de77"};
  auto job = node.submit({{"runner_type", "docker"},
                          {"dist_name", "debian"},
                          {"dist_version", "12"},
                          {"dist_arch", "x86_64"},
                          {"package_name", "hello"},
                          {"variables", {{{"name", "TOKEN"}, {"value", secret}, {"secret", true}}}},
                          {"tests", {{{"name", "loud"}, {"script", loud_script}}}}});
  auto done = node.await_job(job, 300s);
  INFO(done.dump(1));
  CHECK(done.at("result") == "pass");
  auto log = node.get("/jobs/" + job + "/log?stage=third_party.loud").body;
  CHECK(log.size() > (20 << 20));
  CHECK(log.size() < (20 << 20) + 200);
  auto head = log.substr(0, 20'000);
  CHECK(head.find("TOKEN=[masked]\n") != std::string::npos);
  CHECK(head.find("loud [masked] \n") != std::string::npos);
  CHECK(log.find(" bytes were left out here ") != std::string::npos);
  CHECK(log.find("line 0214999 token=[masked] ") != std::string::npos);
  CHECK(log.find("the very end\n") > (19 << 20));
  auto all = node.get("/jobs/" + job + "/log").body + done.dump() + node.log();
  CHECK(all.find(secret) == std::string::npos);
  auto at_rest = slurp(node.data() + "/artifacts/" + job + "/0/third_party.loud.log.gz");
  CHECK(at_rest.substr(0, 2) == "\x1f\x8b");
  CHECK(at_rest.size() < log.size() / 3);
  CHECK(node.stop() == 0);
}
