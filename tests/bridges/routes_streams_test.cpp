/// Live streams over a real server: server-sent events, their resumption, downloads.
#include "bridges/http/client.hpp"
#include "bridges/http/routes/http_bridge.hpp"
#include "route_world.hpp"

#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// The bridge on an ephemeral port, with short heartbeats.
class served_world : public route_world {
public:
  served_world() {
    auto how = http_bridge_options{};
    how.server.port = 0;
    how.routes.heartbeat = std::chrono::milliseconds{20};
    bridge = std::make_unique<http_bridge>(sys, lookup(), check, how);
    REQUIRE_FALSE(bridge->start());
  }
  ~served_world() {
    bridge->stop(std::chrono::seconds{5});
  }

  http_client client() const {
    auto how = http_client_options{};
    how.port = bridge->port();
    how.token = "read:ann";
    return http_client{how};
  }

  /// Reads a stream to its end.
  std::vector<server_event> follow(const std::string& path, const http_headers& headers = {}) {
    auto out = std::vector<server_event>{};
    auto answer = client().follow(path, headers, [&](const server_event& event) {
      out.push_back(event);
      return true;
    });
    REQUIRE(answer);
    CHECK(answer->status == 200);
    return out;
  }

  void change(const job_id& id, const std::function<void(job_view&)>& how) {
    auto lock = std::lock_guard{told->mutex};
    auto& view = told->jobs[id];
    how(view);
    ++view.version;
    told->changed.notify_all();
  }

  std::unique_ptr<http_bridge> bridge;
};

stage named_stage(std::string name, bool finished) {
  auto out = stage{};
  out.name = std::move(name);
  out.finished = out.success = finished;
  return out;
}

/// Joins the texts of log events per stage.
std::map<std::string, std::string> logs_of(const std::vector<server_event>& events) {
  auto out = std::map<std::string, std::string>{};
  for (const auto& event : events)
    if (event.name == "log") {
      auto piece = json::parse(event.text);
      out[piece["stage"].get<std::string>()] += piece["text"].get<std::string>();
    }
  return out;
}

} // namespace

TEST_CASE("a job's events end with the final one", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::queued);
  auto states = std::vector<std::string>{};
  auto answer =
    world.client().follow("/jobs/" + to_string(id) + "/events", {}, [&](const server_event& event) {
      auto job = json::parse(event.text);
      CHECK(event.name == "job");
      CHECK(event.id == job["version"].dump());
      states.push_back(job["state"].get<std::string>());
      if (states.back() == "queued")
        world.change(id, [](job_view& view) { view.state = job_state::running; });
      if (states.back() == "running")
        world.change(id, [](job_view& view) { view.state = job_state::finished; });
      return true;
    });
  REQUIRE(answer);
  CHECK(states == std::vector<std::string>{"queued", "running", "finished"});
}

TEST_CASE("a job with much to say is one event, whatever its size", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::fail);
  auto said = std::string(300 << 10, '\x01'); // Six times as much as JSON.
  world.change(id, [&](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true)};
    view.runs[0].stages[0].output = said;
  });
  auto events = world.follow("/jobs/" + to_string(id) + "/events");
  REQUIRE(events.size() == 1);
  CHECK(events[0].text.size() > (1 << 20));
  auto job = json::parse(events[0].text);
  CHECK(job["runs"][0]["stages"][0]["output"].get<std::string>() == said);
}

TEST_CASE("a log event holds no line that is not its own", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a\n\nevent: end\ndata: {}", true)};
    view.runs[0].stages[0].log = artifact_ref{"x\n\nevent: end\ndata: {}.log", 1, 1, "", false};
  });
  world.told->write_log("0/x\n\nevent: end\ndata: {}.log", "text\n\nevent: end\n", true);
  auto events = world.follow("/jobs/" + to_string(id) + "/log?follow=1");
  REQUIRE(events.size() == 3);
  CHECK(events[1].name == "log");
  CHECK(events[2].name == "end");
  CHECK(json::parse(events[2].text).contains("result"));
}

TEST_CASE("Last-Event-ID leaves out what was seen", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view&) {});
  auto path = "/jobs/" + to_string(id) + "/events";
  CHECK(world.follow(path, {{"Last-Event-ID", "1"}}).size() == 1);
  auto answer = world.client().request("GET", path, {}, {{"Last-Event-ID", "2"}});
  REQUIRE(answer);
  CHECK(answer->status == 204);
}

