#include "bridges/http/pages/pages.hpp"
#include "bridges/http/routes/call.hpp"

namespace troupe {

namespace {

/// Nothing from elsewhere, no inline script. swagger-ui sets style attributes, hence unsafe-inline
/// for styles alone. Source: spec/reliability_security.md S27.
constexpr auto content_policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
  "frame-ancestors 'none'";

http_response serve_page(call& c) {
  auto page = find_page(c.at.path);
  if (!page)
    return c.fail(fault(ec::not_found, "there is no such page"));
  auto accepted = c.in.header("accept-encoding");
  // Without the header every encoding is welcome. Source: RFC 9110 12.5.3.
  if (!accepted.empty() && accepted.find("gzip") == std::string_view::npos
      && accepted.find('*') == std::string_view::npos)
    return text_response(406, "This page is only to be had compressed with gzip.\n");
  auto out = http_response{};
  out.content_type = page->content_type;
  out.body = page->gzip;
  out.headers.emplace("Content-Encoding", "gzip");
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
          .answers = {{200, "The page, compressed with gzip.", {}, media},
                      {406, "The client refuses gzip.", {}, "text/plain"}},
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
