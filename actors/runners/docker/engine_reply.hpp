#pragma once

#include "messages/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// A whole answer of the container engine.
struct engine_reply {
  int status = 0;
  std::string body;
};

/// The calls that a runner makes.
enum class engine_call : uint8_t {
  probe, ///< _ping, info, lists, inspections of the engine itself.
  image,
  pull,
  create,
  start,
  inspect,
  exec_create,
  exec_start,
  exec_inspect,
  kill,
  put,
  get,
  remove,
};

/// What an answer means, whichever engine gave it.
enum class engine_meaning : uint8_t {
  ok,             ///< Done, or already so.
  no_image,       ///< The image is not on this host.
  no_container,   ///< The container, or the exec in it, is gone.
  no_path,        ///< The container has no such file.
  not_running,    ///< The container is there and stopped.
  name_taken,     ///< A container of that name exists.
  in_progress,    ///< It is being removed by someone else: look again.
  refused_limits, ///< The host may not grant the wanted rlimits.
  bad_request,    ///< Our request is wrong: a matter of configuration.
  failed,         ///< Everything else: the engine's or the host's fault.
};

/// Returns the sentence of an error body: `{"message": ...}` of both engines, or
/// the body itself, shortened to one line.
std::string engine_message(std::string_view body);

/// Decides by status and message, because Podman answers 500 where Docker has 404,
/// 409 or 400. Source: spec/testing.md 5.2, 5.11.
engine_meaning meaning_of(engine_call call, int status, std::string_view message);

/// As above, from a whole answer.
engine_meaning meaning_of(engine_call call, const engine_reply& reply);

/// Returns the error of a pull, which hides in the body of a 200: the last
/// `error` or `errorDetail.message` of its JSON lines, "" if none.
std::string pull_error(std::string_view body);

/// Parses an answer's JSON; the engine is trusted with more keys than a stranger.
/// Errors: `ec::unavailable`.
caf::expected<json> engine_json(const engine_reply& reply);

/// Returns a member at a path, or null: engines leave members out as they like.
const json& at(const json& from, std::initializer_list<const char*> path);

/// Returns the text at a path, "" if it is no text.
std::string text_at(const json& from, std::initializer_list<const char*> path);

} // namespace troupe
