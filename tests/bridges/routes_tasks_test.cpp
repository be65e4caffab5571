/// The paths of AlmaLinux ALTS. Source: spec/testing.md 1.1, 2.7.
#include "route_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

http_response schedule(route_world& world, const json& body,
                       std::multimap<std::string, std::string> headers = {}) {
  return world.call("POST", "/tasks/schedule", "submit:ann", json_text(body), std::move(headers));
}

/// Returns the location of the only fault of a 422.
json fault_loc(const http_response& out) {
  INFO(out.body);
  REQUIRE(out.status == 422);
  auto body = body_of(out);
  REQUIRE(body["detail"].size() == 1);
  return body["detail"][0]["loc"];
}

} // namespace

TEST_CASE("a scheduled task becomes a job with queue, tags and spec", "[bridge][http]") {
  auto world = route_world{};
  auto body = schedule_body();
  body["dist_version"] = "12-Slim";
  body["dist_arch"] = "i686";
  body["bs_task_id"] = 7;
  body["priority"] = 9;
  body["unknown"] = {{"is", "ignored"}};
  body["package_version"] = "2.10-3";
  body["repositories"] = {{{"baseurl", "http://a/"}},
                          {{"name", "b"}, {"url", "deb http://b/ ./"}},
                          {{"url", "https://c/"}}};
  body["test_configuration"] = {
    {"tests", {{{"url", "https://git/x/basic.git"}, {"test_dir", "./tests/"}}}},
    {"test_env", {{"extra_env_vars", {"A=1=2"}}, {"vm_ram_size", 5}}}};
  auto out = schedule(world, body);
  INFO(out.body);
  REQUIRE(out.status == 201);
  auto answer = body_of(out);
  CHECK(answer["success"] == true);
  CHECK(answer["api_version"] == "20210512");
  CHECK(parse_job_id(answer["task_id"].get<std::string>()));
  REQUIRE(world.told->submissions() == 1);
  const auto& job = world.told->submitted[0];
  CHECK(job.kind == "test");
  CHECK(job.queue == "docker-x86_64-0");
  CHECK(job.priority == 9);
  CHECK(job.owner == "ann");
  CHECK(job.subject == "hello");
  CHECK(job.tags
        == labels{{"dist", "debian-12-slim"},
                  {"arch", "i686"},
                  {"bs_task_id", "7"},
                  {"package_version", "2.10-3"}});
  auto test = unpack<test_spec>(job.spec);
  REQUIRE(test);
  CHECK(test->runner_type == "docker");
  CHECK(test->dist_version == "12-slim");
  REQUIRE(test->repositories.size() == 3);
  CHECK(test->repositories[0].name == "repo-0");
  CHECK(test->repositories[0].url == "http://a/");
  CHECK(test->repositories[1].name == "b");
  CHECK(test->repositories[2].name == "repo-1");
  REQUIRE(test->tests.size() == 1);
  CHECK(test->tests[0].name == "basic");
  CHECK(test->tests[0].test_dir == "tests");
  CHECK(test->tests[0].git_ref == "master");
  REQUIRE(test->variables.size() == 1);
  CHECK(test->variables[0].name == "A");
  CHECK(test->variables[0].value == "1=2");
}

TEST_CASE("a version may be a number", "[bridge][http]") {
  auto world = route_world{};
  REQUIRE(schedule(world, schedule_body()).status == 201);
  CHECK(world.told->submitted[0].tags["dist"] == "debian-12");
}

