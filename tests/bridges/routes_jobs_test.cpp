/// Native paths: submitting, reading, ending jobs, and health.
#include "route_world.hpp"

#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::tests;

namespace {

json job_body() {
  return {{"dist_name", "debian"},
          {"dist_version", "12"},
          {"dist_arch", "x86_64"},
          {"package_name", "hello"}};
}

/// Returns the place of the first fault.
std::string fault_place(const http_response& out) {
  INFO(out.body);
  REQUIRE(out.status == 422);
  return body_of(out)["error"]["faults"][0]["place"].get<std::string>();
}

/// Returns the place of the only fault.
std::string fault_of(const http_response& out) {
  INFO(out.body);
  REQUIRE(out.status == 422);
  return body_of(out)["error"]["place"].get<std::string>();
}

std::string job_path(const job_id& id, const std::string& tail = {}) {
  return "/jobs/" + to_string(id) + tail;
}

} // namespace

TEST_CASE("a native submission takes every field of a test", "[bridge][http]") {
  auto world = route_world{};
  auto body = job_body();
  body["runner_type"] = "fake";
  body["queue_deadline"] = 60;
  body["retries"] = 1;
  body["tags"] = {{"ticket", "42"}};
  body["variables"] = {{{"name", "KEY"}, {"value", "s3cret"}, {"secret", true}}};
  body["tests"] = {{{"name", "own"}, {"script", "#!/bin/sh\ntrue\n"}}};
  auto out = world.call("POST", "/jobs", "submit:ann", json_text(body));
  INFO(out.body);
  REQUIRE(out.status == 201);
  auto id = body_of(out)["job_id"].get<std::string>();
  CHECK(header_of(out, "Location") == "/jobs/" + id);
  REQUIRE(world.told->submissions() == 1);
  const auto& job = world.told->submitted[0];
  CHECK(job.queue == "fake-x86_64-0");
  CHECK(job.retries == 1);
  CHECK(job.queue_deadline == caf::timespan{std::chrono::seconds{60}});
  CHECK(job.run_deadline == caf::timespan{std::chrono::hours{2}});
  CHECK(job.tags.at("ticket") == "42");
  auto test = unpack<test_spec>(job.spec);
  REQUIRE(test);
  CHECK(test->tests[0].script == "#!/bin/sh\ntrue\n");
  CHECK(test->variables[0].secret);
}

