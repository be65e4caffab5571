#include "bridges/http/pages/pages.hpp"
#include "bridges/http/routes/call.hpp"

#include <algorithm>
#include <optional>

namespace troupe {

namespace {

/// Nothing from elsewhere, no inline script. swagger-ui sets style attributes, hence unsafe-inline
/// for styles alone. Source: spec/reliability_security.md S27.
constexpr auto content_policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
  "frame-ancestors 'none'";

/// Whether one item of Accept-Encoding, such as "gzip;q=0.5", takes gzip; nothing if it is about
/// another encoding.
std::optional<bool> takes_gzip(std::string_view item) {
  auto word = std::string{};
  for (auto c : item)
    if (c != ' ' && c != '\t')
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  auto name = word.substr(0, word.find(';'));
  if (name != "gzip" && name != "x-gzip" && name != "*")
    return std::nullopt;
  auto quality = word.find(";q=");
  return quality == std::string::npos || word.find_first_not_of("0.", quality + 3) != word.npos;
}

/// Whether the client has said that it takes gzip; an item of its own counts more than "*".
bool takes_gzip(const http_request& in) {
  auto any = false;
  auto [first, end] = in.headers.equal_range("accept-encoding");
  for (auto i = first; i != end; ++i)
    for (auto rest = std::string_view{i->second}; !rest.empty();) {
      auto comma = std::min(rest.find(','), rest.size());
      auto item = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      auto takes = takes_gzip(item);
      if (takes && item.find('*') == item.npos)
        return *takes;
      any = any || takes.value_or(false);
    }
  return any;
}

http_response serve_page(call& c) {
  auto page = find_page(c.at.path);
  if (!page)
    return c.fail(fault(ec::not_found, "there is no such page"));
  auto out = http_response{};
  out.content_type = page->content_type;
  if (takes_gzip(c.in)) {
    out.body = page->gzip;
    out.headers.emplace("Content-Encoding", "gzip");
  } else {
    out.body = plain_page(*page);
  }
  out.headers.emplace("Vary", "Accept-Encoding");
  out.headers.emplace("Content-Security-Policy", content_policy);
  out.headers.emplace("Referrer-Policy", "no-referrer");
  out.headers.emplace("Cache-Control", "public, max-age=300");
  return out;
}

http_response openapi(call& c) {
  auto out = http_response{};
  out.body = c.shared.openapi;
  return out;
}

route page_route(std::string_view path, std::string_view summary, std::string_view media) {
  return {.method = "GET",
          .path = path,
          .least = token_level::none,
          .tag = "docs",
          .summary = summary,
          .answers = {{200, "The page, compressed for those who take gzip.", {}, media}},
          .run = serve_page};
}

} // namespace

std::vector<route> docs_routes() {
  return {
    page_route("/", "Returns a page that leads on", "text/html"),
    page_route("/docs", "Returns the page that shows this document", "text/html"),
    page_route("/docs/start.js", "Returns a part of that page", "text/javascript"),
    page_route("/docs/swagger-ui.css", "Returns a part of that page", "text/css"),
    page_route("/docs/swagger-ui-bundle.js", "Returns a part of that page", "text/javascript"),
    {.method = "GET",
     .path = "/openapi.json",
     .least = token_level::none,
     .tag = "docs",
     .summary = "Returns this document",
     .answers = {{200, "OpenAPI 3.0.", {}}},
     .run = openapi},
  };
}

} // namespace troupe
