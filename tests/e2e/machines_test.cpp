/// The machine tracker as its users meet it: a real node, HTTP and the client.
/// Source: spec/machines.md 2.9, numbers 1, 11 and 12; the others are beside the AMQP bridge.
#include "messages/time.hpp"
#include "tests/support/node_process.hpp"
#include "tests/support/private_redis.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// What the README shows is of 2018, and must not be forgotten while the test runs.
const auto* const roles = R"(
  journal: {}
  machines: {}
  http:
    port: 0
    compat: {machines_open: true}
    metrics: {access: loopback}
)";

/// The list in the README of the original, and a machine of another datacenter.
const auto* const readme_list = R"([
  {"datacenter": "mdc1", "machine": "t-linux64-ms-100", "lastseen": "2018-11-08T08:47:50.939514"},
  {"datacenter": "mdc1", "machine": "t-linux64-ms-101", "lastseen": "2018-11-08T08:47:50.000000"},
  {"datacenter": "mdc2", "machine": "t-yosemite-r7-101", "lastseen": "2018-11-07T23:59:59.999999"}
])";

/// A node, and the client beside it.
struct machines_world {
  explicit machines_world(const std::string& with = roles) : node{with} {
    node.start();
  }

  finished_process client(std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {program("troupe"), "--server", node.server(), "--data", node.data()});
    return run_process(words);
  }

  /// Gives `text` to a verb as a file.
  finished_process client_with(const std::string& text, std::vector<std::string> words) const {
    auto file = folder.path() + "/list.json";
    std::ofstream{file} << text;
    words.push_back(file);
    return client(std::move(words));
  }

  /// The original's list in the order of datacenter and machine, as anybody may read it.
  json list(const std::string& path = "/machines") const {
    auto got = node.request("GET", path, "", {}, false);
    INFO(got.body);
    REQUIRE(got.status == 200);
    auto out = got.document();
    std::sort(out.begin(), out.end(), [](const json& a, const json& b) {
      return std::tie(a.at("datacenter"), a.at("machine"))
             < std::tie(b.at("datacenter"), b.at("machine"));
    });
    return out;
  }

  json machine(const std::string& id) const {
    auto got = node.get("/machines/" + id);
    INFO(got.body);
    REQUIRE(got.status == 200);
    return got.document();
  }

  json page(const std::string& query) const {
    auto got = node.get("/machines?" + query);
    INFO(got.body);
    REQUIRE(got.status == 200);
    return got.document();
  }

  temp_folder folder;
  node_process node;
};

json parsed(const std::string& text) {
  auto out = parse_json_text(text, {16, 1'000'000});
  INFO(text.substr(0, 1000));
  REQUIRE(out);
  return *out;
}

json many(size_t count) {
  auto out = json::array();
  for (auto i = size_t{0}; i < count; ++i) {
    auto number = std::to_string(100'000 + i);
    out.push_back({{"datacenter", i % 2 == 0 ? "mdc1" : "mdc2"},
                   {"machine", "m-" + number},
                   {"lastseen", "2018-11-08T08:47:50." + number}});
  }
  std::sort(out.begin(), out.end(), [](const json& a, const json& b) {
    return std::tie(a.at("datacenter"), a.at("machine"))
           < std::tie(b.at("datacenter"), b.at("machine"));
  });
  return out;
}

} // namespace

TEST_CASE("acceptance 1: what is preloaded is what is listed, and stays over kill -9",
          "[e2e][machines]") {
  auto world = machines_world{};
  CHECK(world.list() == json::array());
  auto done = world.client_with(readme_list, {"preload"});
  INFO(done.output);
  CHECK(done.exit_code == 0);
  CHECK(world.list() == parsed(readme_list));
  auto exported = world.client({"machines", "export"});
  CHECK(exported.exit_code == 0);
  CHECK(parsed(exported.output).size() == 3);
  world.node.crash();
  world.node.start();
  CHECK(world.list() == parsed(readme_list));
  // Twice is harmless.
  done = world.client_with(exported.output, {"--json", "preload"});
  CHECK(parsed(done.output).at("taken") == 0);
  CHECK(world.list() == parsed(readme_list));
  CHECK(world.node.stop() == 0);
}

