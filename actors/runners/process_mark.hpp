#pragma once

#include "actors/owned_fd.hpp"
#include "messages/error.hpp"

#include <string>

namespace troupe {

/// A word that all processes of one run carry in their environment, "TROUPE_RUN=<random>/<tag>".
/// While the object lives there is a locked note of it in a folder; its end kills whatever still
/// carries the word. When this process is killed first, the note stays, unlocked, for
/// `sweep_marks`.
///
/// Threads: one at a time.
class process_mark {
public:
  /// Makes the folder if needed; an empty one = no note. Errors: `ec::unavailable`,
  /// `ec::disk_full`.
  static caf::expected<process_mark> make(const std::string& folder, const std::string& tag);
  process_mark(process_mark&& other) noexcept;
  process_mark& operator=(process_mark&&) = delete;
  ~process_mark();

  const std::string& variable() const {
    return variable_;
  }

private:
  process_mark() = default;

  std::string variable_; ///< Empty = moved from.
  std::string note_;
  owned_fd lock_;
};

/// Kills what the runs of a dead process left and removes their notes; those of living ones, of
/// whatever process, are left alone. Returns how many processes it found. Blocks.
size_t sweep_marks(const std::string& folder);

} // namespace troupe
