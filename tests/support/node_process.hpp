#pragma once

#include "messages/json.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::tests {

/// A real `troupe-node` process on a private data folder and an ephemeral port.
class node_process {
public:
  /// `roles` is the YAML under `roles:`, two spaces indented; the http role's
  /// port must be 0; further sections may follow. Extra variables are given to the process.
  /// `options` are further lines of the section `node:`, two spaces indented.
  explicit node_process(std::string roles, std::vector<std::string> variables = {},
                        const std::string& name = "test-node", const std::string& options = {});

  /// From the next start on the program is started by `command`, which must replace itself by it.
  void run_under(std::vector<std::string> command) {
    under_ = std::move(command);
  }

  /// From the next start on this program is run instead of the build's own `troupe-node`.
  void set_program(std::string path) {
    program_ = std::move(path);
  }

  /// Starts the program and waits until it is ready. Fails the test if it does not come up.
  void start();
  /// Starts the program without waiting.
  void launch();
  bool await_ready(std::chrono::milliseconds limit = std::chrono::seconds{30});
  /// kill -9, as a crash would.
  void crash();
  /// SIGTERM; returns the exit code.
  std::optional<int> stop(std::chrono::milliseconds limit = std::chrono::seconds{60});

  struct answer {
    int status = 0; ///< 0 = no connection or a broken one.
    std::string body;
    json document() const;
  };
  answer get(const std::string& path) const;
  answer post(const std::string& path, const std::string& body,
              const std::vector<std::pair<std::string, std::string>>& headers = {}) const;
  answer request(const std::string& method, const std::string& path, const std::string& body,
                 const std::vector<std::pair<std::string, std::string>>& headers,
                 bool with_token) const;

  /// Submits and returns the job's id; fails the test if it is refused.
  std::string submit(const json& body) const;
  /// Waits until the job is finished and returns its JSON.
  json await_job(const std::string& job,
                 std::chrono::seconds limit = std::chrono::seconds{120}) const;
  json job(const std::string& id) const;

  child_process& process() {
    return *process_;
  }
  const std::string& data() const {
    return data_;
  }
  std::string server() const;
  uint16_t port() const;
  /// What the program printed so far.
  std::string log() const;

private:
  temp_folder folder_;
  std::string data_ = folder_.path() + "/data";
  std::string roles_;
  std::vector<std::string> variables_;
  std::vector<std::string> under_;
  std::string program_;
  std::unique_ptr<child_process> process_;
};

/// Returns the path of a program of this build.
std::string program(const std::string& name);

} // namespace troupe::tests
