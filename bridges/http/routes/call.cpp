#include "bridges/http/routes/call.hpp"

#include <charconv>

namespace troupe {

const std::string& call::path(std::string_view name) const {
  static const auto none = std::string{};
  auto i = captured.find(name);
  return i == captured.end() ? none : i->second;
}

caf::expected<job_id> call::job() const {
  if (auto id = parse_job_id(path("job_id")))
    return *id;
  return fault_at(ec::not_found, "job_id", "there is no such job");
}

std::string call::text(const std::string& name) const {
  auto i = in.query.find(name);
  return i == in.query.end() ? std::string{} : i->second;
}

std::optional<int64_t> call::whole(const std::string& name) const {
  auto word = text(name);
  auto out = int64_t{0};
  auto [end, err] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (word.empty() || err != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  return out;
}

bool call::flag(const std::string& name) const {
  auto word = text(name);
  return word == "1" || word == "true";
}

caf::expected<json> call::document(json_limits limits) const {
  return parse_json_text(in.body, limits);
}

http_response call::fail(const caf::error& why) const {
  auto parts = explain(why);
  auto is_parameter = [&](const query_parameter& x) { return x.name == parts.place; };
  if (parts.place == "request_id")
    return error_response(at.words, fault_at(parts.code, "header.Idempotency-Key", parts.text));
  if (std::any_of(at.query.begin(), at.query.end(), is_parameter))
    return error_response(at.words, fault_at(parts.code, "query." + parts.place, parts.text));
  // Whoever looks a job up by its id knows nothing of paths.
  if (parts.code == ec::not_found && parts.place.empty() && captured.count("job_id") > 0)
    return error_response(at.words, fault_at(parts.code, "job_id", parts.text));
  return error_response(at.words, why);
}

caf::timespan call::remaining() const {
  auto left = in.deadline - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<caf::timespan>(left),
                  caf::timespan{std::chrono::milliseconds{1}});
}

} // namespace troupe
