#pragma once

#include "actors/runners/runner_driver.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::tests {

/// A sink that remembers everything and every breach of its protocol.
class recording_sink : public run_sink {
public:
  void stage_started(std::string_view name) override {
    if (!open.empty())
      breaches.push_back("stage " + std::string{name} + " begins within " + open);
    open = name;
    logs[open];
    if (open.empty())
      breaches.push_back("a stage without a name");
    if (on_stage)
      on_stage();
  }
  void output(std::string_view bytes) override {
    if (open.empty())
      breaches.push_back("output outside of a stage");
    text += bytes;
    logs[open] += bytes;
  }
  void stage_finished(stage what) override {
    if (what.name != open)
      breaches.push_back("stage " + what.name + " ends, open is " + open);
    open.clear();
    stages.push_back(std::move(what));
  }
  void mask(std::string_view secret) override {
    secrets.emplace_back(secret);
  }
  void artifact(std::string_view name, std::string_view bytes) override {
    artifacts[std::string{name}] = bytes;
  }

  /// Returns the names of the stages, in order.
  std::vector<std::string> names() const {
    auto out = std::vector<std::string>{};
    for (const auto& one : stages)
      out.push_back(one.name);
    return out;
  }

  /// Returns a stage by its name; an empty one if it did not end.
  stage find(std::string_view name) const {
    auto i = std::find_if(stages.begin(), stages.end(),
                          [name](const stage& one) { return one.name == name; });
    return i == stages.end() ? stage{} : *i;
  }

  std::function<void()> on_stage; ///< Called when a stage begins.
  std::string open;
  std::string text;                        ///< Of all stages.
  std::map<std::string, std::string> logs; ///< By name of the stage.
  std::vector<stage> stages;
  std::vector<std::string> secrets;
  std::map<std::string, std::string> artifacts;
  std::vector<std::string> breaches;
};

} // namespace troupe::tests