TEST_CASE("an older list moves nothing back, unless it is forced", "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  const auto* older =
    R"([{"datacenter":"mdc1","machine":"t-linux64-ms-100","lastseen":"2018-11-08T08:00:00"}])";
  CHECK(world.client_with(older, {"preload"}).exit_code == 0);
  CHECK(world.list() == parsed(readme_list));
  CHECK(world.client_with(older, {"preload", "--force"}).exit_code == 0);
  CHECK(world.list()[0].at("lastseen") == "2018-11-08T08:00:00.000000");
  auto refused = world.client_with(R"([{"datacenter":"mdc1","machine":"a"}])", {"preload"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.output, Catch::Contains("[0].lastseen"));
  CHECK(world.client_with("{}", {"preload"}).exit_code == 2);
  CHECK(world.list().size() == 3);
}

TEST_CASE("the branch's list goes out and comes in", "[e2e][machines]") {
  const auto* list = R"([{"datacenter":"mdc1","machine":"a","lastseen":"2018-11-08T08:47:50.939514",
    "machines-last-status":"failed_failed","machines-last-taskid":"oYPA3sqfSUqWjmoifiVNXw"},
    {"datacenter":"mdc1","machine":"b","lastseen":"2018-11-08T08:47:50.939514",
    "machines-last-status":null,"machines-last-taskid":null}])";
  auto world = machines_world{};
  CHECK(world.client_with(list, {"preload"}).exit_code == 0);
  CHECK(world.list("/machines?fields=status") == parsed(list));
  auto one = world.machine("mdc1:a");
  CHECK(one.at("laststatus") == "failed_failed");
  CHECK(one.at("lasttaskid") == "oYPA3sqfSUqWjmoifiVNXw");
  CHECK(parsed(world.client({"machines", "export", "--status"}).output).at(0).size() == 5);
}

TEST_CASE("acceptance 11: unknown machines and odd paths are 404, %3A is a colon",
          "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  auto ask = [&](const std::string& path) {
    return world.node.request("GET", path, "", {}, false);
  };
  for (auto path : {"/machines/mdc1:t-linux64-ms-100", "/machines/mdc1%3At-linux64-ms-100"}) {
    auto got = ask(path);
    CHECK(got.status == 200);
    CHECK(got.document().at("lastseen") == "2018-11-08T08:47:50.939514");
  }
  CHECK(ask("/machines/mdc1%3At-linux64-ms-100?fields=lastseen").body
        == "\"2018-11-08T08:47:50.939514\"");
  for (auto path : {"/machines/mdc1:nobody", "/machines/nobody", "/machines/summary:x"}) {
    INFO(path);
    CHECK(ask(path).status == 404);
    CHECK(ask(path).body == "unknown machine");
  }
  for (auto path : {"/machines/", "//machines", "/machines//", "/machines//mdc1:t-linux64-ms-100",
                    "/machines/mdc1:t-linux64-ms-100/"}) {
    INFO(path);
    CHECK(ask(path).status == 404);
  }
  CHECK(world.node.request("PUT", "/machines", "", {}, false).status == 405);
  CHECK(world.client({"machines", "show", "mdc1:nobody"}).exit_code == 8);
  CHECK_THAT(world.client({"machines", "show", "mdc1:t-linux64-ms-100"}).output,
             Catch::Contains("2018-11-08T08:47:50.939514"));
}

