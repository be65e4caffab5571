/// The paths of EBS and those of dead tasks.
#include "route_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr const char* object_paths[] = {"/objects", "/objects/", "/api/objects", "/api/objects/"};

object_view stored_object() {
  auto out = object_view{};
  out.id = 1024;
  out.name = "lorem";
  out.content = "ipsum";
  out.tasks_total = 3;
  auto& task = out.tasks.emplace_back();
  task.id = "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60";
  task.state = task_state::done;
  task.spend = std::chrono::milliseconds{4'040};
  task.data = R"({"lines":3})";
  return out;
}

} // namespace

TEST_CASE("every spelling of the path makes an object, with and without a body", "[bridge][http]") {
  auto world = route_world{};
  for (auto path : object_paths) {
    INFO(path);
    auto out = world.call("POST", path, "submit:ann");
    CHECK(out.status == 201);
    CHECK(header_of(out, "Location")
          == "/objects/" + std::to_string(body_of(out)["id"].get<uint64_t>()));
    out = world.call("POST", path, "submit:ann", R"({"name":"lorem","content":"ipsum"})");
    CHECK(body_of(out)["name"] == "lorem");
  }
  REQUIRE(world.told->created.size() == 8);
  CHECK(world.told->created[0].name.empty());
  CHECK(world.told->created[7].content == "ipsum");
  CHECK(world.told->created[7].owner == "ann");
  CHECK(world.told->created[7].source == "http");
}

TEST_CASE("without a token nobody makes an object, unless the configuration says so",
          "[bridge][http]") {
  auto closed = route_world{};
  auto open = route_world{};
  open.options.compat.ebs_open = true;
  for (auto path : object_paths) {
    INFO(path);
    CHECK(closed.call("POST", path).status == 401);
    CHECK(closed.call("POST", path, "read:ann").status == 403);
    CHECK(open.call("POST", path).status == 201);
    CHECK(open.call("GET", path).status == 401);
  }
  CHECK(open.call("POST", "/objects/dead/retry", "", R"({"all":true})").status == 401);
  CHECK(closed.told->created.empty());
  REQUIRE(open.told->created.size() == 4);
  CHECK(open.told->created[0].owner.empty());
}

TEST_CASE("an object's Idempotency-Key becomes its request id", "[bridge][http]") {
  auto world = route_world{};
  world.call("POST", "/objects", "submit:ann", "", {{"idempotency-key", "k1"}});
  REQUIRE(world.told->created.size() == 1);
  CHECK(world.told->created[0].request_id == "http:ann:k1");
}

TEST_CASE("a wrong body of an object is refused with its place", "[bridge][http]") {
  auto world = route_world{};
  CHECK(world.call("POST", "/objects", "submit:ann", "{").status == 400);
  auto out = world.call("POST", "/objects", "submit:ann", R"({"name":7})");
  CHECK(out.status == 422);
  CHECK(body_of(out)["error"]["place"] == "name");
  CHECK(world.call("POST", "/objects", "submit:ann", R"({"nmae":"x"})").status == 422);
  CHECK(world.told->created.empty());
}

TEST_CASE("an object is shown with its tasks, results as JSON", "[bridge][http]") {
  auto world = route_world{};
  world.told->objects[1024] = stored_object();
  for (auto path : {"/objects/1024", "/api/objects/1024"}) {
    auto out = world.call("GET", path, "read:ann");
    REQUIRE(out.status == 200);
    auto body = body_of(out);
    CHECK(body["id"] == 1024);
    CHECK(body["content"] == "ipsum");
    CHECK(body["tasks"][0]["data"]["lines"] == 3);
    CHECK(body["tasks"][0]["spend"] == 40);
    CHECK(body["tasks"][0]["spend_seconds"] == 4.04);
  }
  auto out = world.call("GET", "/api/results/1024", "read:ann");
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["results"][0]["state"] == "done");
  CHECK(body_of(out)["results"][0]["data"]["lines"] == 3);
  CHECK(world.call("GET", "/objects/7", "read:ann").status == 404);
  CHECK(world.call("GET", "/objects/-1", "read:ann").status == 404);
  CHECK(world.call("GET", "/objects/99999999999999999999999", "read:ann").status == 404);
}

TEST_CASE("an id that is no number is refused in the words of the original", "[bridge][http]") {
  auto world = route_world{};
  auto out = world.call("GET", "/objects/abc", "read:ann");
  CHECK(out.status == 422);
  CHECK(body_of(out)
        == json::parse(R"({"detail":[{"loc":["path","object_id"],)"
                       R"("msg":"value is not a valid integer","type":"type_error.integer"}]})"));
  auto plain = route_world{};
  plain.options.compat.ebs_validation = false;
  CHECK(body_of(plain.call("GET", "/objects/abc", "read:ann"))["error"]["place"] == "object_id");
}

TEST_CASE("objects come in pages", "[bridge][http]") {
  auto world = route_world{};
  for (auto id = uint64_t{1}; id <= 3; ++id)
    world.told->objects[id].id = id;
  auto out = world.call("GET", "/objects?limit=2", "read:ann");
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["objects"].size() == 2);
  CHECK(body_of(out)["objects"][0]["id"] == 3);
  CHECK(body_of(world.call("GET", "/api/objects/?cursor=2", "read:ann"))["objects"].size() == 1);
  CHECK(world.call("GET", "/objects?limit=0", "read:ann").status == 422);
}

TEST_CASE("dead tasks are listed, retried and purged", "[bridge][http]") {
  auto world = route_world{};
  auto out = world.call("GET", "/objects/dead", "read:ann");
  REQUIRE(out.status == 200);
  CHECK(body_of(out)["tasks"][0]["data"]["a"] == 1);
  out = world.call("GET", "/objects/dead?cursor=x", "read:ann");
  CHECK(out.status == 422);
  CHECK(body_of(out)["error"]["place"] == "query.cursor");
  CHECK(world.call("POST", "/objects/dead/retry", "submit:ann", R"({"tasks":["9f0c"]})").status
        == 200);
  REQUIRE(world.told->revived.size() == 1);
  CHECK(world.told->revived[0].tasks == std::vector<std::string>{"9f0c"});
  CHECK(world.told->revived[0].by == "ann");
  CHECK(world.call("POST", "/objects/dead/purge", "admin:ann", R"({"all":true})").status == 200);
  CHECK(world.told->purged.size() == 1);
  // Nothing happens to all of them by accident.
  CHECK(world.call("POST", "/objects/dead/purge", "admin:ann").status == 422);
  CHECK(
    world.call("POST", "/objects/dead/retry", "submit:ann", R"({"all":true,"tasks":["x"]})").status
    == 422);
}

TEST_CASE("without the role objects the paths say that it is absent", "[bridge][http]") {
  auto world = route_world{};
  world.remove_roles();
  CHECK(world.call("POST", "/objects", "submit:ann").status == 503);
  CHECK(world.call("GET", "/objects/1024", "read:ann").status == 503);
}
