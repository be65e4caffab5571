#include "bridges/http/client.hpp"

#include "bridges/http/event_reader.hpp"

#include <httplib.h>

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

caf::error error_of(httplib::Error why, const std::string& place) {
  switch (why) {
    case httplib::Error::ConnectionTimeout:
      return fault_at(ec::timeout, place, "no connection in time");
    case httplib::Error::Connection: return fault_at(ec::unavailable, place, "no connection");
    default: return fault_at(ec::unavailable, place, "the connection was cut or too slow");
  }
}

} // namespace

std::string_view http_answer::header(const std::string& name) const {
  auto i = headers.find(name);
  return i == headers.end() ? std::string_view{} : std::string_view{i->second};
}

caf::expected<http_client_options> parse_server_url(std::string_view url) {
  auto out = http_client_options{};
  auto wrong = [&](const char* text) {
    return fault_at(ec::invalid_argument, std::string{url}, text);
  };
  auto rest = url;
  if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else if (rest.find("://") != rest.npos)
    return wrong("only http:// is spoken here");
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  auto colon = bracket == rest.npos ? rest.npos : rest.find(':', bracket);
  auto host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/?#@[] ") != host.npos)
    return wrong("must be http://host:port");
  if (colon != rest.npos) {
    auto digits = rest.substr(colon + 1);
    auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (fault != std::errc{} || stop != digits.data() + digits.size() || out.port == 0)
      return wrong("must be http://host:port");
  }
  out.host = host;
  return out;
}

struct http_client::connection {
  explicit connection(http_client_options o)
    : options{std::move(o)}, link{options.host, options.port} {
    link.set_connection_timeout(options.connect_timeout);
    link.set_read_timeout(options.read_timeout);
    link.set_write_timeout(options.read_timeout);
    link.set_tcp_nodelay(true);
    link.set_keep_alive(true);
    link.set_decompress(false);
  }

  std::string place() const {
    return options.host + ':' + std::to_string(options.port);
  }

  httplib::Request prepare(std::string_view method, const std::string& path,
                           const http_headers& headers) const {
    auto out = httplib::Request{};
    out.method = method;
    out.path = path;
    for (const auto& [name, value] : headers)
      out.headers.emplace(name, value);
    if (!options.token.empty() && !out.has_header("Authorization"))
      out.headers.emplace("Authorization", "Bearer " + options.token);
    return out;
  }

  /// Runs a request; `take` gets the body in pieces and may end it by false.
  caf::expected<http_answer>
  run(httplib::Request request,
      const std::function<bool(const http_answer&, std::string_view)>& take);

  const http_client_options options;
  httplib::Client link;
};

caf::expected<http_answer> http_client::connection::run(
  httplib::Request request, const std::function<bool(const http_answer&, std::string_view)>& take) {
  auto out = http_answer{};
  auto ended_here = false;
  auto too_large = false;
  auto take_head = [&](const httplib::Response& head) {
    out = {};
    out.status = head.status;
    for (const auto& [name, value] : head.headers)
      out.headers.emplace(lower(name), value);
    return true;
  };
  request.response_handler = take_head;
  request.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
    auto piece = std::string_view{bytes, size};
    if (take && out.status == 200 && out.header("content-type").starts_with("text/event-stream")) {
      ended_here = !take(out, piece);
      return !ended_here;
    }
    too_large = out.body.size() + size > options.max_body;
    if (!too_large)
      out.body.append(piece);
    return !too_large;
  };
  auto result = link.send(std::move(request));
  if (too_large)
    return fault_at(ec::too_large, place(), "the answer is too large");
  if (!result && !ended_here)
    return error_of(result.error(), place());
  // httplib shows a head only if a body may follow it, which 204 rules out.
  if (result && out.status == 0)
    take_head(*result);
  return out;
}

http_client::http_client(http_client_options options)
  : connection_{std::make_unique<connection>(std::move(options))} {}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

caf::expected<http_answer> http_client::request(std::string_view method, const std::string& path,
                                                std::string body, const http_headers& headers) {
  auto x = connection_->prepare(method, path, headers);
  if (!body.empty() && !x.has_header("Content-Type"))
    x.headers.emplace("Content-Type", "application/json");
  x.body = std::move(body);
  return connection_->run(std::move(x), nullptr);
}

caf::expected<http_answer> http_client::follow(const std::string& path, const http_headers& headers,
                                               const event_callback& on_event) {
  auto x = connection_->prepare("GET", path, headers);
  if (!x.has_header("Accept"))
    x.headers.emplace("Accept", "text/event-stream");
  auto reader = event_reader{};
  return connection_->run(std::move(x), [&](const http_answer&, std::string_view piece) {
    return reader.feed(piece, on_event);
  });
}

} // namespace troupe
