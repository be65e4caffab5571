/// The paths of the machine tracker: the original's and those beyond. Source: spec/machines.md 2.1.
#include "bridges/http/routes/machine_text.hpp"
#include "bridges/http/routes/naive_time.hpp"
#include "messages/time.hpp"
#include "recording_machines.hpp"
#include "route_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto host = "/machines/mdc1:t-linux64-ms-100";

std::string place_in(const http_response& out) {
  return body_of(out)["error"]["place"].get<std::string>();
}

} // namespace

TEST_CASE("times are written naive with six digits, and read with or without a zone",
          "[bridge][http][machines]") {
  auto time = parse_machine_time("2018-11-08T08:47:50.939514");
  REQUIRE(time);
  CHECK(to_naive(*time) == "2018-11-08T08:47:50.939514");
  CHECK(parse_machine_time("2018-11-08T08:47:50.939514Z") == time);
  CHECK(parse_machine_time("2018-11-08T09:47:50.939514+01:00") == time);
  CHECK(parse_machine_time("2018-11-08T06:47:50.939514-02:00") == time);
  // Python leaves the fraction out when it is 0; so must nobody else.
  CHECK(to_naive(*parse_machine_time("2018-11-08T08:47:50")) == "2018-11-08T08:47:50.000000");
  CHECK(to_naive(*parse_machine_time("2261-12-31T23:59:59.999999999"))
        == "2261-12-31T23:59:59.999999");
  CHECK(to_naive({}).empty());
  for (auto wrong : {"", "now", "2018-11-08", "2018-13-08T08:47:50", "2018-11-08T08:47:50+1",
                     "2018-11-08T08:47:50.1234567890"}) {
    INFO(wrong);
    CHECK_FALSE(parse_machine_time(wrong));
  }
}

TEST_CASE("the list is the original's to the byte", "[bridge][http][machines]") {
  auto world = route_world{};
  auto out = world.call("GET", "/machines", "read:ann");
  CHECK(out.status == 200);
  CHECK(out.content_type == "application/json");
  CHECK(out.body == "[]");
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50.939514", "running_unresolved",
                      "oYPA3sqfSUqWjmoifiVNXw");
  world.machines->see("mdc2:t-yosemite-r7-101", "2018-11-08T08:47:51");
  out = world.call("GET", "/machines", "read:ann");
  CHECK(out.body == R"([
  {
    "datacenter": "mdc1",
    "machine": "t-linux64-ms-100",
    "lastseen": "2018-11-08T08:47:50.939514"
  },
  {
    "datacenter": "mdc2",
    "machine": "t-yosemite-r7-101",
    "lastseen": "2018-11-08T08:47:51.000000"
  }
])");
  CHECK(world.call("GET", "/machines?fields=lastseen", "read:ann").body == out.body);
  out = world.call("GET", "/machines?fields=status", "read:ann");
  CHECK(body_of(out)[0]["machines-last-status"] == "running_unresolved");
  CHECK(body_of(out)[0]["machines-last-taskid"] == "oYPA3sqfSUqWjmoifiVNXw");
  CHECK(body_of(out)[1]["machines-last-status"].is_null());
  CHECK(body_of(out)[1]["machines-last-taskid"].is_null());
  CHECK(body_of(out)[1].size() == 5);
}

TEST_CASE("a list in several pieces is one list, and odd texts stay JSON",
          "[bridge][http][machines]") {
  auto writer = sighting_writer{sighting_fields::status};
  writer.add({{"a:\"b\\\n", *parse_machine_time("2018-11-08T08:47:50"), "\x7f", ""}});
  writer.add(std::vector<machine_sighting>{});
  writer.add({{"nocolon", {}, "", "é"}});
  auto list = parse_json_text(writer.finish());
  REQUIRE(list);
  REQUIRE(list->size() == 2);
  CHECK((*list)[0]["machine"] == "\"b\\\n");
  CHECK((*list)[0]["machines-last-status"] == "\x7f");
  CHECK((*list)[1]["datacenter"] == "nocolon");
  CHECK((*list)[1]["machine"] == "");
  CHECK((*list)[1]["machines-last-taskid"] == "é");
}

