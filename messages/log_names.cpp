#include "messages/log_names.hpp"

#include "messages/text_rule.hpp"

#include <algorithm>

namespace troupe {

std::string log_namer::next(std::string_view stage) {
  auto stem = std::string{stage.substr(0, longest_stage_name)};
  std::replace(stem.begin(), stem.end(), '/', '_');
  if (!obeys("path", stem))
    stem = "stage";
  auto name = stem + ".log";
  auto& number = tried_.try_emplace(stem, 1).first->second;
  while (!taken_.insert(name).second)
    name = stem + '-' + std::to_string(++number) + ".log";
  return name;
}

std::vector<std::string> log_names(const std::vector<stage>& stages) {
  auto out = std::vector<std::string>{};
  out.reserve(stages.size());
  auto namer = log_namer{};
  for (const auto& one : stages) {
    out.push_back(namer.next(one.name));
    if (one.log && !one.log->name.empty())
      out.back() = one.log->name;
  }
  return out;
}

} // namespace troupe
