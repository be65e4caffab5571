/// Who may call what: every role on every route. Source: spec/reliability_security.md S21.
#include "route_world.hpp"

#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// A path of the pattern with an id that no job has.
std::string example_path(std::string_view pattern) {
  auto out = std::string{};
  for (auto i = size_t{0}; i < pattern.size(); ++i) {
    if (pattern[i] != '{') {
      out += pattern[i];
      continue;
    }
    auto end = pattern.find('}', i);
    auto name = pattern.substr(i + 1, end - i - 1);
    out += name == "name*" ? "a.log" : "01890000-0000-7000-8000-000000000000";
    i = end;
  }
  return out;
}

} // namespace

TEST_CASE("a route answers exactly the roles that its table row allows", "[bridge][http]") {
  auto world = route_world{};
  auto cells = size_t{0};
  for (const auto& row : world.routes().table())
    for (auto name : enum_names<token_level>) {
      auto level = *enum_of<token_level>(name);
      auto token = level == token_level::none ? std::string{} : std::string{name} + ":eve";
      INFO(row.method << ' ' << row.path << " as " << name);
      auto out = world.call(std::string{row.method}, example_path(row.path), token, "{}");
      ++cells;
      if (level >= row.least) {
        CHECK(out.status != 401);
        CHECK(out.status != 403);
      } else if (level == token_level::none) {
        CHECK(out.status == (row.words == dialect::alts ? 403 : 401));
      } else {
        CHECK(out.status == 403);
      }
    }
  CHECK(cells == world.routes().table().size() * 4);
  CHECK(world.told->submissions() == 0);
}

TEST_CASE("nothing that changes state is open to readers", "[bridge][http]") {
  auto world = route_world{};
  for (const auto& row : world.routes().table()) {
    INFO(row.path);
    if (row.method != "GET")
      CHECK(row.least >= token_level::submit);
  }
}

TEST_CASE("a body is refused before it is read when the caller may not send it", "[bridge][http]") {
  auto world = route_world{};
  auto head = world.request("POST", "/jobs", "read:ann");
  head.headers.emplace("content-length", "100");
  auto verdict = world.routes().gate(head);
  REQUIRE(verdict.refuse);
  CHECK(verdict.refuse->status == 403);
  head = world.request("POST", "/jobs");
  head.headers.emplace("transfer-encoding", "chunked");
  verdict = world.routes().gate(head);
  REQUIRE(verdict.refuse);
  CHECK(verdict.refuse->status == 401);
  head = world.request("POST", "/nowhere", "admin:ann");
  head.headers.emplace("content-length", "100");
  verdict = world.routes().gate(head);
  REQUIRE(verdict.refuse);
  CHECK(verdict.refuse->status == 404);
  head = world.request("POST", "/jobs", "submit:ann");
  head.headers.emplace("content-length", "100");
  verdict = world.routes().gate(head);
  CHECK_FALSE(verdict.refuse);
  CHECK(verdict.max_body == 1 << 20);
}

TEST_CASE("a path without the method names those it has", "[bridge][http]") {
  auto world = route_world{};
  auto out = world.call("DELETE", "/jobs", "admin:ann");
  CHECK(out.status == 405);
  CHECK(header_of(out, "Allow") == "GET, HEAD, POST");
}

TEST_CASE("HEAD is answered wherever GET is, with the same rights", "[bridge][http]") {
  auto world = route_world{};
  for (const auto& row : world.routes().table()) {
    if (row.method != "GET" || row.path.ends_with("/watch"))
      continue;
    auto path = example_path(row.path);
    INFO(path);
    CHECK(world.call("HEAD", path, "read:eve").status
          == world.call("GET", path, "read:eve").status);
    CHECK(world.call("HEAD", path).status == world.call("GET", path).status);
  }
  auto out = world.call("HEAD", "/cancel_tasks", "admin:ann");
  CHECK(out.status == 405);
  CHECK(header_of(out, "Allow") == "POST");
}

TEST_CASE("paths match whole segments only", "[bridge][http]") {
  auto world = route_world{};
  for (auto path : {"/jobs/", "/jobsx", "//jobs", "/jobs//cancel", "/", "/job", "/docs/../jobs",
                    "/jobs/x/artifacts/", ""})
    if (std::string_view{path} != "/") {
      INFO(path);
      CHECK(world.call("GET", path, "admin:ann").status == 404);
    }
}

TEST_CASE("native paths ask for a token with 401", "[bridge][http]") {
  auto world = route_world{};
  auto out = world.call("GET", "/jobs");
  CHECK(out.status == 401);
  CHECK(header_of(out, "WWW-Authenticate") == "Bearer");
  CHECK(body_of(out)["error"]["code"] == "unauthorized");
  CHECK(world.call("GET", "/jobs", "forged").status == 401);
  for (auto given : {"Basic YTpi", "Basic", "Bearer", "Bearer ", " x", "bearerx y", "forged"}) {
    INFO(given);
    auto in = world.request("GET", "/jobs");
    in.headers.emplace("authorization", given);
    out = world.routes().handle(in);
    CHECK(out.status == 401);
    CHECK(header_of(out, "WWW-Authenticate") == "Bearer");
    in.method = "POST";
    in.headers.emplace("content-length", "2");
    auto verdict = world.routes().gate(in);
    REQUIRE(verdict.refuse);
    CHECK(verdict.refuse->status == 401);
    CHECK(header_of(*verdict.refuse, "WWW-Authenticate") == "Bearer");
  }
}

TEST_CASE("ALTS paths answer bad credentials in FastAPI's words", "[bridge][http]") {
  auto world = route_world{};
  auto in = world.request("GET", "/tasks/1/result");
  auto out = world.routes().handle(in);
  CHECK(out.status == 403);
  CHECK(body_of(out) == json{{"detail", "Not authenticated"}});
  in.headers.emplace("authorization", "Basic abc");
  out = world.routes().handle(in);
  CHECK(out.status == 403);
  CHECK(body_of(out) == json{{"detail", "Invalid authentication credentials"}});
  out = world.call("GET", "/tasks/1/result", "forged");
  CHECK(out.status == 401);
  CHECK(body_of(out) == json{{"detail", "Could not validate credentials"}});
  CHECK(header_of(out, "WWW-Authenticate") == "Bearer");
}

TEST_CASE("the token is what follows the last space of the credentials", "[bridge][http]") {
  auto world = route_world{};
  auto in = world.request("GET", "/jobs");
  in.headers.emplace("authorization", "bearer JWT read:ann");
  CHECK(world.routes().handle(in).status == 200);
}

TEST_CASE("a node whose link is down says which node it cannot join", "[bridge][http][cluster]") {
  auto world = route_world{};
  CHECK(world.call("GET", "/nodes", "read:ann").status == 503);
  auto far = node_view{};
  far.node = "state-1";
  far.state = node_state::lost;
  far.trouble = "silent for 3 s";
  world.add_link(far);
  auto out = world.call("GET", "/nodes", "read:ann");
  REQUIRE(out.status == 200);
  CHECK_THAT(out.body, Catch::Contains("\"state-1\"") && Catch::Contains("silent for 3 s")
                         && Catch::Contains("\"lost\""));
}