TEST_CASE("numbers and flags are read as laxly as by pydantic", "[bridge][http]") {
  auto world = route_world{};
  auto body = schedule_body();
  body["dist_version"] = 12.0;
  body["priority"] = "7";
  body["bs_task_id"] = " 41.0 ";
  body["package_epoch"] = 2.0;
  body["verbose"] = "Yes";
  auto out = schedule(world, body);
  INFO(out.body);
  REQUIRE(out.status == 201);
  const auto& job = world.told->submitted[0];
  CHECK(job.priority == 7);
  CHECK(job.tags.at("bs_task_id") == "41");
  CHECK(job.tags.at("dist") == "debian-12");
  auto test = unpack<test_spec>(job.spec);
  REQUIRE(test);
  CHECK(test->package_epoch == "2");
  CHECK(test->verbose);
  for (auto flag : {json("off"), json(0), json("F"), json(false), json(0.0)}) {
    body["verbose"] = flag;
    REQUIRE(schedule(world, body).status == 201);
    CHECK_FALSE(unpack<test_spec>(world.told->submitted.back().spec)->verbose);
  }
}

TEST_CASE("what pydantic cannot read is refused in its words", "[bridge][http]") {
  auto world = route_world{};
  auto refused = [&](const char* key, json value, const json& loc, const char* type) {
    auto body = schedule_body();
    body[json::json_pointer{key}] = std::move(value);
    auto out = schedule(world, body);
    CHECK(fault_loc(out) == loc);
    auto detail = body_of(out)["detail"][0];
    CHECK(detail["type"] == type);
    CHECK_FALSE(detail["msg"].get<std::string>().empty());
  };
  for (auto wrong : {json("5x"), json(""), json("+-5"), json("5."), json(".0"), json(5.5),
                     json("99999999999999999999"), json(1e300), json(true), json(nullptr)})
    refused("/priority", wrong, {"body", "priority"}, "int_type");
  for (auto wrong : {json("maybe"), json(2), json(-1), json(nullptr), json::array()})
    refused("/verbose", wrong, {"body", "verbose"}, "bool_type");
  refused("/repositories", nullptr, {"body", "repositories"}, "list_type");
  refused("/test_configuration/tests", nullptr, {"body", "test_configuration", "tests"},
          "list_type");
  for (auto key : {"runner_type", "dist_name", "dist_version", "dist_arch", "package_name"})
    refused((std::string{"/"} + key).c_str(), nullptr, {"body", key}, "string_type");
  refused("/dist_version", 9.4, {"body", "dist_version"}, "string_type");
  refused("/package_name", 5, {"body", "package_name"}, "string_type");
  refused("/test_configuration", "x", {"body", "test_configuration"}, "dict_type");
  refused("/package_name", "a;b", {"body", "package_name"}, "value_error");
  auto raw = [&](const char* body) {
    return body_of(world.call("POST", "/tasks/schedule", "submit:ann", body))["detail"][0];
  };
  CHECK(raw("{\"a\" 1}")["loc"] == json({"body", 5}));
  CHECK(raw("{\"a\" 1}")["type"] == "json_invalid");
  CHECK(raw("") == json{{"loc", {"body"}}, {"msg", "Field required"}, {"type", "missing"}});
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("results are called back to a path or a plain web address", "[bridge][http]") {
  auto world = route_world{};
  auto status = [&](const char* path, json body, const char* address) {
    body["callback_href"] = address;
    return world.call("POST", path, "submit:ann", json_text(body)).status;
  };
  auto native = schedule_body();
  native["dist_version"] = "12";
  for (auto good :
       {"https://host/x?y=1#z", "http://127.0.0.1:8080", "http://[::1]:80/a", "https://host/a@b"}) {
    INFO(good);
    CHECK(status("/tasks/schedule", schedule_body(), good) == 201);
    CHECK(status("/jobs", native, good) == 201);
  }
  CHECK(status("/tasks/schedule", schedule_body(), "/api/v1/tests/1/result/") == 201);
  CHECK(status("/jobs", native, "/api/v1/tests/1/result/") == 422);
  for (auto bad : {"//host/x", "ftp://host/", "file:///etc/passwd", "http://", "http:///x",
                   "https://user@host/", "https://user:word@host/", "http://host:0/",
                   "http://host:99999/", "http://host:/", "http://:80/", "http://[::1/",
                   "http://a b/", "http://host\\@other/", "javascript:alert(1)", "host/x"}) {
    INFO(bad);
    CHECK(status("/tasks/schedule", schedule_body(), bad) == 422);
    CHECK(status("/jobs", native, bad) == 422);
  }
}

TEST_CASE("null stands for absent", "[bridge][http]") {
  auto world = route_world{};
  auto body = schedule_body();
  for (auto key : {"package_version", "package_channel", "test_configuration", "module_name",
                   "callback_href", "bs_task_id", "package_epoch"})
    body[key] = nullptr;
  CHECK(schedule(world, body).status == 201);
}

TEST_CASE("a wrong field is named by its path and nothing is started", "[bridge][http]") {
  auto world = route_world{};
  auto with = [](const char* pointer, json value) {
    auto body = schedule_body();
    body[json::json_pointer{pointer}] = std::move(value);
    return body;
  };
  auto place = [&](const json& body) { return fault_loc(schedule(world, body)); };
  CHECK(place(with("/package_name", "a;b")) == json({"body", "package_name"}));
  CHECK(place(with("/package_name", "-rf")) == json({"body", "package_name"}));
  CHECK(place(with("/package_name", "")) == json({"body", "package_name"}));
  CHECK(place(with("/package_version", "1 2")) == json({"body", "package_version"}));
  CHECK(place(with("/dist_version", true)) == json({"body", "dist_version"}));
  CHECK(place(with("/dist_version", "../12")) == json({"body", "dist_version"}));
  CHECK(place(with("/priority", 11)) == json({"body", "priority"}));
  CHECK(place(with("/runner_type", "opennebula")) == json({"body", "runner_type"}));
  CHECK(place(with("/package_channel", "nightly")) == json({"body", "package_channel"}));
  CHECK(place(with("/repositories", "x")) == json({"body", "repositories"}));
  CHECK(place(with("/repositories", json::array({{{"name", "a"}}})))
        == json({"body", "repositories", 0, "baseurl"}));
  CHECK(place(with("/repositories", json::array({{{"url", "http://a\ndeb http://b ./"}}})))
        == json({"body", "repositories", 0, "url"}));
  CHECK(place(with("/repositories", json::array({{{"baseurl", "gopher://a"}}})))
        == json({"body", "repositories", 0, "baseurl"}));
  CHECK(place(with("/test_configuration/tests",
                   json::array({{{"url", "https://g/a.git"}, {"git_ref", "a;b"}}})))
        == json({"body", "test_configuration", "tests", 0, "git_ref"}));
  CHECK(place(with("/test_configuration/tests",
                   json::array({{{"url", "https://g/a.git"}, {"test_dir", "../../etc"}}})))
        == json({"body", "test_configuration", "tests", 0, "test_dir"}));
  CHECK(place(with("/test_configuration/test_env/extra_env_vars", json::array({"1A=b"})))
        == json({"body", "test_configuration", "test_env", "extra_env_vars", 0}));
  auto missing = schedule_body();
  missing.erase("dist_name");
  auto out = schedule(world, missing);
  CHECK(fault_loc(out) == json({"body", "dist_name"}));
  CHECK(body_of(out)["detail"][0]["type"] == "missing");
  CHECK(schedule(world, json::array()).status == 422);
  CHECK(world.call("POST", "/tasks/schedule", "submit:ann", "{").status == 422);
  CHECK(world.call("POST", "/tasks/schedule", "submit:ann", std::string(100'000, '[')).status
        == 422);
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("a platform that cannot be tested is 400 with a description", "[bridge][http]") {
  auto world = route_world{};
  for (auto [key, value] : {std::pair{"dist_name", "arch"}, {"dist_arch", "sparc"}}) {
    auto body = schedule_body();
    body[key] = value;
    auto out = schedule(world, body);
    CHECK(out.status == 400);
    auto answer = body_of(out);
    CHECK(answer["success"] == false);
    CHECK(answer["api_version"] == "20210512");
    CHECK(answer["error_description"].get<std::string>().starts_with(key));
  }
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("an Idempotency-Key names the request for its subject", "[bridge][http]") {
  auto world = route_world{};
  schedule(world, schedule_body(), {{"idempotency-key", "k1"}});
  schedule(world, schedule_body(), {{"idempotency-key", "k1"}});
  auto other = schedule_body();
  other["priority"] = 6;
  schedule(world, other, {{"idempotency-key", "k1"}});
  REQUIRE(world.told->submissions() == 3);
  const auto& jobs = world.told->submitted;
  CHECK(jobs[0].request_id == "http:ann:k1");
  CHECK(jobs[0].request_digest == jobs[1].request_digest);
  CHECK(jobs[0].request_digest != jobs[2].request_digest);
  CHECK(schedule(world, schedule_body(), {{"idempotency-key", std::string(300, 'k')}}).status
        == 422);
}

TEST_CASE("failures of the ledger keep their status", "[bridge][http]") {
  auto world = route_world{};
  for (auto [code, status] : {std::pair{ec::conflict, 409},
                              {ec::disk_full, 503},
                              {ec::saturated, 503},
                              {ec::unavailable, 503},
                              {ec::too_large, 413}}) {
    world.told->refuse = fault(code, "no");
    auto out = schedule(world, schedule_body());
    CHECK(out.status == status);
    CHECK(body_of(out)["success"] == false);
    CHECK((header_of(out, "Retry-After") == "1") == (status == 503));
  }
  world.remove_roles();
  auto out = schedule(world, schedule_body());
  CHECK(out.status == 503);
  CHECK(header_of(out, "Retry-After") == "1");
}

TEST_CASE("any goes to the least loaded queue when no runner is the default", "[bridge][http]") {
  auto world = route_world{};
  world.options.submission.default_runner.clear();
  REQUIRE(schedule(world, schedule_body()).status == 201);
  CHECK(world.told->submitted[0].queue == "fake-x86_64-0");
}

TEST_CASE("a task reads as Celery's states", "[bridge][http]") {
  auto world = route_world{};
  auto state = [&](job_state now, verdict result) {
    auto id = world.add_job(now, result);
    auto out = world.call("GET", "/tasks/" + to_string(id) + "/result", "read:ann");
    CHECK(out.status == 200);
    auto body = body_of(out);
    CHECK(body["api_version"] == "20210512");
    CHECK(body.contains("result") == (body["state"] == "SUCCESS"));
    return body["state"].get<std::string>();
  };
  CHECK(state(job_state::queued, verdict::none) == "PENDING");
  CHECK(state(job_state::running, verdict::none) == "STARTED");
  CHECK(state(job_state::finished, verdict::pass) == "SUCCESS");
  CHECK(state(job_state::finished, verdict::fail) == "SUCCESS");
  CHECK(state(job_state::finished, verdict::neutral) == "SUCCESS");
  CHECK(state(job_state::finished, verdict::error) == "FAILURE");
  CHECK(state(job_state::finished, verdict::timeout) == "FAILURE");
  CHECK(state(job_state::finished, verdict::canceled) == "REVOKED");
}

TEST_CASE("an unknown task is PENDING, or 404 when the compatibility is off", "[bridge][http]") {
  auto path = "/tasks/01890000-0000-7000-8000-000000000000/result";
  auto world = route_world{};
  auto out = world.call("GET", path, "read:ann");
  CHECK(out.status == 200);
  CHECK(body_of(out) == json{{"state", "PENDING"}, {"api_version", "20210512"}});
  CHECK(world.call("GET", "/tasks/nonsense/result", "read:ann").status == 200);
  auto strict = route_world{};
  strict.options.compat.alts_unknown_pending = false;
  CHECK(strict.call("GET", path, "read:ann").status == 404);
  world.remove_roles();
  CHECK(world.call("GET", path, "read:ann").status == 503);
}

TEST_CASE("the summary tells each stage, the tests and the logs", "[bridge][http]") {
  auto world = route_world{};
  auto id = world.add_job(job_state::finished, verdict::fail);
  auto view = world.told->jobs[id];
  auto install = stage{};
  install.name = "install_package";
  install.finished = install.success = true;
  install.log = artifact_ref{"install_package.log", 10, 5, "", false};
  auto integrity = stage{};
  integrity.name = "tests.package_integrity_tests";
  integrity.finished = true;
  integrity.output = "1..1\nnot ok 1\n";
  view.runs.push_back({});
  view.runs[0].stages = {install, integrity};
  world.told->put(view);
  auto body = body_of(world.call("GET", "/tasks/" + to_string(id) + "/result", "read:ann"));
  const auto& result = body["result"];
  CHECK(result["install_package"] == json{{"success", true}});
  CHECK(result["tests"]["package_integrity_tests"]
        == json{{"success", false}, {"output", "1..1\nnot ok 1\n"}});
  CHECK(result["skipped_tests"] == json::array());
  REQUIRE(result["logs"].size() == 1);
  CHECK(result["logs"][0]["name"] == "install_package_" + to_string(id) + ".log");
  CHECK(result["logs"][0]["type"] == "test_log");
}

TEST_CASE("tasks are canceled by the caller's own numbers only", "[bridge][http]") {
  auto world = route_world{};
  auto add = [&](std::string owner, job_state state, std::string number) {
    auto id = world.add_job(state, verdict::none, std::move(owner));
    world.told->jobs[id].tags["bs_task_id"] = std::move(number);
    return id;
  };
  auto mine = add("ann", job_state::running, "7");
  auto theirs = add("bob", job_state::queued, "7");
  add("ann", job_state::finished, "7");
  add("ann", job_state::queued, "8");
  auto out = world.call("POST", "/cancel_tasks", "submit:ann", R"({"bs_task_ids":[7]})");
  CHECK(out.status == 200);
  CHECK(body_of(out) == json{{"success", true}});
  CHECK(world.told->canceled == std::vector{mine});
  world.call("POST", "/cancel_tasks", "admin:root", R"({"bs_task_ids":[7]})");
  CHECK(std::count(world.told->canceled.begin(), world.told->canceled.end(), theirs) == 1);
}

TEST_CASE("canceling without numbers is 422", "[bridge][http]") {
  auto world = route_world{};
  auto cancel = [&](const char* body) {
    return fault_loc(world.call("POST", "/cancel_tasks", "submit:ann", body));
  };
  CHECK(cancel("{}") == json({"body", "bs_task_ids"}));
  CHECK(cancel(R"({"bs_task_ids":[1,"x"]})") == json({"body", "bs_task_ids", 1}));
  CHECK(cancel("[]") == json::array({"body"}));
  CHECK(cancel("") == json::array({"body"}));
  CHECK(cancel(R"({"bs_task_ids":null})") == json({"body", "bs_task_ids"}));
  CHECK(cancel(R"({"bs_task_ids":7})") == json({"body", "bs_task_ids"}));
  for (auto wrong : {"true", "null", "[1]", "{}", "1.5", "\"\""})
    CHECK(cancel(("{\"bs_task_ids\":[" + std::string{wrong} + "]}").c_str())
          == json({"body", "bs_task_ids", 0}));
  auto out = world.call("POST", "/cancel_tasks", "submit:ann", R"({"bs_task_ids":["7",8.0]})");
  CHECK(out.status == 200);
  REQUIRE(world.told->listed.size() == 2);
  CHECK(world.told->listed[0].tags.at("bs_task_id") == "7");
  CHECK(world.told->listed[1].tags.at("bs_task_id") == "8");
}
