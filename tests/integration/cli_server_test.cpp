/// The client against a server that answers what the test wants.
#include "bridges/http/server.hpp"
#include "nodes/cli/program.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const auto id = std::string{"01970a5e-7f3c-7a10-8a55-0123456789ab"};

http_response answer(int status, const json& body) {
  auto out = http_response{};
  out.status = status;
  out.body = json_text(body);
  return out;
}

/// Sends one text as a live stream, then ends it.
http_response events(const std::string& text) {
  auto out = http_response{};
  out.content_type = "text/event-stream";
  out.stream = [text](stream_writer to) { to.write(text, [to](bool) mutable { to.finish(); }); };
  return out;
}

std::string event_text(const std::string& name, const std::string& id_text, const json& body) {
  return "event: " + name + (id_text.empty() ? "" : "\nid: " + id_text)
         + "\ndata: " + json_text(body) + "\n\n";
}

json job(std::string_view state, std::string_view result, uint64_t version) {
  return {{"job_id", id},
          {"state", state},
          {"result", result},
          {"version", version},
          {"subject", "hello"},
          {"queue", "fake-x86_64-0"},
          {"runs", json::array({{{"run_id", 0}, {"runner", "r"}}})}};
}

/// A server that remembers what it was asked.
class canned_server {
public:
  using reply = std::function<http_response(const http_request&)>;

  explicit canned_server(reply how)
    : how_{std::move(how)}, server_{options(),
                                    [](const http_request&) {
                                      return body_verdict{1 << 20, {}};
                                    },
                                    [this](const http_request& in) { return take(in); }} {
    REQUIRE_FALSE(server_.start());
  }
  ~canned_server() {
    server_.stop(1s);
  }

  std::vector<http_request> asked() const {
    auto lock = std::lock_guard{mutex_};
    return asked_;
  }
  std::string address() const {
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }

private:
  static http_options options() {
    auto out = http_options{};
    out.port = 0;
    return out;
  }
  http_response take(const http_request& in) {
    {
      auto lock = std::lock_guard{mutex_};
      asked_.push_back(in);
    }
    return in.path == "/healthz/live" ? answer(200, {{"live", true}}) : how_(in);
  }

  mutable std::mutex mutex_;
  std::vector<http_request> asked_;
  reply how_;
  http_server server_;
};

struct served_outcome {
  int code = 0;
  std::string out;
  std::string err;
};

served_outcome client(const canned_server& server, std::vector<std::string> arguments) {
  auto folder = tests::temp_folder{};
  auto out = std::ostringstream{};
  auto err = std::ostringstream{};
  arguments.insert(arguments.end(), {"--server", server.address(), "--data", folder.path()});
  auto code = cli::run_client(arguments, cli::terminal{out, err, false, false});
  return {code, out.str(), err.str()};
}

} // namespace

TEST_CASE("a submission that is refused for a moment is repeated with the same key") {
  auto posts = std::atomic<int>{0};
  auto server = canned_server{[&](const http_request&) {
    if (++posts == 1)
      return answer(503, {{"error", {{"code", "saturated"}, {"message", "full"}, {"place", ""}}}});
    return answer(201, {{"job_id", id}, {"repeated", false}});
  }};
  auto done = client(server, {"submit", "hello", "--no-wait"});
  CHECK(done.code == 0);
  auto asked = server.asked();
  REQUIRE(asked.size() == 3);
  CHECK(asked[1].body == asked[2].body);
  CHECK_FALSE(asked[1].header("idempotency-key").empty());
  CHECK(asked[1].header("idempotency-key") == asked[2].header("idempotency-key"));
}

TEST_CASE("a server that stays away ends the patience with exit code 3") {
  auto server = canned_server{[](const http_request&) {
    return answer(503,
                  {{"error", {{"code", "unavailable"}, {"message", "starting"}, {"place", ""}}}});
  }};
  auto done = client(server, {"watch", id, "--timeout", "300ms"});
  CHECK(done.code == 3);
  CHECK(done.err.find("trying again") != std::string::npos);
  CHECK(server.asked().size() >= 2);
}

TEST_CASE("watch asks for what is newer than what it has seen") {
  auto server = canned_server{[](const http_request& in) {
    auto newer = in.query.find("newer_than");
    if (newer == in.query.end())
      return answer(200, job("running", "none", 7));
    return answer(200, job("finished", "fail", newer->second == "7" ? 9 : 0));
  }};
  auto done = client(server, {"watch", id});
  CHECK(done.code == 1);
  CHECK(done.out.find("FAIL  hello") != std::string::npos);
  auto asked = server.asked();
  REQUIRE(asked.size() == 2);
  CHECK(asked[1].path == "/jobs/" + id + "/watch");
}

TEST_CASE("a log that breaks off goes on behind the last piece, without saying it twice") {
  auto server = canned_server{[](const http_request& in) {
    auto last = in.header("last-event-id");
    if (last.empty())
      return events(
        event_text("stage", "0:one:0", {{"run", 0}, {"stage", "one"}})
        + event_text("log", "0:one:6", {{"run", 0}, {"stage", "one"}, {"text", "first\n"}}));
    if (last == "0:one:6")
      return events(
        event_text("log", "0:one:13", {{"run", 0}, {"stage", "one"}, {"text", "second\n"}})
        + event_text("end", "", {{"state", "finished"}, {"result", "pass"}}));
    return answer(404, {});
  }};
  auto done = client(server, {"logs", id, "--follow"});
  CHECK(done.code == 0);
  CHECK(done.out == "==> one <==\nfirst\nsecond\n");
}

