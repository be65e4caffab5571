#pragma once

#include "actors/runners/runner_driver.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace troupe::tests {

/// Remembers everything that a run reports.
class recording_sink : public run_sink {
public:
  std::vector<stage> stages;
  std::map<std::string, std::string> logs; ///< By name of the stage.
  std::vector<std::string> secrets;
  std::map<std::string, std::string> artifacts;

  void stage_started(std::string_view name) override {
    open_ = name;
    logs[open_];
  }
  void output(std::string_view bytes) override {
    logs[open_].append(bytes);
  }
  void stage_finished(stage what) override {
    stages.push_back(std::move(what));
  }
  void mask(std::string_view secret) override {
    secrets.emplace_back(secret);
  }
  void artifact(std::string_view name, std::string_view bytes) override {
    artifacts.emplace(name, bytes);
  }

  /// Returns the names of the stages, in order.
  std::vector<std::string> names() const {
    auto out = std::vector<std::string>{};
    for (const auto& one : stages)
      out.push_back(one.name);
    return out;
  }

  /// Returns a stage by its name; an empty one if it did not run.
  stage find(std::string_view name) const {
    auto i = std::find_if(stages.begin(), stages.end(),
                          [name](const stage& one) { return one.name == name; });
    return i == stages.end() ? stage{} : *i;
  }

private:
  std::string open_;
};

} // namespace troupe::tests