TEST_CASE("acceptance 12: ten thousand machines are one list, or pages", "[e2e][machines]") {
  auto world = machines_world{};
  auto all = many(10'000);
  auto done = world.client_with(json_text(all), {"preload"});
  INFO(done.output);
  CHECK(done.exit_code == 0);
  CHECK(world.list() == all);
  auto paged = json::array();
  auto token = std::string{};
  do {
    auto page = world.page("sort=id&fields=lastseen&limit=999"
                           + (token.empty() ? "" : "&continuationToken=" + token));
    CHECK(page.at("machines").size() <= 999);
    for (auto& x : page.at("machines"))
      paged.push_back(std::move(x));
    token = page.value("continuationToken", "");
  } while (!token.empty());
  CHECK(paged == all);
  CHECK(world.page("datacenter=mdc2&limit=1000").at("machines").size() == 1000);
  CHECK(world.page("seen_after=2018-11-08T08:47:50.109999").at("machines").empty());
  auto oldest = world.page("limit=1").at("machines").at(0);
  CHECK(oldest.at("machine") == "m-100000");
  auto newest = world.page("limit=1&sort=-lastseen").at("machines").at(0);
  CHECK(newest.at("machine") == "m-109999");
  auto listed = world.client({"machines", "ls", "--datacenter", "mdc1", "--all", "--quiet"});
  CHECK(std::count(listed.output.begin(), listed.output.end(), '\n') == 5000);
}

TEST_CASE("a quarantined machine says by whom and why, until it is lifted", "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  auto id = std::string{"mdc1:t-linux64-ms-100"};
  auto done = world.client({"machines", "quarantine", id, "--for", "2h", "--why", "bad disk"});
  INFO(done.output);
  CHECK(done.exit_code == 0);
  auto one = world.machine(id);
  CHECK(one.at("quarantined") == true);
  CHECK(one.at("quarantineDetails").at(0).at("quarantineInfo") == "bad disk");
  CHECK(one.at("quarantineDetails").at(0).at("clientId") == "local");
  CHECK(one.at("lastseen") == "2018-11-08T08:47:50.939514");
  CHECK(world.page("quarantined=true").at("machines").size() == 1);
  CHECK(world.page("quarantined=false").at("machines").size() == 2);
  CHECK(world.list().size() == 3);
  CHECK(world.client({"machines", "lift", id}).exit_code == 0);
  CHECK(world.machine(id).at("quarantined") == false);
  CHECK(world.client({"machines", "quarantine", "mdc1:nobody"}).exit_code == 8);
  CHECK(world.client({"machines", "quarantine", id, "--for", "long"}).exit_code == 2);
}

TEST_CASE("what is expected and was never seen is missing", "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  auto done = world.client_with(
    R"(["mdc1:t-linux64-ms-100","mdc1:t-linux64-ms-999",{"datacenter":"mdc3","machine":"new"}])",
    {"--json", "machines", "expected", "set"});
  INFO(done.output);
  CHECK(done.exit_code == 0);
  CHECK(parsed(done.output).at("total") == 3);
  auto missing = world.page("state=missing&sort=id").at("machines");
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].at("machine") == "t-linux64-ms-999");
  CHECK(missing[0].at("missing") == true);
  CHECK(missing[0].at("lastseen").is_null());
  // They were not seen: the original's list does not have them.
  CHECK(world.list().size() == 3);
  CHECK(world.node.request("GET", "/machines/mdc3:new?fields=lastseen", "", {}, false).status
        == 404);
  const auto* seen = R"([{"datacenter":"mdc3","machine":"new","lastseen":"2026-01-01T00:00:00Z"}])";
  world.client_with(seen, {"preload"});
  CHECK(world.page("state=missing").at("machines").size() == 1);
  world.client_with(R"(["mdc3:new"])", {"machines", "expected", "set"});
  CHECK(world.page("state=missing").at("machines").empty());
}

TEST_CASE("a machine is forgotten until it is seen again", "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  auto id = std::string{"mdc2:t-yosemite-r7-101"};
  CHECK(world.client({"machines", "rm", id}).exit_code == 0);
  CHECK(world.client({"machines", "rm", id}).exit_code == 8);
  CHECK(world.list().size() == 2);
  world.node.crash();
  world.node.start();
  CHECK(world.list().size() == 2);
  // Old news are not a sign of life after it.
  world.client_with(readme_list, {"preload"});
  CHECK(world.list().size() == 2);
  auto news = json{{{"datacenter", "mdc2"},
                    {"machine", "t-yosemite-r7-101"},
                    {"lastseen", to_iso8601(now() + std::chrono::minutes{1})}}};
  CHECK(world.client_with(json_text(news), {"preload"}).exit_code == 0);
  CHECK(world.list().size() == 3);
}

