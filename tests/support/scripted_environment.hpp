#pragma once

#include "actors/runners/environment.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::tests {

/// How a scripted machine answers commands whose words, joined by spaces, contain `when`.
struct scripted_answer {
  std::string when;
  int32_t exit_code = 0;
  std::string out{};
  std::string err{};
  command_result::end how = command_result::end::exited;
  bool out_of_memory = false;
  std::function<void()> then{}; ///< Called while the command runs.
};

/// What a scripted environment does and what was done to it; it outlives the environment.
struct scripted_machine {
  std::vector<scripted_answer> answers; ///< The first match counts; else exit code 0, no output.
  std::map<std::string, std::vector<archive_entry>> readable; ///< What `get` finds, by path.
  caf::error put_fault;
  caf::error destroy_fault;

  std::vector<command> commands;
  std::map<std::string, environment_file> files;
  bool destroyed = false;

  /// Makes a file that can be read back.
  void add_file(const std::string& path, std::string bytes);
  /// Returns the words of every command, joined by spaces.
  std::vector<std::string> lines() const;
  /// Returns the first command whose words contain `text`; an empty one if there is none.
  command find(std::string_view text) const;
  bool ran(std::string_view text) const {
    return !find(text).argv.empty();
  }
};

/// An environment for tests: every answer is scripted, nothing is executed.
class scripted_environment final : public environment {
public:
  explicit scripted_environment(std::shared_ptr<scripted_machine> machine)
    : machine_{std::move(machine)} {}

  command_result exec(const command& what, std::stop_token stop,
                      const std::function<void(int, std::string_view)>& out) override;
  caf::error put(const std::vector<environment_file>& files) override;
  caf::error get(const std::string& path, uint64_t bytes_per_file,
                 const std::function<bool(const archive_entry&)>& each) override;
  caf::error destroy() override;

private:
  std::shared_ptr<scripted_machine> machine_;
};

} // namespace troupe::tests
