#pragma once

#include "messages/job.hpp"
#include "messages/json.hpp"
#include "nodes/cli/settings.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cli {

using query = std::vector<std::pair<std::string, std::string>>;

/// Returns "/path?name=value&..." with values escaped; empty values are left out.
std::string target(std::string path, const query& parameters);

/// Returns a path with everything escaped but its slashes.
std::string escaped_path(std::string_view path);

/// Returns the failure that an answer stands for. The server's own words win;
/// without them the status decides.
caf::error failure_of(const http_answer& answer);

/// Calls the native API of one server. When a call fails, address and token are
/// looked up again: a node may come back on another port, a token made here ends
/// after an hour.
///
/// Threads: one at a time; every call blocks.
class session {
public:
  /// Errors: as `connection_of`.
  static caf::expected<session> open(const settings& in);

  /// Returns the JSON of a 2xx answer. Errors: `failure_of` any other, those of the client.
  caf::expected<json> get(const std::string& path);
  caf::expected<json> post(const std::string& path, const json& body,
                           const http_headers& headers = {});
  caf::expected<json> put(const std::string& path, const json& body);
  caf::expected<json> remove(const std::string& path);
  /// Returns the bytes of a 2xx answer.
  caf::expected<std::string> get_bytes(const std::string& path);

  /// Returns a record of a 2xx answer; `raw` gets the JSON if it is not null.
  template <record T>
  caf::expected<T> get(const std::string& path, json* raw = nullptr) {
    auto in = get(path);
    if (!in)
      return std::move(in.error());
    auto x = as<T>(*in);
    if (raw)
      *raw = std::move(*in);
    return x;
  }

  /// Reads a live stream to its end. Errors: as `get`.
  caf::error follow(const std::string& path, const http_headers& headers,
                    const event_callback& on_event);

  /// Returns "http://host:port".
  std::string address() const;

  /// Reads a record of the server's JSON. Errors: `ec::corrupt` (not what this client knows).
  template <record T>
  static caf::expected<T> as(const json& in) {
    auto x = read_json<T>(in);
    if (!x)
      return fault(ec::corrupt, "unexpected answer: " + one_line(x.error()));
    return x;
  }

private:
  session(settings in, http_client_options to)
    : settings_{std::move(in)}, options_{to}, client_{std::move(to)} {}

  /// Looks up address and token again; returns whether there is another token.
  bool renew();
  /// Returns the failure of a call that got no answer, and prepares the next one.
  caf::error cut(const caf::error& why);
  caf::expected<std::string> request(std::string_view method, const std::string& path,
                                     std::string body, const http_headers& headers);
  caf::expected<json> send(std::string_view method, const std::string& path, const json& body,
                           const http_headers& headers);

  settings settings_;
  http_client_options options_;
  http_client client_;
};

} // namespace troupe::cli
