#include "bridges/http/client.hpp"
#include "tests/support/http_world.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::literals;

TEST_CASE("the client speaks to the server, and says when there is none", "[bridge][http]") {
  auto port = uint16_t{0};
  {
    auto w = world{[](const http_request& x) {
      auto out = echo(x);
      out.status = 201;
      out.body += x.header("authorization");
      return out;
    }};
    port = w.server.port();
    auto client = http_client{{"127.0.0.1", port, "secret"}};
    for (auto i = 0; i < 3; ++i) {
      auto answer = client.post("/jobs?x=1", "{}");
      REQUIRE(answer);
      CHECK(answer->status == 201);
      CHECK(answer->header("content-type") == "text/plain");
      CHECK(answer->body == "POST /jobs|x=1;|{}Bearer secret");
    }
    CHECK(w.server.counts().accepted == 1);
    auto plain = client.follow("/jobs", {}, [](const server_event&) { return true; });
    REQUIRE(plain);
    CHECK(plain->body == "GET /jobs||Bearer secret");
  }
  auto client = http_client{{"127.0.0.1", port}};
  auto answer = client.get("/");
  REQUIRE_FALSE(answer);
  CHECK(explain(answer.error()).code == ec::unavailable);
}

TEST_CASE("a server's address is read in its usual forms", "[bridge][http]") {
  auto at = [](std::string_view url) {
    auto x = parse_server_url(url);
    return x ? x->host + ' ' + std::to_string(x->port) : "refused"s;
  };
  CHECK(at("http://127.0.0.1:8001") == "127.0.0.1 8001");
  CHECK(at("http://host/") == "host 8000");
  CHECK(at("host:80") == "host 80");
  CHECK(at("http://[::1]:8001") == "::1 8001");
  CHECK(at("https://host") == "refused");
  CHECK(at("http://host/path") == "refused");
  CHECK(at("http://host:") == "refused");
  CHECK(at("http://host:99999") == "refused");
  CHECK(at("") == "refused");
}