TEST_CASE("native faults name all fields at once", "[bridge][http]") {
  auto world = route_world{};
  auto body = job_body();
  body["package_name"] = "a;b";
  body["priority"] = 0;
  auto out = world.call("POST", "/jobs", "submit:ann", json_text(body));
  REQUIRE(out.status == 422);
  auto error = body_of(out)["error"];
  CHECK(error["code"] == "invalid_argument");
  CHECK(error["place"] == "package_name");
  REQUIRE(error["faults"].size() == 2);
  CHECK(error["faults"][1]["place"] == "priority");
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("each wrong field of a submission is refused at its place", "[bridge][http]") {
  auto world = route_world{};
  auto place = [&](const char* key, json value) {
    auto body = job_body();
    body[key] = std::move(value);
    return fault_place(world.call("POST", "/jobs", "submit:ann", json_text(body)));
  };
  CHECK(place("kind", "sync") == "kind");
  CHECK(place("repositores", json::array()) == "repositores"); // a wish that nobody would hear
  CHECK(place("tests", json::array({{{"url", "http://a/t.sh"}, {"nmae", "x"}}})) == "tests[0].nmae");
  CHECK(place("dist_name", "plan9") == "dist_name");
  CHECK(place("dist_arch", "vax") == "dist_arch");
  CHECK(place("runner_type", "ec2") == "runner_type");
  CHECK(place("package_epoch", "x1") == "package_epoch");
  CHECK(place("run_deadline", -1) == "run_deadline");
  CHECK(place("tags", {{"dist", "forged"}}) == "tags.dist");
  CHECK(place("tags", {{"a b", "c"}}) == "tags.a b");
  CHECK(place("tests", json::array({{{"name", "x"}}})) == "tests[0].url");
  CHECK(place("tests", json::array({{{"url", "file:///etc"}}})) == "tests[0].url");
  CHECK(place("variables", json::array({{{"name", "A-B"}}})) == "variables[0].name");
  CHECK(place("repositories", json::array({{{"name", "a"}, {"url", "http://a"}},
                                           {{"name", "a"}, {"url", "http://b"}}}))
        == "repositories[1].name");
  CHECK(place("package_name", "hello-") == "package_name"); // To apt: remove it.
  for (auto url :
       {"ftp://a/", "http://a/ b", "http://a/[x]", "deb [trusted=yes] ftp://a ./", "deb "})
    CHECK(place("repositories", json::array({{{"url", url}}})) == "repositories[0].url");
  CHECK(place("repositories", json::array({{{"url", "http://a"}, {"gpg_key", "file:///k"}}}))
        == "repositories[0].gpg_key");
  CHECK(place("tests", json::array({{{"url", "http://a b"}}})) == "tests[0].url");
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("what runners understand as repositories is accepted", "[bridge][http]") {
  auto world = route_world{};
  auto status = [&](const char* dist, const char* package, const char* url) {
    auto body = job_body();
    body["dist_name"] = dist;
    body["package_name"] = package;
    body["repositories"] = json::array({{{"url", url}, {"gpg_key", "https://a/key.asc"}}});
    return world.call("POST", "/jobs", "submit:ann", json_text(body)).status;
  };
  for (auto url : {"http://a/", "https://u:p@a/x?y=1", "file:///srv", "deb http://a ./",
                   "deb-src  [arch=amd64 trusted=yes]  https://a stable main"})
    CHECK(status("debian", "hello", url) == 201);
  CHECK(status("almalinux", "hello-", "http://a/") == 201);
  CHECK(status("almalinux", "hello", "deb http://a ./") == 422);
}

TEST_CASE("a body that is no JSON is 400", "[bridge][http]") {
  auto world = route_world{};
  for (auto body : {"", "{", "{\"a\":1,\"a\":2}", "\xff"}) {
    auto out = world.call("POST", "/jobs", "submit:ann", body);
    CHECK(out.status == 400);
    CHECK(body_of(out)["error"]["code"] == "invalid_argument");
  }
  for (auto body : {"[]", "null", "\"text\"", "1"})
    CHECK(fault_place(world.call("POST", "/jobs", "submit:ann", body)) == "body");
}

TEST_CASE("a batch is accepted whole or not at all", "[bridge][http]") {
  auto world = route_world{};
  auto bad = job_body();
  bad["package_name"] = "a b";
  auto post = [&](const json& body) {
    return world.call("POST", "/jobs/batch", "submit:ann", json_text(body),
                      {{"idempotency-key", "k"}});
  };
  CHECK(fault_place(post({{"jobs", {job_body(), bad}}})) == "jobs[1].package_name");
  CHECK(post({{"jobs", json::array()}}).status == 422);
  CHECK(fault_place(post({{"jobs", {job_body()}}, {"job", 1}})) == "job");
  CHECK(post({{"jobs", json(1025, job_body())}}).status == 422);
  CHECK(world.told->submissions() == 0);
  auto out = post({{"jobs", {job_body(), job_body()}}});
  REQUIRE(out.status == 201);
  CHECK(body_of(out)["jobs"].size() == 2);
  REQUIRE(world.told->submissions() == 2);
  REQUIRE(world.told->batches.size() == 1);
  CHECK(world.told->batches[0].request_id == "http:ann:k");
  for (const auto& job : world.told->submitted)
    CHECK(job.request_id.empty());
  auto tags = json::object();
  for (auto i = 0; i < 90; ++i)
    tags["not a name " + std::to_string(i)] = "";
  bad = job_body();
  bad["tags"] = tags;
  auto faults = body_of(post({{"jobs", json(1000, bad)}}))["error"]["faults"];
  CHECK(faults.size() == json_reader::most_faults);
  bad.erase("tags");
  // Every job may say all that it can.
  for (auto i = 0; i < 12; ++i)
    bad["tags"]["tag-" + std::to_string(i)] = "x";
  bad["package_name"] = "b";
  CHECK(post({{"jobs", json(1024, bad)}}).status == 201);
}

TEST_CASE("an Idempotency-Key is the subject's own, for one path and body", "[bridge][http]") {
  auto world = route_world{};
  auto done = world.add_job(job_state::finished, verdict::fail, "ann");
  auto other = world.add_job(job_state::finished, verdict::fail, "ann");
  auto post = [&](const std::string& path, const std::string& token, const std::string& key) {
    return world.call("POST", path, token, json_text(job_body()), {{"idempotency-key", key}});
  };
  post("/jobs", "submit:a:b", "c");
  post("/jobs", "submit:a", "b:c");
  REQUIRE(world.told->submissions() == 2);
  CHECK(world.told->submitted[0].request_id != world.told->submitted[1].request_id);
  for (auto key : {std::string{}, std::string(300, 'k'), std::string{"a\x01"}}) {
    auto out = post("/jobs", "submit:ann", key);
    CHECK(fault_of(out) == "header.Idempotency-Key");
  }
  CHECK(world.told->submissions() == 2);
  for (auto id : {done, done, other})
    CHECK(world.call("POST", job_path(id, "/retry"), "submit:ann", {}, {{"idempotency-key", "k"}})
            .status
          == 201);
  REQUIRE(world.told->retried.size() == 3);
  const auto& retried = world.told->retried;
  CHECK(retried[0].request_id == "http:ann:k");
  CHECK(retried[0].request_digest == retried[1].request_digest);
  CHECK(retried[0].request_digest != retried[2].request_digest);
}

TEST_CASE("what an actor calls its fields is told as the caller knows it", "[bridge][http]") {
  auto world = route_world{};
  world.told->refuse = fault_at(ec::conflict, "request_id", "came before");
  auto out = world.call("POST", "/jobs", "submit:ann", json_text(job_body()));
  CHECK(out.status == 409);
  CHECK(body_of(out)["error"]["place"] == "header.Idempotency-Key");
  world.told->refuse = fault_at(ec::invalid_argument, "cursor", "is not of this list");
  CHECK(fault_of(world.call("GET", "/jobs?cursor=x", "read:ann")) == "query.cursor");
}

TEST_CASE("every filter reaches the history", "[bridge][http]") {
  auto world = route_world{};
  auto out = world.call("GET",
                        "/jobs?state=queued&result=none&kind=test&queue=q&package=hello&owner=ann"
                        "&tag.dist=debian-12&cursor=c&limit=7",
                        "read:ann");
  REQUIRE(out.status == 200);
  REQUIRE(world.told->listed.size() == 1);
  const auto& query = world.told->listed[0];
  CHECK(query.state == job_state::queued);
  CHECK(query.result == verdict::none);
  CHECK(query.kind == "test");
  CHECK(query.queue == "q");
  CHECK(query.subject == "hello");
  CHECK(query.owner == "ann");
  CHECK(query.tags == labels{{"dist", "debian-12"}});
  CHECK(query.cursor == "c");
  CHECK(query.limit == 7);
}

TEST_CASE("a wrong query parameter is named", "[bridge][http]") {
  auto world = route_world{};
  auto place = [&](const std::string& query) {
    return fault_place(world.call("GET", "/jobs?" + query, "read:ann"));
  };
  CHECK(place("state=done") == "query.state");
  CHECK(place("limit=0") == "query.limit");
  CHECK(place("limit=1001") == "query.limit");
  CHECK(place("limit=1x") == "query.limit");
  CHECK(place("stat=queued") == "query.stat");
  CHECK(place("tag.=x") == "query.tag.");
  CHECK(place("kind=a&kind=b") == "query.kind");
  CHECK(place("owner=a\nb") == "query.owner");
  auto twice = world.call("GET", "/jobs?kind=a&limit=1&kind=b&kind=c", "read:ann");
  CHECK(body_of(twice)["error"]["faults"].size() == 1);
  auto many = std::string{};
  for (auto i = 0; i < 1000; ++i)
    many += "x" + std::to_string(i) + "=1&";
  auto out = world.call("GET", "/jobs?" + many, "read:ann");
  CHECK(body_of(out)["error"]["faults"].size() == json_reader::most_faults);
}

TEST_CASE("a job is shown without its packed spec", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::running);
  auto out = world.call("GET", job_path(id), "read:bob");
  REQUIRE(out.status == 200);
  auto body = body_of(out);
  CHECK(body["job_id"] == to_string(id));
  CHECK(body["state"] == "running");
  CHECK_FALSE(body.contains("spec"));
  for (auto path : {"/jobs/01890000-0000-7000-8000-000000000000", "/jobs/nonsense"}) {
    auto refused = world.call("GET", path, "read:bob");
    CHECK(refused.status == 404);
    CHECK(body_of(refused)["error"]["place"] == "job_id");
  }
}

TEST_CASE("a watch answers as soon as the job is newer", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::running);
  CHECK(body_of(world.call("GET", job_path(id, "/watch?newer_than=0"), "read:a"))["version"] == 1);
  auto in = world.request("GET", job_path(id, "/watch?newer_than=1"), "read:a");
  in.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{300};
  auto out = world.routes().handle(in);
  CHECK(out.status == 200);
  CHECK(body_of(out)["version"] == 1);
}

