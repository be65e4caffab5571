#include "actors/runners/docker/engine_client.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace troupe {

namespace {

constexpr auto max_body = size_t{16} << 20;

} // namespace

caf::expected<engine_reply> engine_client::call(const engine_request& what,
                                                const call_limit& limit) {
  // A spare connection that the engine has closed meanwhile is seen before the
  // request is sent, so that no request is ever sent twice.
  auto line = std::exchange(spare_, std::nullopt);
  if (!line || !line->reusable()) {
    auto fresh = engine_connection::open(socket_, limit);
    if (!fresh)
      return std::move(fresh.error());
    line = std::move(*fresh);
  }
  if (auto why = line->ask(what, limit))
    return why;
  auto reply = read_rest(*line, limit);
  if (reply && line->reusable())
    spare_ = std::move(line);
  return reply;
}

caf::expected<engine_connection> engine_client::stream(const engine_request& what,
                                                       const call_limit& limit) const {
  auto line = engine_connection::open(socket_, limit);
  if (!line)
    return line;
  if (auto why = line->ask(what, limit))
    return why;
  return line;
}

caf::expected<engine_reply> read_rest(engine_connection& from, const call_limit& limit) {
  auto out = engine_reply{};
  for (;;) {
    auto how = from.next(limit);
    if (how == engine_connection::outcome::end)
      break;
    if (how != engine_connection::outcome::bytes)
      return to_error(how);
    if (out.body.size() + from.piece().size() > max_body)
      return fault(ec::too_large, "the container engine's answer is longer than 16 MiB");
    out.body += from.piece();
  }
  out.status = from.head().status();
  return out;
}

std::string find_engine_socket(const std::string& wanted) {
  constexpr auto scheme = std::string_view{"unix://"};
  if (!wanted.empty())
    return wanted.starts_with(scheme) ? wanted.substr(scheme.size()) : wanted;
  if (const auto* host = std::getenv("DOCKER_HOST"); host != nullptr) {
    auto text = std::string_view{host};
    if (text.starts_with(scheme))
      return std::string{text.substr(scheme.size())};
  }
  auto none = std::error_code{};
  for (const auto* path : {"/run/docker.sock", "/run/podman/podman.sock"})
    if (std::filesystem::is_socket(path, none))
      return path;
  return {};
}

} // namespace troupe