TEST_CASE("machines are counted for people and for Prometheus", "[e2e][machines]") {
  auto world = machines_world{};
  world.client_with(readme_list, {"preload"});
  auto sums = world.node.get("/machines/summary");
  REQUIRE(sums.status == 200);
  CHECK(sums.document().at("total").at("total") == 3);
  CHECK(sums.document().at("total").at("stale") == 3);
  auto text = world.client({"machines", "summary"});
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.output, Catch::Contains("mdc2"));
  auto scrape = world.node.request("GET", "/metrics", "", {}, false);
  CHECK_THAT(scrape.body, Catch::Contains("troupe_role_up{role=\"machines\"} 1")
                            && Catch::Contains("troupe_machines{datacenter=\"mdc1\",worker_type="));
  auto file = world.folder.path() + "/scrape.txt";
  std::ofstream{file} << scrape.body;
  auto checked = run_process({"/bin/sh", "-c", "exec /usr/bin/promtool check metrics < " + file});
  INFO(checked.output);
  CHECK(checked.exit_code == 0);
  CHECK(checked.output.empty());
}

TEST_CASE("wrong questions are refused with their place and exit code 2", "[e2e][machines]") {
  auto world = machines_world{};
  auto wrong = world.client({"machines", "ls", "--state", "happy"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.output, Catch::Contains("query.state"));
  CHECK(world.client({"machines", "ls", "--seen-before", "yesterday"}).exit_code == 2);
  CHECK(world.client({"machines", "ls", "--stale-for", "long"}).exit_code == 2);
  CHECK(world.node.get("/machines?continuationToken=forged").status == 422);
  CHECK(world.node.request("POST", "/machines", "[]", {}, false).status == 401);
}

TEST_CASE("the original's store comes in and goes out", "[e2e][machines]") {
  auto redis = private_redis{};
  redis.call({"HSET", "machines", "mdc1:a", "2018-11-08T08:47:50.939514", "mdc1:b",
              "2018-11-08T08:47:50", "oddity", "2018-11-08T08:47:50"});
  redis.call({"HSET", "machines-last-status", "mdc1:a", "exception_claim-expired", "mdc1:gone",
              "running_unresolved"});
  redis.call({"HSET", "machines-last-taskid", "mdc1:a", "oYPA3sqfSUqWjmoifiVNXw"});
  auto world = machines_world{};
  auto done = world.client({"preload", "--redis", redis.url()});
  INFO(done.output);
  CHECK(done.exit_code == 0);
  auto list = world.list("/machines?fields=status");
  REQUIRE(list.size() == 2);
  CHECK(list[0].at("lastseen") == "2018-11-08T08:47:50.939514");
  CHECK(list[0].at("machines-last-status") == "exception_claim-expired");
  CHECK(list[0].at("machines-last-taskid") == "oYPA3sqfSUqWjmoifiVNXw");
  CHECK(list[1].at("lastseen") == "2018-11-08T08:47:50.000000");
  CHECK(list[1].at("machines-last-status").is_null());
  redis.call({"FLUSHALL"});
  CHECK(world.client({"machines", "export", "--redis", redis.url()}).exit_code == 0);
  CHECK(redis.call({"HGET", "machines", "mdc1:b"}) == "2018-11-08T08:47:50.000000\n");
  CHECK(redis.call({"HGET", "machines-last-status", "mdc1:a"}) == "exception_claim-expired\n");
  CHECK(redis.call({"HLEN", "machines-last-taskid"}) == "1\n");
  CHECK(world.client({"preload", "--redis", "127.0.0.1"}).exit_code == 2);
  auto wrong = redis.url();
  wrong.replace(wrong.find("s3cret"), 6, "guess");
  auto refused = world.client({"preload", "--redis", wrong});
  INFO(refused.output);
  CHECK(refused.exit_code == 7);
  CHECK(world.client({"preload", "--redis", "redis://127.0.0.1:1"}).exit_code == 3);
}