TEST_CASE("those who wait for changes leave workers to the others", "[bridge][http]") {
  auto world = route_world{};
  world.options.max_watches = 1;
  auto id = world.add_job(job_state::running);
  auto& shared = world.routes().context();
  auto first = std::async(std::launch::async, [&] {
    return world.call("GET", job_path(id, "/watch?newer_than=1"), "read:a");
  });
  while (shared.watches == 0)
    std::this_thread::yield();
  auto second = world.call("GET", job_path(id, "/watch?newer_than=1"), "read:a");
  CHECK(second.status == 503);
  CHECK(header_of(second, "Retry-After") == "1");
  CHECK(world.call("GET", job_path(id), "read:a").status == 200);
  auto view = world.told->jobs[id];
  view.version = 2;
  world.told->put(view);
  CHECK(first.get().status == 200);
  CHECK(shared.watches == 0);
  CHECK(world.call("GET", job_path(id, "/watch?newer_than=1"), "read:a").status == 200);
}

TEST_CASE("only its owner or an admin may end a job", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::running);
  auto out = world.call("POST", job_path(id, "/cancel"), "submit:bob");
  CHECK(out.status == 403);
  CHECK(world.told->canceled.empty());
  CHECK(world.call("POST", job_path(id, "/cancel"), "submit:ann").status == 200);
  CHECK(world.call("POST", job_path(id, "/cancel"), "admin:root").status == 200);
  CHECK(world.told->canceled.size() == 2);
}