TEST_CASE("one machine is an object, or the original's bare string", "[bridge][http][machines]") {
  auto world = route_world{};
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50.939514", "running_unresolved",
                      "oYPA3sqfSUqWjmoifiVNXw");
  auto out = world.call("GET", host, "read:ann");
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["lastseen"] == "2018-11-08T08:47:50.939514");
  CHECK(body_of(out)["laststatus"] == "running_unresolved");
  CHECK(body_of(out)["lasttaskid"] == "oYPA3sqfSUqWjmoifiVNXw");
  CHECK(body_of(out)["recentTasks"].is_array());
  out = world.call("GET", std::string{host} + "?fields=lastseen", "read:ann");
  CHECK(out.body == "\"2018-11-08T08:47:50.939514\"");
  CHECK(out.content_type == "application/json");
  world.machines->see("mdc1:never", "");
  CHECK(world.call("GET", "/machines/mdc1:never", "read:ann").status == 200);
  CHECK(body_of(world.call("GET", "/machines/mdc1:never", "read:ann"))["lastseen"].is_null());
  CHECK(world.call("GET", "/machines/mdc1:never?fields=lastseen", "read:ann").status == 404);
}

TEST_CASE("an unknown machine is 404 in the original's words, or in ours for those who take JSON",
          "[bridge][http][machines]") {
  auto world = route_world{};
  for (auto path : {host, "/machines/nobody", "/machines/mdc1:x/tasks"}) {
    INFO(path);
    auto out = world.call("GET", path, "read:ann");
    CHECK(out.status == 404);
    CHECK(out.body == "unknown machine");
    CHECK(out.content_type == "text/html; charset=utf-8");
    out = world.call("GET", path, "read:ann", {}, {{"accept", "application/json"}});
    CHECK(out.status == 404);
    CHECK(body_of(out)["error"]["code"] == "not_found");
  }
  for (auto path : {"/machines/", "//machines", "/machines//", "/machines/a:b/"})
    CHECK(world.call("GET", path, "read:ann").status == 404);
  auto out = world.call("PATCH", "/machines", "admin:ann");
  CHECK(out.status == 405);
  CHECK(header_of(out, "Allow") == "GET, HEAD, POST");
  out = world.call("POST", host, "admin:ann");
  CHECK(out.status == 405);
  CHECK(header_of(out, "Allow") == "GET, HEAD, DELETE");
}

TEST_CASE("reading needs no token where the configuration says so; changing always does",
          "[bridge][http][machines]") {
  auto closed = route_world{};
  CHECK(closed.call("GET", "/machines").status == 401);
  auto world = route_world{};
  world.options.compat.machines_open = true;
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50");
  CHECK(world.call("GET", "/machines").status == 200);
  CHECK(world.call("GET", host).status == 200);
  CHECK(world.call("POST", "/machines", {}, "[]").status == 401);
  CHECK(world.call("POST", "/machines", "submit:ann", "[]").status == 403);
  CHECK(world.call("DELETE", host).status == 401);
  CHECK(world.call("PUT", std::string{host} + "/quarantine", "read:ann", "{}").status == 403);
}

TEST_CASE("filters reach the tracker, and make a page of records", "[bridge][http][machines]") {
  auto world = route_world{};
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50");
  auto out = world.call("GET",
                        "/machines?datacenter=mdc1&workerType=w&provisionerId=p&state=lost"
                        "&quarantined=false&stale_for=3600&seen_before=2018-11-09T00:00:00"
                        "&seen_after=2018-11-07T00:00:00Z&sort=-lastseen&limit=7"
                        "&continuationToken=more",
                        "read:ann");
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["machines"][0]["machine"] == "t-linux64-ms-100");
  CHECK(body_of(out)["machines"][0].contains("state"));
  CHECK(body_of(out)["continuationToken"] == "next");
  REQUIRE(world.machines->listed.size() == 1);
  const auto& asked = world.machines->listed[0];
  CHECK(asked.datacenter == "mdc1");
  CHECK(asked.worker_type == "w");
  CHECK(asked.provisioner == "p");
  CHECK(asked.state == machine_filter::lost);
  CHECK(asked.quarantined == false);
  CHECK(asked.stale_for == std::chrono::hours{1});
  CHECK(to_iso8601(asked.seen_before) == "2018-11-09T00:00:00.000Z");
  CHECK(to_iso8601(asked.seen_after) == "2018-11-07T00:00:00.000Z");
  CHECK(asked.order == machine_order::newest);
  CHECK(asked.limit == 7);
  CHECK(asked.after == "more");
  auto narrow = body_of(world.call("GET", "/machines?limit=1&fields=status", "read:ann"));
  CHECK(narrow["machines"][0].size() == 5);
  CHECK(narrow["machines"][0]["lastseen"] == "2018-11-08T08:47:50.000000");
}

