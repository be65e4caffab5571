#include "actors/runners/docker/engine_reply.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto engine_json_limits = json_limits{.depth = 64, .keys = 2'000'000};
constexpr auto max_message = size_t{500};

std::string lower(std::string_view in) {
  auto out = std::string{in};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool has(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool is_success(engine_call call, int status) {
  switch (call) {
    case engine_call::create:
    case engine_call::exec_create: return status == 201;
    case engine_call::start: return status == 204 || status == 304;
    case engine_call::exec_start: return status == 200 || status == 101;
    case engine_call::kill: return status == 204;
    case engine_call::remove: return status == 200 || status == 204 || status == 404;
    default: return status == 200;
  }
}

engine_meaning missing(engine_call call, std::string_view text) {
  switch (call) {
    case engine_call::image:
    case engine_call::pull:
    case engine_call::create: return engine_meaning::no_image;
    case engine_call::put:
    case engine_call::get:
      return has(text, {"no such container", "no container with"}) ? engine_meaning::no_container
                                                                   : engine_meaning::no_path;
    default: return engine_meaning::no_container;
  }
}

} // namespace

std::string engine_message(std::string_view body) {
  auto text = std::string{body};
  if (auto parsed = parse_json_text(body, engine_json_limits))
    if (auto message = text_at(*parsed, {"message"}); !message.empty())
      text = message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > max_message)
    text.resize(max_message);
  return text;
}

engine_meaning meaning_of(engine_call call, int status, std::string_view message) {
  if (is_success(call, status))
    return engine_meaning::ok;
  auto text = lower(message);
  if (status == 404)
    return missing(call, text);
  auto conflict = status == 409 || status == 500;
  if (call == engine_call::remove && conflict
      && has(text, {"already in progress", "being removed"}))
    return engine_meaning::in_progress;
  if (call == engine_call::create && conflict && has(text, {"already in use"}))
    return engine_meaning::name_taken;
  if (call == engine_call::start && has(text, {"rlimit"}))
    return engine_meaning::refused_limits;
  if (conflict && has(text, {"no such container", "no container with", "no such exec"}))
    return engine_meaning::no_container;
  if (conflict && has(text, {"is not running", "state improper", "is paused", "not started"}))
    return engine_meaning::not_running;
  if (status == 400)
    return engine_meaning::bad_request;
  return engine_meaning::failed;
}

engine_meaning meaning_of(engine_call call, const engine_reply& reply) {
  return meaning_of(call, reply.status, engine_message(reply.body));
}

std::string pull_error(std::string_view body) {
  auto out = std::string{};
  while (!body.empty()) {
    auto end = std::min(body.find('\n'), body.size());
    if (auto line = parse_json_text(body.substr(0, end), engine_json_limits)) {
      if (auto text = text_at(*line, {"errorDetail", "message"}); !text.empty())
        out = text;
      else if (text = text_at(*line, {"error"}); !text.empty())
        out = text;
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return out;
}

caf::expected<json> engine_json(const engine_reply& reply) {
  auto parsed = parse_json_text(reply.body, engine_json_limits);
  if (!parsed)
    return fault(ec::unavailable,
                 "the container engine answered nonsense: " + one_line(parsed.error()));
  return parsed;
}

const json& at(const json& from, std::initializer_list<const char*> path) {
  static const auto nothing = json{};
  const auto* here = &from;
  for (const auto* key : path) {
    auto i = here->find(key);
    if (!here->is_object() || i == here->end())
      return nothing;
    here = &*i;
  }
  return *here;
}

std::string text_at(const json& from, std::initializer_list<const char*> path) {
  const auto& found = at(from, path);
  return found.is_string() ? found.get<std::string>() : std::string{};
}

} // namespace troupe