TEST_CASE("a hostile log is shown and not obeyed, unless asked to") {
  auto text = std::string{"a\x1b]0;owned\x07\x1b[2Jb\r\n"};
  auto server = canned_server{[&](const http_request& in) {
    if (in.query.count("follow") > 0)
      return events(event_text("log", "0:one:1", {{"run", 0}, {"stage", "one"}, {"text", text}})
                    + event_text("end", "", {{"state", "finished"}}));
    auto out = http_response{};
    out.content_type = "text/plain";
    out.body = text;
    return out;
  }};
  CHECK(client(server, {"logs", id}).out == "a\\x1b]0;owned\\x07\\x1b[2Jb\n");
  CHECK(client(server, {"logs", id, "--follow"}).out == "a\\x1b]0;owned\\x07\\x1b[2Jb\n");
  CHECK(client(server, {"logs", id, "--raw"}).out == text);
}

TEST_CASE("the server's words for a failure cannot steer the terminal") {
  auto server = canned_server{[](const http_request&) {
    return answer(404, {{"error", {{"message", "no\x1b[31m such job"}, {"place", "job_id"}}}});
  }};
  auto done = client(server, {"show", id});
  CHECK(done.code == 8);
  CHECK(done.err == "troupe: job_id: no\\x1b[31m such job\n");
}

TEST_CASE("with --json a failure is one JSON object on standard output") {
  auto server = canned_server{[](const http_request&) { return answer(403, {}); }};
  auto done = client(server, {"ls", "--json"});
  CHECK(done.code == 7);
  auto body = parse_json_text(done.out);
  REQUIRE(body);
  CHECK(body->at("error").at("code") == "forbidden");
}

TEST_CASE("an answer that makes no sense is a failure and not a crash") {
  for (auto text : {"", "[]", "{\"jobs\":3}", "<html>", "{\"jobs\":[{\"state\":\"flying\"}]}"}) {
    auto server = canned_server{[text](const http_request&) {
      auto out = http_response{};
      out.body = text;
      return out;
    }};
    INFO(text);
    CHECK(client(server, {"ls"}).code != 0);
    CHECK(client(server, {"ls", "--json"}).code != 0);
  }
}

namespace {

/// A server with one artifact that is listed as "hello".
canned_server artifact_server(const std::string& bytes, const std::string& sha256) {
  return canned_server{[=](const http_request& in) {
    if (in.path == "/jobs/" + id)
      return answer(200, job("finished", "pass", 1));
    if (in.path == "/jobs/" + id + "/artifacts")
      return answer(200, {{"artifacts", json::array({{{"name", "a/b.bin"},
                                                      {"length", 5},
                                                      {"stored", 5},
                                                      {"sha256", sha256},
                                                      {"truncated", false}}})}});
    auto out = http_response{};
    out.content_type = "application/octet-stream";
    out.body = bytes;
    return out;
  }};
}

const auto hello_hash =
  std::string{"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};

} // namespace

TEST_CASE("an artifact that is not what was listed is not written") {
  auto folder = tests::temp_folder{};
  auto file = folder.path() + "/out";
  for (const auto* bytes : {"jello", "hell", "hello!", ""}) {
    auto server = artifact_server(bytes, hello_hash);
    auto done = client(server, {"artifacts", id, "--get", "a/b.bin", "-o", file});
    INFO(bytes << ": " << done.err);
    CHECK(done.code == 4);
    CHECK(done.err.find("a/b.bin") != std::string::npos);
    CHECK(std::filesystem::is_empty(folder.path()));
    done = client(server, {"artifacts", id, "--get", "a/b.bin", "-o", "-"});
    CHECK(done.code == 4);
    CHECK(done.out.empty());
    auto told =
      parse_json_text(client(server, {"artifacts", id, "--get", "a/b.bin", "--json"}).out);
    REQUIRE(told);
    CHECK(told->at("error").at("code") == "corrupt");
  }
}

TEST_CASE("an artifact that fits replaces the file whole, and asks for one run") {
  auto folder = tests::temp_folder{};
  auto file = folder.path() + "/out";
  std::ofstream{file} << "what was there before";
  auto server = artifact_server("hello", hello_hash);
  auto done = client(server, {"artifacts", id, "--get", "a/b.bin", "-o", file});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(tests::slurp(file) == "hello");
  auto files = std::distance(std::filesystem::directory_iterator{folder.path()}, {});
  CHECK(files == 1);
  auto asked = server.asked();
  REQUIRE(asked.size() == 3);
  CHECK(asked[1].query.find("run") != asked[1].query.end());
  CHECK(asked[2].query.find("run") != asked[2].query.end());
  CHECK(client(server, {"artifacts", id, "--get", "a/b.bin", "-o", "/dev/null"}).code == 0);
  CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
  CHECK(client(server, {"artifacts", id, "--get", "other", "-o", file}).code == 8);
  CHECK(client(server, {"artifacts", id, "--get", "a/b.bin", "-o", folder.path() + "/no/x"}).code
        == 2);
}

TEST_CASE("an artifact that is still written is fetched with a remark") {
  auto server = artifact_server("hel", "");
  auto done = client(server, {"artifacts", id, "--get", "a/b.bin", "-o", "-"});
  CHECK(done.code == 0);
  CHECK(done.out == "hel");
  CHECK(done.err.find("no hash") != std::string::npos);
}

TEST_CASE("no token is sent where there is none") {
  auto server = canned_server{[](const http_request&) { return answer(401, {}); }};
  auto done = client(server, {"ls"});
  CHECK(done.code == 7);
  REQUIRE(server.asked().size() == 1);
  CHECK(server.asked()[0].header("authorization").empty());
}