TEST_CASE("canceling a finished job says that it is finished", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  auto out = world.call("POST", job_path(id, "/cancel"), "submit:ann");
  CHECK(out.status == 200);
  CHECK(body_of(out)["result"] == "pass");
  CHECK(world.told->canceled.empty());
}

TEST_CASE("only a finished job of one's own is retried", "[bridge][http]") {
  auto world = route_world{};
  auto running = world.add_job(job_state::running);
  auto done = world.add_job(job_state::finished, verdict::fail);
  CHECK(world.call("POST", job_path(running, "/retry"), "submit:ann").status == 409);
  CHECK(world.call("POST", job_path(done, "/retry"), "submit:bob").status == 403);
  auto out = world.call("POST", job_path(done, "/retry"), "submit:ann");
  CHECK(out.status == 201);
  CHECK(header_of(out, "Location").starts_with("/jobs/"));
  REQUIRE(world.told->retried.size() == 1);
  CHECK(world.told->retried[0].job == done);
  CHECK(world.told->retried[0].request_id.empty());
}

TEST_CASE("a command without fields refuses those that it gets", "[bridge][http]") {
  auto world = route_world{};
  auto running = world.add_job(job_state::running);
  auto done = world.add_job(job_state::finished, verdict::fail);
  for (auto path : {job_path(running, "/cancel"), job_path(done, "/retry")}) {
    INFO(path);
    auto post = [&](const char* body) { return world.call("POST", path, "submit:ann", body); };
    CHECK(fault_of(post(R"({"force":true})")) == "force");
    CHECK(fault_of(post("[]")) == "body");
    CHECK(post("force=true").status == 400);
  }
  CHECK(world.told->canceled.empty());
  CHECK(world.told->retried.empty());
  for (auto body : {"", "{}"}) {
    CHECK(world.call("POST", job_path(running, "/cancel"), "submit:ann", body).status == 200);
    CHECK(world.call("POST", job_path(done, "/retry"), "submit:ann", body).status == 201);
  }
}

