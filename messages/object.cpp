#include "messages/object.hpp"

#include "messages/text_rule.hpp"

#include <charconv>

namespace troupe {

std::string to_subject(const task_subject& x) {
  auto out = std::to_string(x.object);
  return x.task.empty() ? out : out + '/' + x.task;
}

std::optional<task_subject> parse_task_subject(std::string_view text) {
  auto slash = text.find('/');
  auto number = text.substr(0, slash);
  auto out = task_subject{};
  auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), out.object);
  if (fault != std::errc{} || end != number.data() + number.size())
    return std::nullopt;
  if (slash == std::string_view::npos)
    return out;
  out.task = text.substr(slash + 1);
  if (!obeys("word", out.task))
    return std::nullopt;
  return out;
}

std::string to_task_id(const job_id& job) {
  auto out = to_string(job);
  std::erase(out, '-');
  return out;
}

std::optional<job_id> parse_task_id(std::string_view text) {
  if (text.size() != 32)
    return parse_job_id(text);
  auto dashed = std::string{text};
  for (auto at : {8, 13, 18, 23})
    dashed.insert(static_cast<size_t>(at), 1, '-');
  return parse_job_id(dashed);
}

std::string task_id_of(const job_id& job, std::string_view subject) {
  auto slash = subject.find('/');
  return slash == std::string_view::npos ? to_task_id(job) : std::string{subject.substr(slash + 1)};
}

} // namespace troupe