TEST_CASE("a wrong filter is refused by name", "[bridge][http][machines]") {
  auto world = route_world{};
  for (auto [query, place] : {std::pair{"state=happy", "query.state"},
                              {"limit=0", "query.limit"},
                              {"limit=ten", "query.limit"},
                              {"stale_for=1h", "query.stale_for"},
                              {"seen_before=yesterday", "query.seen_before"},
                              {"seen_after=", "query.seen_after"},
                              {"sort=name", "query.sort"},
                              {"quarantined=maybe", "query.quarantined"},
                              {"fields=none", "query.fields"},
                              {"dc=mdc1", "query.dc"},
                              {"limit=1&limit=2", "query.limit"},
                              {"continuationToken=bad", "query.continuationToken"}}) {
    INFO(query);
    auto out = world.call("GET", std::string{"/machines?"} + query, "read:ann");
    CHECK(out.status == 422);
    CHECK(place_in(out) == place);
  }
  CHECK(world.call("GET", std::string{host} + "/tasks?continuationToken=bad", "read:ann").status
        == 422);
}

TEST_CASE("an import reads what the list writes, with the branch's names too",
          "[bridge][http][machines]") {
  auto world = route_world{};
  auto body = R"([{"machine":"a","datacenter":"mdc1","lastseen":"2018-11-08T08:47:50.939514"},
    {"machine":"b","datacenter":"mdc1","lastseen":"2018-11-08T08:47:50+01:00",
     "machines-last-status":"failed_failed","machines-last-taskid":null,"more":[1]},
    {"machine":"c","datacenter":"mdc2","lastseen":"2018-11-08T08:47:50Z",
     "laststatus":"completed_completed","lasttaskid":"oYPA3sqfSUqWjmoifiVNXw"}])";
  auto out = world.call("POST", "/machines?force=true", "admin:ann", body);
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["taken"] == 3);
  REQUIRE(world.machines->imported.size() == 1);
  const auto& what = world.machines->imported[0];
  CHECK(what.force);
  CHECK(what.by == "ann");
  REQUIRE(what.machines.size() == 3);
  CHECK(what.machines[0].id == "mdc1:a");
  CHECK(to_naive(what.machines[0].lastseen) == "2018-11-08T08:47:50.939514");
  CHECK(to_naive(what.machines[1].lastseen) == "2018-11-08T07:47:50.000000");
  CHECK(what.machines[1].laststatus == "failed_failed");
  CHECK(what.machines[1].lasttaskid.empty());
  CHECK(what.machines[2].laststatus == "completed_completed");
  CHECK(what.machines[2].lasttaskid == "oYPA3sqfSUqWjmoifiVNXw");
}

TEST_CASE("a wrong import is refused as a whole, with the place of each fault",
          "[bridge][http][machines]") {
  auto world = route_world{};
  CHECK(world.call("POST", "/machines", "admin:ann", "[").status == 400);
  CHECK(world.call("POST", "/machines", "admin:ann", "{}").status == 422);
  const auto good =
    std::string{R"({"datacenter":"mdc1","machine":"a","lastseen":"2018-11-08T08:47:50"},)"};
  for (auto [item, place] :
       {std::pair{R"({"datacenter":"mdc1","machine":"a"})", "[1].lastseen"},
        {R"({"datacenter":"mdc1","machine":"a:b","lastseen":"2018-11-08T08:47:50"})",
         "[1].machine"},
        {R"({"datacenter":"","machine":"a","lastseen":"2018-11-08T08:47:50"})", "[1].datacenter"},
        {R"({"datacenter":"m/d","machine":"a","lastseen":"2018-11-08T08:47:50"})",
         "[1].datacenter"},
        {R"({"datacenter":"mdc1","machine":7,"lastseen":"2018-11-08T08:47:50"})", "[1].machine"},
        {R"({"datacenter":"mdc1","machine":"a","lastseen":"yesterday"})", "[1].lastseen"},
        {R"({"datacenter":"mdc1","machine":"a","lastseen":"2200-01-01T00:00:00"})", "[1].lastseen"},
        {"7", "[1]"}}) {
    INFO(item);
    auto out = world.call("POST", "/machines", "admin:ann", '[' + good + item + ']');
    CHECK(out.status == 422);
    CHECK(place_in(out) == place);
  }
  CHECK(world.machines->imported.empty());
}

