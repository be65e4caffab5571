#include "bridges/amqp/endpoint.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe {

namespace {

caf::error bad_url(const char* why) {
  return fault(ec::invalid_argument, std::string{"not the address of a broker: "} + why);
}

int hex_digit(char c) {
  auto out = 0;
  auto [end, err] = std::from_chars(&c, &c + 1, out, 16);
  return err == std::errc{} && end == &c + 1 ? out : -1;
}

/// Undoes percent encoding; nothing if it is broken or hides a NUL, which would end the text
/// that the library is given.
std::optional<std::string> unescape(std::string_view text) {
  auto out = std::string{};
  for (auto i = size_t{0}; i < text.size(); ++i) {
    auto c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
        return std::nullopt;
      c = static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    }
    if (c == '\0')
      return std::nullopt;
    out.push_back(c);
  }
  return out;
}

bool take_scheme(std::string_view& text, amqp_endpoint& out) {
  for (auto [scheme, tls] : {std::pair{std::string_view{"amqps://"}, true}, {"amqp://", false}})
    if (text.substr(0, scheme.size()) == scheme) {
      text.remove_prefix(scheme.size());
      out.tls = tls;
      out.port = tls ? 5671 : 5672;
      return true;
    }
  return text.find("://") == std::string_view::npos;
}

/// "user:password@" off the front.
bool take_user(std::string_view& text, amqp_endpoint& out) {
  auto at = text.substr(0, text.find('/')).rfind('@');
  if (at == std::string_view::npos)
    return true;
  auto who = text.substr(0, at);
  text.remove_prefix(at + 1);
  auto colon = who.find(':');
  auto user = unescape(who.substr(0, colon));
  auto password = colon == std::string_view::npos ? std::string{} : unescape(who.substr(colon + 1));
  if (!user || !password)
    return false;
  out.user = std::move(*user);
  out.password = std::move(*password);
  return true;
}

bool take_port(std::string_view text, amqp_endpoint& out) {
  if (text.empty())
    return true;
  text.remove_prefix(1);
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), out.port);
  return err == std::errc{} && end == text.data() + text.size() && out.port != 0;
}

/// "host", "host:port", "[::1]:port".
bool take_place(std::string_view text, amqp_endpoint& out) {
  if (text.empty())
    return true;
  auto end = text.find(':');
  if (text.front() == '[') {
    auto close = text.find(']');
    if (close == std::string_view::npos)
      return false;
    out.host = std::string{text.substr(1, close - 1)};
    end = close + 1;
    if (end < text.size() && text[end] != ':')
      return false;
  } else {
    out.host = std::string{text.substr(0, end)};
  }
  auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (out.host.empty() || std::any_of(out.host.begin(), out.host.end(), odd))
    return false;
  return end >= text.size() || take_port(text.substr(end), out);
}

} // namespace

caf::expected<amqp_endpoint> parse_amqp_url(std::string_view text, const amqp_endpoint& defaults) {
  auto out = defaults;
  if (text.empty() || text.size() > 4096)
    return bad_url("empty or too long");
  if (!take_scheme(text, out))
    return bad_url("the scheme is amqp or amqps");
  if (!take_user(text, out))
    return bad_url("user or password is not well escaped");
  if (auto query = text.find('?'); query != std::string_view::npos)
    return bad_url("it has a query: use the keys of the configuration");
  if (auto slash = text.find('/'); slash != std::string_view::npos) {
    auto vhost = unescape(text.substr(slash + 1));
    if (!vhost)
      return bad_url("the virtual host is not well escaped");
    // "amqp://host/" is the host with the empty name for the specification, and the default
    // one for everybody else.
    if (!vhost->empty())
      out.vhost = std::move(*vhost);
    text = text.substr(0, slash);
  }
  if (!take_place(text, out))
    return bad_url("host or port");
  return out;
}

std::string to_string(const amqp_endpoint& x) {
  auto host = x.host.find(':') == std::string::npos ? x.host : '[' + x.host + ']';
  return host + ':' + std::to_string(x.port) + (x.vhost.starts_with('/') ? "" : "/") + x.vhost;
}

} // namespace troupe
