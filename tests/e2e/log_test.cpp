/// A stage that prints more than is kept: head and tail are kept, secrets are not, and whoever
/// follows sees it live without slowing it. Source: spec/testing.md 6.2, number 12.
#include "bridges/http/client.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/node_process.hpp"
#include "tests/support/node_token.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const auto log_secret = std::string{"s3cret-9f41c0de77"};
constexpr auto log_head = size_t{1} << 20;
constexpr auto log_tail = size_t{19} << 20;

/// Prints two stages. Its pieces are cut at odd places, also within the secret; after
/// the first lines it waits until somebody has seen them.
constexpr auto printing_script = R"(#!/bin/sh
read request
cat <<'END'
{"type":"stage_started","name":"dump"}
{"type":"output","text":"TOKEN=s3cret-9f4"}
{"type":"output","text":"1c0de77\n"}
END
echo 'with s3cret-9f41c0de77 as argument' >&2
# What goes to another stream belongs to the stage that is open when it is read.
until [ -e $1/dumped ]; do sleep 0.02; done
cat <<'END'
{"type":"stage_finished","name":"dump","success":true,"note":"used s3cret-9f41c0de77","output":"1..1\nok 1 s3cret-9f41c0de77\n"}
{"type":"stage_started","name":"big"}
END
awk -v lines="$2" -v go="$1/go" '
function say(all) {
  while (length(text) >= 4093 || (all && length(text) > 0)) {
    piece = substr(text, 1, 4093)
    text = substr(text, 4094)
    gsub("\n", "\\n", piece)
    print "{\"type\":\"output\",\"text\":\"" piece "\"}"
  }
}
BEGIN {
  filler = sprintf("%0200d", 0)
  for (i = 0; i < lines; ++i) {
    text = text sprintf("line %07d token=s3cret-9f41c0de77 %s\n", i, filler)
    say(0)
    if (i == 1000) {
      fflush()
      system("until [ -e " go " ]; do sleep 0.02; done")
    }
  }
  say(1)
}'
echo '{"type":"stage_finished","name":"big","success":true}'
echo '{"type":"result","result":"pass","note":"s3cret-9f41c0de77 was good"}'
)";

/// How often that line is printed: 24 MB, or 50 MB.
int log_lines() {
  return static_cast<int>(fault_count(103'000, 215'000));
}

/// What of the big stage may be seen.
std::string masked_lines() {
  auto out = std::string{};
  for (auto i = 0; i < log_lines(); ++i) {
    auto number = std::to_string(i);
    out += "line " + std::string(7 - number.size(), '0') + number + " token=[masked] "
           + std::string(200, '0') + '\n';
  }
  return out;
}

struct log_follower {
  std::string text;
  std::string end;
  int connections = 0;

  /// Follows the stage "big" to its end; `on_text` is called after each piece of text.
  void follow(const node_process& node, const std::string& job,
              const std::function<void()>& on_text) {
    auto options = http_client_options{};
    options.port = node.port();
    options.token = node_token(node.data());
    auto last = std::string{};
    for (; end.empty() && connections < 20; ++connections) {
      auto client = http_client{options};
      auto headers = http_headers{};
      if (!last.empty())
        headers.emplace("Last-Event-ID", last);
      // A server may cut off who reads too slowly; then he comes back.
      static_cast<void>(client.follow(
        "/jobs/" + job + "/log?follow=1&stage=big", headers, [&](const server_event& event) {
          last = event.id;
          if (event.name == "log") {
            text += parse_json_text(event.text)->at("text").get<std::string>();
            on_text();
          } else if (event.name == "end") {
            end = event.text;
          }
          return end.empty();
        }));
    }
  }
};

} // namespace

TEST_CASE("a stage that prints too much keeps head and tail, shows no secret and can be followed",
          "[e2e][logs]") {
  auto folder = temp_folder{};
  auto script = folder.path() + "/runner";
  std::ofstream{script} << printing_script;
  fs::permissions(script, fs::perms::owner_all);
  auto node = node_process{R"(
  journal: {}
  jobs: {}
  artifacts: {}
  tests:
    runners:
      exec: {driver: exec, slots: 1, exec: {argv: [)"
                           + script + ", " + folder.path() + ", '" + std::to_string(log_lines())
                           + "']}}\n  http: {port: 0}\n"};
  node.start();
  auto job =
    node.submit({{"runner_type", "exec"},
                 {"dist_name", "debian"},
                 {"dist_version", "12"},
                 {"dist_arch", "x86_64"},
                 {"package_name", "hello"},
                 {"variables", {{{"name", "TOKEN"}, {"value", log_secret}, {"secret", true}}}}});

  auto dump = std::string{};
  auto dumped = await(60s, [&] {
    dump = node.get("/jobs/" + job + "/log?stage=dump").body;
    return dump.find(" as argument\n") != std::string::npos;
  });
  std::ofstream{folder.path() + "/dumped"} << "go";
  INFO(node.log());
  REQUIRE(dumped);

  auto quick = log_follower{};
  auto slow = log_follower{};
  auto over = std::promise<void>{};
  auto quick_thread = std::thread{[&] {
    // Only who has seen the first lines lets the rest be printed.
    quick.follow(node, job, [&] { std::ofstream{folder.path() + "/go"} << "go"; });
  }};
  auto slow_thread = std::thread{[&, is_over = over.get_future().share()] {
    // Reads nothing more until all is printed.
    slow.follow(node, job, [is_over] { is_over.wait(); });
  }};
  auto done = json{};
  auto finished = await(120s, [&] {
    done = node.job(job);
    return done.at("state") == "finished";
  });
  std::ofstream{folder.path() + "/go"} << "go";
  over.set_value();
  quick_thread.join();
  slow_thread.join();
  INFO(done.dump(1) << node.log());
  REQUIRE(finished);
  CHECK(done.at("result") == "pass");

  auto all = masked_lines();
  for (const auto* who : {&quick, &slow}) {
    CHECK(who->end.find("pass") != std::string::npos);
    CHECK(who->text.substr(0, 30'000) == all.substr(0, 30'000));
    CHECK(who->text.substr(who->text.size() - 30'000) == all.substr(all.size() - 30'000));
    CHECK(who->text.find(log_secret) == std::string::npos);
  }

  auto log = node.get("/jobs/" + job + "/log?stage=big").body;
  REQUIRE(log.size() > log_head + log_tail);
  CHECK(log.size() < log_head + log_tail + 200);
  CHECK(log.substr(0, log_head) == all.substr(0, log_head));
  CHECK(log.substr(log.size() - log_tail) == all.substr(all.size() - log_tail));
  auto left_out = std::to_string(all.size() - log_head - log_tail) + " bytes were left out here";
  CHECK(log.substr(log_head, 200).find(left_out) != std::string::npos);

  CHECK(dump.find("TOKEN=[masked]\n") != std::string::npos);
  CHECK(dump.find("with [masked] as argument") != std::string::npos);
  auto shown = dump + done.dump() + node.log() + node.get("/tasks/" + job + "/result").body
               + node.get("/jobs/" + job + "/junit.xml").body;
  CHECK(shown.find(log_secret) == std::string::npos);
  CHECK(done.dump().find("ok 1 [masked]") != std::string::npos);

  auto at_rest = node.data() + "/artifacts/" + job + "/0/big.log";
  CHECK(await(20s, [&] { return !fs::exists(at_rest + ".spool"); }));
  CHECK(fs::file_size(at_rest + ".gz") < log.size() / 3);
  auto plain = run_process({"zcat", at_rest + ".gz"});
  CHECK((plain.output == log)); // too long to be shown
  CHECK(node.stop() == 0);
}