TEST_CASE("ten thousand machines are one import", "[bridge][http][machines]") {
  auto world = route_world{};
  auto list = json::array();
  for (auto i = 0; i < 10'000; ++i)
    list.push_back({{"datacenter", "mdc1"},
                    {"machine", "m-" + std::to_string(i)},
                    {"lastseen", "2018-11-08T08:47:50.939514"}});
  CHECK(world.call("POST", "/machines", "admin:ann", json_text(list)).status == 200);
  REQUIRE(world.machines->imported.size() == 1);
  CHECK(world.machines->imported[0].machines.size() == 10'000);
}

TEST_CASE("a machine is put into quarantine, and out of it", "[bridge][http][machines]") {
  auto world = route_world{};
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50");
  auto path = std::string{host} + "/quarantine";
  auto out = world.call("PUT", path, "submit:ann",
                        R"({"quarantineUntil":"2030-01-01T00:00:00Z","quarantineInfo":"disk"})");
  CHECK(out.status == 200);
  CHECK(world.call("DELETE", path, "submit:bob").status == 200);
  REQUIRE(world.machines->marked.size() == 2);
  CHECK(world.machines->marked[0].id == "mdc1:t-linux64-ms-100");
  CHECK(to_iso8601(world.machines->marked[0].until) == "2030-01-01T00:00:00.000Z");
  CHECK(world.machines->marked[0].why == "disk");
  CHECK(world.machines->marked[0].by == "ann");
  CHECK(world.machines->marked[1].until == caf::timestamp{});
  out = world.call("PUT", path, "submit:ann", "{}");
  CHECK(out.status == 422);
  CHECK(place_in(out) == "quarantineUntil");
  CHECK(world.call("PUT", path, "submit:ann", R"({"until":"2030-01-01T00:00:00Z"})").status == 422);
  CHECK(world.call("DELETE", "/machines/mdc1:x/quarantine", "submit:ann").body
        == "unknown machine");
}

TEST_CASE("an inventory names machines as texts or as the list does", "[bridge][http][machines]") {
  auto world = route_world{};
  auto out = world.call("POST", "/machines/expected", "admin:ann",
                        R"({"machines":["mdc1:a",{"datacenter":"mdc1","machine":"b","x":1}],)"
                        R"("replace":true})");
  CHECK(out.status == 200);
  REQUIRE(world.machines->expected.size() == 1);
  CHECK(world.machines->expected[0].ids == std::vector<std::string>{"mdc1:a", "mdc1:b"});
  CHECK(world.machines->expected[0].replace);
  for (auto [body, place] : {std::pair{R"({"machines":["mdc1:a","b"]})", "machines[1]"},
                             {R"({"machines":[{"machine":"b"}]})", "machines[0]"},
                             {R"({"machines":["a:b:c"]})", "machines[0]"},
                             {R"({"machines":{}})", "machines"},
                             {R"({"machines":[],"replace":1})", "replace"},
                             {R"({"machines":[],"merge":true})", "merge"}}) {
    INFO(body);
    out = world.call("POST", "/machines/expected", "admin:ann", body);
    CHECK(out.status == 422);
    CHECK(place_in(out) == place);
  }
}

TEST_CASE("a machine can be forgotten, its tasks listed, all counted", "[bridge][http][machines]") {
  auto world = route_world{};
  world.machines->see("mdc1:t-linux64-ms-100", "2018-11-08T08:47:50");
  auto tasks = world.call("GET", std::string{host} + "/tasks?limit=2", "read:ann");
  REQUIRE(tasks.status == 200);
  CHECK(body_of(tasks)["tasks"].size() == 2);
  CHECK(body_of(tasks)["continuationToken"] == "next");
  auto sums = world.call("GET", "/machines/summary?stale_for=60", "read:ann");
  REQUIRE(sums.status == 200);
  CHECK(body_of(sums)["total"]["total"] == 1);
  CHECK(world.call("DELETE", host, "admin:ann").status == 200);
  CHECK(world.call("DELETE", host, "admin:ann").status == 404);
  CHECK(world.call("GET", "/machines", "read:ann").body == "[]");
}

TEST_CASE("without the role machines the paths say that it is absent", "[bridge][http][machines]") {
  auto world = route_world{};
  world.remove_roles();
  CHECK(world.call("GET", "/machines", "read:ann").status == 503);
  CHECK(world.call("GET", host, "read:ann").status == 503);
  CHECK(world.call("POST", "/machines", "admin:ann", "[]").status == 503);
}