TEST_CASE("live asks no actor, ready asks them all", "[bridge][http]") {
  auto world = route_world{};
  CHECK(world.call("GET", "/healthz/ready").status == 200);
  world.told->accepting = false;
  auto out = world.call("GET", "/healthz/ready");
  CHECK(out.status == 503);
  CHECK(header_of(out, "Retry-After") == "1");
  CHECK(body_of(out)["parts"][0]
        == json{{"part", "journal"}, {"ready", false}, {"text", "the disk guard refuses writes"}});
  world.remove_roles();
  out = world.call("GET", "/healthz/ready");
  CHECK(out.status == 503);
  auto ready = body_of(out);
  for (const auto& part : ready["parts"])
    CHECK(part["text"] == "absent");
  CHECK(world.call("GET", "/healthz/live").status == 200);
  CHECK(world.call("GET", "/health").body == "\"Ready\"");
}

TEST_CASE("an absent role is 503 on every route that needs one", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::running);
  world.remove_roles();
  for (auto path : {std::string{"/jobs"}, std::string{"/runners"}, std::string{"/queues"},
                    job_path(id), job_path(id, "/watch"), job_path(id, "/events"),
                    job_path(id, "/log"), job_path(id, "/artifacts"), job_path(id, "/tap"),
                    job_path(id, "/junit.xml"), job_path(id, "/artifacts/a.log")}) {
    INFO(path);
    auto out = world.call("GET", path, "read:ann");
    CHECK(out.status == 503);
    CHECK(header_of(out, "Retry-After") == "1");
  }
}

TEST_CASE("reports of other tools escape what a test wrote", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::finished, verdict::fail);
  auto view = world.told->jobs[id];
  auto step = stage{};
  step.name = "install_package";
  step.finished = true;
  step.why = reason::install_failed;
  step.note = "<b>\"&\n# SKIP";
  view.runs.push_back({});
  view.runs[0].stages = {step};
  world.told->put(view);
  auto xml = world.call("GET", job_path(id, "/junit.xml"), "read:ann").body;
  CHECK(xml.find("failures=\"1\"") != std::string::npos);
  CHECK(xml.find("&lt;b&gt;&quot;&amp;&#10;# SKIP") != std::string::npos);
  auto tap = world.call("GET", job_path(id, "/tap"), "read:ann").body;
  CHECK(tap == "TAP version 13\n1..1\nnot ok 1 - install_package\n# <b>\"&   SKIP\n");
}

TEST_CASE("an artifact's name cannot leave its run", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::finished, verdict::pass);
  world.told->write_log("0/dir/report.bin", "bytes", true);
  auto out = world.call("GET", job_path(id, "/artifacts/dir/report.bin"), "read:ann");
  CHECK(out.status == 200);
  CHECK(out.body == "bytes");
  CHECK(header_of(out, "Content-Disposition") == "attachment; filename=\"report.bin\"");
  for (auto name : {"../x", "a/../../x", "/etc/passwd", "a//b", ".", "a\nb", "absent"}) {
    INFO(name);
    auto refused = world.call("GET", job_path(id, "/artifacts/") + name, "read:ann");
    CHECK(refused.status == 404);
    CHECK(body_of(refused)["error"]["place"] == "name");
  }
}
