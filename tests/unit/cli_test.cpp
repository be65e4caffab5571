#include "bridges/http/jwt.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/own_token.hpp"
#include "nodes/cli/patience.hpp"
#include "nodes/cli/progress.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/submission.hpp"
#include "nodes/cli/table.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace troupe;
using namespace troupe::cli;
using namespace std::chrono_literals;

namespace {

std::ostringstream sink;
const auto plain = terminal{sink, sink, false, false};
const auto colored = terminal{sink, sink, false, true};
const auto start = caf::timestamp{1'700'000'000s};

stage done(std::string name, caf::timespan from, caf::timespan to, bool success = true) {
  auto out = stage{};
  out.name = std::move(name);
  out.finished = true;
  out.success = success;
  out.started_at = start + from;
  out.finished_at = start + to;
  return out;
}

job_view job_with(std::vector<run> runs, job_state state = job_state::running) {
  auto out = job_view{};
  out.job = *parse_job_id("01970a5e-7f3c-7a10-8a55-0123456789ab");
  out.subject = "hello";
  out.queue = "docker-x86_64-0";
  out.created_at = start;
  out.state = state;
  out.runs = std::move(runs);
  return out;
}

run run_on(std::string runner, std::vector<stage> stages = {}) {
  auto out = run{};
  out.runner = std::move(runner);
  out.started_at = start + 1s;
  out.stages = std::move(stages);
  return out;
}

std::string write(const tests::temp_folder& folder, const std::string& name,
                  const std::string& text) {
  auto path = folder.path() + '/' + name;
  std::ofstream{path} << text;
  return path;
}

http_answer answer(int status, std::string body) {
  auto out = http_answer{};
  out.status = status;
  out.body = std::move(body);
  return out;
}

} // namespace

TEST_CASE("every verdict and every kind of failure has its exit code") {
  CHECK(exit_code_of(verdict::pass) == 0);
  CHECK(exit_code_of(verdict::neutral) == 0);
  CHECK(exit_code_of(verdict::fail) == 1);
  CHECK(exit_code_of(verdict::error) == 4);
  CHECK(exit_code_of(verdict::timeout) == 5);
  CHECK(exit_code_of(verdict::canceled) == 6);
  CHECK(exit_code_of(fault(ec::invalid_argument, "")) == 2);
  CHECK(exit_code_of(fault(ec::conflict, "")) == 2);
  CHECK(exit_code_of(fault(ec::unavailable, "")) == 3);
  CHECK(exit_code_of(fault(ec::saturated, "")) == 3);
  CHECK(exit_code_of(fault(ec::timeout, "")) == 3);
  CHECK(exit_code_of(fault(ec::unauthorized, "")) == 7);
  CHECK(exit_code_of(fault(ec::forbidden, "")) == 7);
  CHECK(exit_code_of(fault(ec::not_found, "")) == 8);
  CHECK(exit_code_of(fault(ec::gone, "")) == 8);
  CHECK(exit_code_of(fault(ec::corrupt, "")) == 4);
}

TEST_CASE("a table aligns its columns by characters and ends no line with blanks") {
  CHECK(table_text(plain, {"A", "BB", "C"}, {{{"äöü"}, {"x"}, {"1"}}, {{"y"}, {""}, {""}}})
        == "A    BB  C\näöü  x   1\ny\n");
}

TEST_CASE("a table cuts wide cells, but not in the last column") {
  CHECK(table_text(plain, {"A", "B"}, {{{"abcdefgh"}, {"abcdefgh"}}}, 5)
        == "A      B\nabcd…  abcdefgh\n");
  CHECK(cut_to("日本語です", 3) == "日本…");
  CHECK(cut_to("abc", 3) == "abc");
}

TEST_CASE("colors do not count as width and are only written where they may be") {
  CHECK(table_text(colored, {"A", "B"}, {{{"x", color::red}, {"y"}}})
        == "\x1b[90mA\x1b[0m  \x1b[90mB\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
  CHECK(plain.paint(color::red, "x") == "x");
}

TEST_CASE("what a server sent cannot steer the terminal") {
  auto job = job_with({run_on("host\x1b[2J")});
  job.subject = "he\x1b]0;owned\x07llo";
  job.note = "a\r\nb";
  for (const auto& text : {job_text(plain, job, start), jobs_table(plain, {job}, start),
                           verdict_line(plain, job), job_progress::status(job, start)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
  }
}

TEST_CASE("a log keeps its lines and tabs and loses everything else that moves a cursor") {
  CHECK(log_text("a\tb\r\nc\x1b[31md\rE\n") == "a\tb\nc\\x1b[31md\\rE\n");
}

TEST_CASE("the line before a stage begins a line, however the log before it ended") {
  auto printer = log_printer{plain, false};
  CHECK(printer.text_of({0, "one", ""}) == "==> one <==\n");
  CHECK(printer.text_of({0, "one", "half"}) == "half");
  CHECK(printer.text_of({0, "two", ""}) == "\n==> two <==\n");
  CHECK(printer.text_of({0, "two", "whole\n"}) == "whole\n");
  CHECK(printer.end_line().empty());
  CHECK(log_printer{plain, true}.text_of({0, "x", "\x1b[1m"}) == "\x1b[1m");
}

TEST_CASE("progress says each thing once") {
  auto progress = job_progress{plain};
  auto job = job_with({}, job_state::queued);
  CHECK(progress.news(job) == std::vector<std::string>{"queued in docker-x86_64-0"});
  CHECK(progress.news(job).empty());
  auto open = stage{};
  open.name = "install_package";
  open.started_at = start + 3s;
  job = job_with({run_on("host-1", {done("start_environment", 1s, 3s), open})});
  auto news = progress.news(job);
  REQUIRE(news.size() == 2);
  CHECK(news[0] == "run 0 on host-1");
  CHECK(news[1] == "  ok  start_environment                 2.0s");
  CHECK(progress.news(job).empty());
  CHECK(job_progress::status(job, start + 5s) == "install_package 2.0s");
}

TEST_CASE("progress tells why there is another run") {
  auto progress = job_progress{plain};
  auto first = run_on("host-1");
  first.result = verdict::error;
  first.why = reason::env_lost;
  first.note = "the engine went away";
  auto second = run_on("host-2");
  second.run_id = 1;
  CHECK(progress.news(job_with({first, second}))
        == std::vector<std::string>{"run 0 on host-1",
                                    "run 0 on host-1: error, env-lost: the engine went away",
                                    "run 1 on host-2"});
}

TEST_CASE("a failed stage says why, or at least how its program ended") {
  auto failed = done("install_package", 1s, 3s, false);
  failed.exit_code = 100;
  CHECK(stage_line(plain, failed) == "FAIL  install_package                   2.0s  exit code 100");
  failed.why = reason::install_failed;
  failed.note = "no such package";
  CHECK(stage_line(plain, failed)
        == "FAIL  install_package                   2.0s  install-failed: no such package");
}

TEST_CASE("the last line names verdict, subject, time and reason") {
  auto job = job_with({}, job_state::finished);
  job.result = verdict::fail;
  job.why = reason::install_failed;
  job.finished_at = start + 41s;
  CHECK(verdict_line(plain, job) == "FAIL  hello  in 41.0s  install-failed");
}

TEST_CASE("waits double from a quarter second to five seconds, with jitter") {
  CHECK(patience::pause(1, 0.5) == 250ms);
  CHECK(patience::pause(2, 0.5) == 500ms);
  CHECK(patience::pause(1, 0.0) == 200ms);
  CHECK(patience::pause(1, 1.0) == 300ms);
  CHECK(patience::pause(1000, 0.5) == 5000ms);
}

TEST_CASE("only what may pass by itself is worth patience") {
  auto calm = patience{10min};
  CHECK_FALSE(calm.wait_after(fault(ec::not_found, "")));
  auto none = patience{0ms};
  CHECK_FALSE(none.wait_after(fault(ec::unavailable, "")));
}

TEST_CASE("query values are escaped and empty ones left out") {
  CHECK(target("/jobs", {{"state", ""}, {"package", "g++&x"}, {"limit", "5"}})
        == "/jobs?package=g%2B%2B%26x&limit=5");
  CHECK(escaped_path("a b/c?.log") == "a%20b/c%3F.log");
}

TEST_CASE("the words of the server become the error") {
  auto why = failure_of(
    answer(404, R"({"error":{"code":"not_found","message":"no such job","place":"job_id"}})"));
  CHECK(explain(why).code == ec::not_found);
  CHECK(one_line(why) == "job_id: no such job");
  why = failure_of(answer(422, R"({"error":{"code":"invalid_argument","message":"x","place":"y",
        "faults":[{"place":"dist_name","text":"is required"},{"place":"priority","text":"is out of range"}]}})"));
  CHECK(one_line(why) == "dist_name: is required\npriority: is out of range");
}

TEST_CASE("an answer without words of a server is judged by its status") {
  CHECK(explain(failure_of(answer(502, "<html>"))).code == ec::unavailable);
  CHECK(explain(failure_of(answer(429, ""))).code == ec::saturated);
  CHECK(explain(failure_of(answer(403, "[]"))).code == ec::forbidden);
  auto why = one_line(failure_of(answer(401, "")));
  CHECK(why.find("TROUPE_TOKEN") != std::string::npos);
}

TEST_CASE("a submission becomes the body of POST /jobs") {
  auto folder = tests::temp_folder{};
  auto in = submission{};
  in.package = "hello";
  in.dist = "almalinux:9.4";
  in.arch = "aarch64";
  in.repositories = {"mine=https://r.example/x?a=b", "https://other.example/?q=1",
                     "apt=deb http://d.example bookworm main"};
  in.gpg_keys = {"mine=" + write(folder, "key.asc", "-----BEGIN")};
  in.tests = {write(folder, "smoke.sh", "#!/bin/sh\ntrue\n")};
  in.variables = {"A=b=c"};
  ::setenv("TROUPE_CLI_TEST_SECRET", "s3cret", 1);
  in.secrets = {"TROUPE_CLI_TEST_SECRET"};
  in.priority = 7;
  auto body = submission_body(in);
  ::unsetenv("TROUPE_CLI_TEST_SECRET");
  REQUIRE(body);
  CHECK((*body)["dist_name"] == "almalinux");
  CHECK((*body)["dist_version"] == "9.4");
  CHECK((*body)["dist_arch"] == "aarch64");
  CHECK((*body)["priority"] == 7);
  CHECK((*body)["runner_type"] == "any");
  REQUIRE((*body)["repositories"].size() == 3);
  CHECK((*body)["repositories"][0]
        == json({{"name", "mine"}, {"url", "https://r.example/x?a=b"}, {"gpg_key", "-----BEGIN"}}));
  CHECK((*body)["repositories"][1]["url"] == "https://other.example/?q=1");
  CHECK((*body)["repositories"][1]["name"] == "");
  CHECK((*body)["repositories"][2]["url"] == "deb http://d.example bookworm main");
  CHECK((*body)["tests"][0]["name"] == "smoke.sh");
  CHECK((*body)["tests"][0]["script"] == "#!/bin/sh\ntrue\n");
  CHECK((*body)["variables"][0] == json({{"name", "A"}, {"value", "b=c"}, {"secret", false}}));
  CHECK((*body)["variables"][1]
        == json({{"name", "TROUPE_CLI_TEST_SECRET"}, {"value", "s3cret"}, {"secret", true}}));
}

TEST_CASE("a wrong option of a submission is named") {
  auto refused = [](auto change) {
    auto in = submission{};
    in.package = "hello";
    change(in);
    auto body = submission_body(in);
    return body ? std::string{} : explain(body.error()).place;
  };
  CHECK(refused([](submission&) {}).empty());
  CHECK(refused([](submission& x) { x.dist = "debian"; }) == "--dist");
  CHECK(refused([](submission& x) { x.dist = "debian:"; }) == "--dist");
  CHECK(refused([](submission& x) { x.repositories = {"mine="}; }) == "--repo");
  CHECK(refused([](submission& x) { x.gpg_keys = {"/dev/null"}; }) == "--gpg-key");
  CHECK(refused([](submission& x) { x.tests = {"/nowhere/x.sh"}; }) == "--test");
  CHECK(refused([](submission& x) { x.variables = {"1A=b"}; }) == "--env");
  CHECK(refused([](submission& x) { x.secrets = {"TROUPE_NOT_SET"}; }) == "--secret-env");
}

TEST_CASE("a token made from the local secret goes to loopback only") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.8.9.1"));
  CHECK(is_loopback("localhost"));
  CHECK(is_loopback("::1"));
  CHECK_FALSE(is_loopback("10.0.0.1"));
  CHECK_FALSE(is_loopback("example.org"));
  CHECK_FALSE(is_loopback("127.0.0.1.example.org"));
}

TEST_CASE("address and token of the node on this machine come from its data folder") {
  auto folder = tests::temp_folder{};
  auto in = settings{};
  in.data = folder.path();
  CHECK(server_address(in) == "http://127.0.0.1:8000");
  auto to = connection_of(in);
  REQUIRE(to);
  CHECK(to->token.empty());
  auto secret = std::string{"5f0c1a9be27d4836a1c7e98f02d4b6538e17f3a94c60d2b5f8e1097a3c5d6b42"};
  write(folder, "http.address", "0.0.0.0:8123\n");
  write(folder, secret_file_name, secret + "\n");
  CHECK(server_address(in) == "127.0.0.1:8123");
  to = connection_of(in);
  REQUIRE(to);
  CHECK(to->port == 8123);
  auto options = jwt_options{};
  options.keys.push_back({"", jwt_algorithm::hs256, secret, ""});
  auto keys = jwt::make(std::move(options));
  REQUIRE(keys);
  auto who = keys->verify(to->token);
  REQUIRE(who);
  CHECK(who->subject == "local");
  CHECK(who->level == token_level::admin);
  in.server = "http://10.0.0.1:8000";
  to = connection_of(in);
  REQUIRE(to);
  CHECK(to->token.empty());
}

TEST_CASE("a token file is read and must exist") {
  auto folder = tests::temp_folder{};
  auto in = settings{};
  in.token_file = write(folder, "token", "abc.def.ghi\n");
  auto to = connection_of(in);
  REQUIRE(to);
  CHECK(to->token == "abc.def.ghi");
  for (auto text : {"a b\n", "abc\nX-Other: header\n", "\x01"}) {
    in.token_file = write(folder, "no-token", text);
    to = connection_of(in);
    REQUIRE_FALSE(to);
    CHECK(explain(to.error()).place == in.token_file);
  }
  in.token_file = folder.path() + "/missing";
  CHECK_FALSE(connection_of(in));
}
