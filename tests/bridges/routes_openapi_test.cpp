/// The document at /openapi.json says what the table says.
#include "route_world.hpp"

#include <algorithm>
#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

void collect_references(const json& in, std::set<std::string>& out) {
  if (in.is_object() && in.contains("$ref") && in["$ref"].is_string())
    out.insert(in["$ref"].get<std::string>());
  if (in.is_structured())
    for (const auto& item : in)
      collect_references(item, out);
}

} // namespace

TEST_CASE("every route is documented and every reference resolves", "[bridge][http]") {
  auto world = route_world{};
  auto doc = body_of(world.call("GET", "/openapi.json"));
  CHECK(doc["openapi"] == "3.0.3");
  auto operations = size_t{0};
  auto ids = std::set<std::string>{};
  for (const auto& [path, methods] : doc["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      INFO(method << ' ' << path);
      ++operations;
      CHECK(ids.insert(operation["operationId"].get<std::string>()).second);
      CHECK_FALSE(operation["responses"].empty());
      CHECK(path.find('*') == std::string::npos);
    }
  CHECK(operations == world.routes().table().size());
  auto references = std::set<std::string>{};
  collect_references(doc, references);
  CHECK_FALSE(references.empty());
  for (const auto& name : references) {
    INFO(name);
    CHECK(doc.contains(json::json_pointer{name.substr(1)}));
  }
}

TEST_CASE("what needs a token says so in the document", "[bridge][http]") {
  auto world = route_world{};
  auto doc = body_of(world.call("GET", "/openapi.json"));
  for (const auto& row : world.routes().table()) {
    auto path = std::string{row.path};
    if (auto star = path.find("*}"); star != std::string::npos)
      path.erase(star, 1);
    auto method = std::string{row.method};
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    INFO(method << ' ' << path);
    CHECK(doc["paths"][path][method].contains("security") == (row.least > token_level::none));
    CHECK(doc["paths"][path][method].contains("requestBody") == static_cast<bool>(row.request));
  }
}

TEST_CASE("a schema carries the rules of the fields and hides secret ones", "[bridge][http]") {
  auto world = route_world{};
  auto schemas = body_of(world.call("GET", "/openapi.json"))["components"]["schemas"];
  const auto& request = schemas["schedule_request"];
  CHECK(request["required"] == json({"dist_name", "dist_version", "dist_arch", "package_name"}));
  CHECK(request["properties"]["priority"]["minimum"] == 1);
  CHECK(request["properties"]["priority"]["maximum"] == 10);
  CHECK(request["properties"]["package_name"]["pattern"]
        == "^[A-Za-z0-9][A-Za-z0-9+._:~-]{0,127}$");
  CHECK(request["properties"]["package_channel"]["enum"] == json({"stable", "beta"}));
  CHECK_FALSE(schemas["job_view"]["properties"].contains("spec"));
  CHECK(schemas["job_view"]["properties"]["state"]["enum"]
        == json({"queued", "running", "finished"}));
}

TEST_CASE("the documentation is served by us, compressed, without inline scripts",
          "[bridge][http]") {
  auto world = route_world{};
  for (auto path :
       {"/", "/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"}) {
    INFO(path);
    auto out = world.call("GET", path, {}, {}, {{"accept-encoding", "gzip"}});
    CHECK(out.status == 200);
    CHECK(header_of(out, "Content-Encoding") == "gzip");
    CHECK(header_of(out, "Vary") == "Accept-Encoding");
    CHECK(out.body.starts_with("\x1f\x8b"));
    auto policy = header_of(out, "Content-Security-Policy");
    CHECK(policy.find("script-src 'self';") != std::string::npos);
    CHECK(policy.find("http") == std::string::npos);
    auto plain = world.call("GET", path);
    CHECK(plain.status == 200);
    CHECK(header_of(plain, "Content-Encoding").empty());
    CHECK(header_of(plain, "Vary") == "Accept-Encoding");
    CHECK(plain.body.size() > out.body.size());
    CHECK_FALSE(plain.body.starts_with("\x1f\x8b"));
  }
  CHECK(world.call("GET", "/docs").body.find("</html>") != std::string::npos);
}

TEST_CASE("only who takes gzip gets it", "[bridge][http]") {
  auto world = route_world{};
  auto packed = [&](const char* accepted) {
    auto out = world.call("GET", "/docs", {}, {}, {{"accept-encoding", accepted}});
    CHECK(out.status == 200);
    return header_of(out, "Content-Encoding") == "gzip";
  };
  for (auto yes : {"gzip", "br, GZIP", "x-gzip", "*", "gzip;q=0.5", "identity;q=0, gzip; q=1.0",
                   "*;q=0, gzip", "br,gzip;q=0.001"}) {
    INFO(yes);
    CHECK(packed(yes));
  }
  for (auto no : {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "*, gzip;q=0",
                  "gzipped", "br;q=1, not-gzip"}) {
    INFO(no);
    CHECK_FALSE(packed(no));
  }
  auto two =
    std::multimap<std::string, std::string>{{"accept-encoding", "br"}, {"accept-encoding", "gzip"}};
  CHECK(header_of(world.call("GET", "/docs", {}, {}, two), "Content-Encoding") == "gzip");
}
