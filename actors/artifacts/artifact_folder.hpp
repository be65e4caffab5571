#pragma once

#include "actors/owned_fd.hpp"
#include "messages/artifact.hpp"

#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The files of the artifact store:
///
///     <folder>/<job>/<run>/<name>.spool   an open artifact (see `spool`)
///     <folder>/<job>/<run>/<name>.gz      a closed one (see `packed_file`)
///     <folder>/<job>/<run>/<name>.tmp     on its way from one to the other
///
/// A "/" in an artifact's name becomes "%2F", so a run's folder is flat. Every
/// step down is an `openat` that follows no symlink: nothing outside of the
/// folder is ever touched.
///
/// Threads: any; it holds one descriptor and no other state.
class artifact_folder {
public:
  /// Opens the folder, making it (mode 0700) if needed. Errors: `ec::unavailable`.
  static caf::expected<artifact_folder> open(const std::string& path);

  /// Opens the folder of a run. Errors: `ec::not_found` (only without `create`), `ec::disk_full`,
  /// `ec::unavailable`.
  caf::expected<owned_fd> run_folder(const job_id& job, uint32_t run, bool create) const;

  /// Makes the entries of a run's folder and of those above it durable.
  caf::error sync(const job_id& job, uint32_t run) const;

  /// Returns the jobs that have a folder.
  std::vector<job_id> jobs() const;
  /// Returns the runs of a job that have a folder.
  std::vector<uint32_t> runs(const job_id& job) const;
  /// Removes everything of a job.
  void remove(const job_id& job) const;

  int descriptor() const {
    return root_.get();
  }

private:
  owned_fd root_;
};

/// Returns the file name, without suffix, of an artifact. Errors: `ec::invalid_argument`.
caf::expected<std::string> file_stem(std::string_view artifact);

/// Returns the artifact's name for a file name with this suffix.
std::optional<std::string> artifact_of(std::string_view file, std::string_view suffix);

/// Returns the names of all entries of an open folder.
std::vector<std::string> entries_of(int folder);

/// Returns how long ago a file was written to; never negative, whatever the clock did.
std::chrono::milliseconds silence_of(const struct stat& file);

/// Returns the error for the current `errno`: `ec::disk_full`, `ec::not_found` or
/// `ec::unavailable`.
caf::error file_fault(std::string_view action);

/// Reads or writes all bytes at a place. Errors: as `file_fault`; a short file is `ec::corrupt`.
caf::error read_at(int fd, uint64_t place, char* to, size_t n);
caf::error write_at(int fd, uint64_t place, std::string_view bytes);

} // namespace troupe