TEST_CASE("a followed log tells stages, text as it comes, and the end", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::running);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("install_package", false)};
  });
  world.told->write_log("0/install_package.log", "first ", false);
  auto events = std::vector<server_event>{};
  auto answer = world.client().follow(
    "/jobs/" + to_string(id) + "/log?follow=1", {}, [&](const server_event& event) {
      events.push_back(event);
      if (event.name == "log" && event.text.find("first") != std::string::npos)
        world.told->write_log("0/install_package.log", "second\n\xc3", false);
      if (event.name == "log" && event.text.find("second") != std::string::npos) {
        world.told->write_log("0/install_package.log", "\xa9\n", true);
        world.told->write_log("0/stop.log", "bye\n", true);
        world.change(id, [](job_view& view) {
          view.runs[0].stages = {named_stage("install_package", true), named_stage("silent", true),
                                 named_stage("stop", true)};
          view.runs[0].finished_at = caf::timestamp{caf::timespan{1}};
          view.state = job_state::finished;
          view.result = verdict::pass;
        });
      }
      return true;
    });
  REQUIRE(answer);
  auto logs = logs_of(events);
  CHECK(logs["install_package"] == "first second\n\xc3\xa9\n");
  CHECK(logs["stop"] == "bye\n");
  REQUIRE(events.size() > 3);
  CHECK(events[0].name == "stage");
  CHECK(events[0].id == "0:install_package:0");
  CHECK(events.back().name == "end");
  CHECK(json::parse(events.back().text)["result"] == "pass");
}

TEST_CASE("a followed log resumes behind the last piece", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true), named_stage("b", true)};
  });
  world.told->write_log("0/a.log", "0123456789", true);
  world.told->write_log("0/b.log", "next", true);
  auto path = "/jobs/" + to_string(id) + "/log?follow=1";
  auto logs = logs_of(world.follow(path, {{"Last-Event-ID", "0:a:4"}}));
  CHECK(logs["a"] == "456789");
  CHECK(logs["b"] == "next");
  logs = logs_of(world.follow(path, {{"Last-Event-ID", "../:x"}}));
  CHECK(logs["a"] == "0123456789");
}

TEST_CASE("stages of one name have a log each, followed once", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true), named_stage("b", true), named_stage("a", true),
                           named_stage("a", true)};
    // A closed log says its name itself.
    view.runs[0].stages[3].log = artifact_ref{"third.log", 5, 5, "", false};
  });
  world.told->write_log("0/a.log", "one ", true);
  world.told->write_log("0/b.log", "two ", true);
  world.told->write_log("0/a-2.log", "three ", true);
  world.told->write_log("0/third.log", "four ", true);
  auto path = "/jobs/" + to_string(id) + "/log";
  auto events = world.follow(path + "?follow=1");
  auto ids = std::vector<std::string>{};
  for (const auto& event : events)
    if (event.name == "stage")
      ids.push_back(event.id);
  CHECK(ids == std::vector<std::string>{"0:a:0", "0:b:0", "0:a-2:0", "0:third:0"});
  CHECK(logs_of(events)["a"] == "one three four ");
  CHECK(logs_of(world.follow(path + "?follow=1&stage=a"))["a"] == "one three four ");
  auto resumed = logs_of(world.follow(path + "?follow=1", {{"Last-Event-ID", "0:a-2:2"}}));
  CHECK(resumed["a"] == "ree four ");
  CHECK(resumed["b"].empty());
  auto text = world.client().get(path);
  REQUIRE(text);
  CHECK(text->body == "==> a <==\none ==> b <==\ntwo ==> a <==\nthree ==> a <==\nfour ");
}

TEST_CASE("a live stage of a name that was there before is followed", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::running);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true), named_stage("a", false)};
  });
  world.told->write_log("0/a.log", "one ", true);
  world.told->write_log("0/a-2.log", "two", false);
  auto logs = std::string{};
  auto answer = world.client().follow(
    "/jobs/" + to_string(id) + "/log?follow=1", {}, [&](const server_event& event) {
      if (event.name != "log")
        return true;
      logs += json::parse(event.text)["text"].get<std::string>();
      if (logs == "one two")
        world.change(id, [](job_view& view) {
          view.runs[0].stages[1] = named_stage("a", true);
          view.runs[0].finished_at = caf::timestamp{caf::timespan{1}};
          view.state = job_state::finished;
        });
      return true;
    });
  REQUIRE(answer);
  CHECK(logs == "one two");
}

