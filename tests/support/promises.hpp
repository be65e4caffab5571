#pragma once

#include <sys/types.h>

#include <map>
#include <string>

namespace troupe::tests {

/// The test's side of the `promise-ledger` process.
///
/// Threads: one at a time.
class promises {
public:
  explicit promises(const std::string& file);
  ~promises();
  promises(const promises&) = delete;
  promises& operator=(const promises&) = delete;

  /// Notes that `key` was promised as `job`; returns when it is on disk.
  void note(const std::string& key, const std::string& job);

  /// Reads back all promises: key -> job. Throws if one key was promised as two jobs.
  std::map<std::string, std::string> all() const;

private:
  std::string file_;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
};

} // namespace troupe::tests
