#include "nodes/cli/settings.hpp"

#include "config/text_file.hpp"
#include "nodes/cli/own_token.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>

namespace troupe::cli {

namespace {

constexpr auto longest_token = size_t{16} << 10;

std::string variable(const char* name) {
  auto value = std::getenv(name);
  return value ? value : "";
}

void trim(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
}

/// Whether it can stand in a header: visible characters only.
bool is_one_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// Returns a short-lived token for the node on this machine, empty if it has left no secret.
/// Errors: the secret exists but is not for us.
caf::expected<std::string> local_token(const settings& in) {
  auto secret = read_own_secret(data_folder(in));
  if (!secret)
    return explain(secret.error()).code == ec::not_found ? caf::expected<std::string>{std::string{}}
                                                         : std::move(secret.error());
  return sign_own_token(*secret, own_claims{});
}

} // namespace

bool is_loopback(const std::string& host) {
  auto v4 = in_addr{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

std::string data_folder(const settings& in) {
  if (!in.data.empty())
    return in.data;
  auto named = variable("TROUPE_DATA");
  return named.empty() ? "./troupe-data" : named;
}

std::string server_address(const settings& in) {
  if (!in.server.empty())
    return in.server;
  auto found = read_text_file(data_folder(in) + "/http.address", 256);
  if (!found)
    return "http://127.0.0.1:8000";
  trim(*found);
  // A node that listens everywhere also listens here.
  constexpr auto everywhere = std::string_view{"0.0.0.0:"};
  if (found->starts_with(everywhere))
    found->replace(0, everywhere.size(), "127.0.0.1:");
  return std::move(*found);
}

caf::expected<http_client_options> connection_of(const settings& in) {
  auto out = parse_server_url(server_address(in));
  if (!out)
    return fault_at(ec::invalid_argument, "--server", explain(out.error()).text);
  if (!in.token_file.empty()) {
    auto text = read_text_file(in.token_file, longest_token);
    if (!text)
      return fault_at(ec::invalid_argument, in.token_file, explain(text.error()).text);
    out->token = std::move(*text);
  } else if (auto token = variable("TROUPE_TOKEN"); !token.empty()) {
    out->token = std::move(token);
  } else if (is_loopback(out->host)) {
    auto own = local_token(in);
    if (!own)
      return std::move(own.error());
    out->token = std::move(*own);
  }
  trim(out->token);
  if (!is_one_word(out->token))
    return fault_at(ec::invalid_argument, in.token_file.empty() ? "TROUPE_TOKEN" : in.token_file,
                    "holds no token: a token is one word");
  return out;
}

} // namespace troupe::cli