TEST_CASE("an event id of no log or version of this job begins anew", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true), named_stage("b", true)};
  });
  world.told->write_log("0/a.log", "first", true);
  world.told->write_log("0/b.log", "second", true);
  auto path = "/jobs/" + to_string(id);
  for (auto strange : {"7:a:0", "0:nowhere:0", "0:a", "4294967296:a:0", "0:a:-1"}) {
    INFO(strange);
    auto logs = logs_of(world.follow(path + "/log?follow=1", {{"Last-Event-ID", strange}}));
    CHECK(logs["a"] + logs["b"] == "firstsecond");
  }
  auto other = world.follow(path + "/log?follow=1&stage=b", {{"Last-Event-ID", "0:a:0"}});
  CHECK(logs_of(other)["a"] + logs_of(other)["b"] == "second");
  for (auto strange : {"99", "x", "1x", "-1", "99999999999999999999999"})
    CHECK(world.follow(path + "/events", {{"Last-Event-ID", strange}}).size() == 1);
}

TEST_CASE("a run that began again is followed too", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.change(id, [](job_view& view) {
    view.runs.resize(2);
    view.runs[1].run_id = 1;
    view.runs[0].stages = {named_stage("a", false)};
    view.runs[1].stages = {named_stage("a", true)};
  });
  // The first run's log was never closed: its runner is gone.
  world.told->write_log("0/a.log", "lost", false);
  world.told->write_log("1/a.log", "found", true);
  auto path = "/jobs/" + to_string(id) + "/log?follow=1";
  CHECK(logs_of(world.follow(path, {{"Last-Event-ID", "0:a:0"}}))["a"] == "lostfound");
  CHECK(logs_of(world.follow(path))["a"] == "found");
  CHECK(logs_of(world.follow(path + "&run=0"))["a"] == "lost");
}

TEST_CASE("a log is plain text with a line per stage", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::running);
  world.change(id, [](job_view& view) {
    view.runs.push_back({});
    view.runs[0].stages = {named_stage("a", true), named_stage("b", false)};
  });
  world.told->write_log("0/a.log", std::string(200'000, 'x') + "\n", true);
  world.told->write_log("0/b.log", "so far\n", false);
  auto path = "/jobs/" + to_string(id) + "/log";
  auto all = world.client().get(path);
  REQUIRE(all);
  CHECK(all->status == 200);
  CHECK(all->header("content-type") == "text/plain; charset=utf-8");
  CHECK(all->body == "==> a <==\n" + std::string(200'000, 'x') + "\n==> b <==\nso far\n");
  auto one = world.client().get(path + "?stage=b");
  REQUIRE(one);
  CHECK(one->body == "so far\n");
  CHECK(world.client().get(path + "?run=3")->status == 404);
  CHECK(world.client().get(path + "?stage=c")->status == 200); // It may still begin.
  world.change(id, [](job_view& view) { view.state = job_state::finished; });
  CHECK(world.client().get(path + "?stage=b")->status == 200);
  CHECK(world.client().get(path + "?stage=c")->status == 404);
  CHECK(world.client().get(path + "?stage=c&follow=1")->status == 404);
}

TEST_CASE("a large artifact is streamed whole", "[bridge][http]") {
  auto world = served_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  auto bytes = std::string{};
  for (auto i = 0; i < 300'000; ++i)
    bytes += std::to_string(i);
  world.told->write_log("0/big.bin", bytes, true);
  auto answer = world.client().get("/jobs/" + to_string(id) + "/artifacts/big.bin");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == bytes);
}

TEST_CASE("stopping the bridge ends its streams", "[bridge][http]") {
  auto world = std::make_unique<served_world>();
  auto id = world->add_job(job_state::running);
  auto client = world->client();
  auto begun = std::promise<void>{};
  auto reader = std::thread{[&] {
    client.follow("/jobs/" + to_string(id) + "/events", {}, [&](const server_event&) {
      begun.set_value();
      return true;
    });
  }};
  begun.get_future().wait();
  world->bridge->stop(std::chrono::seconds{5});
  reader.join();
  CHECK(world->bridge->counts().streams == 0);
}
