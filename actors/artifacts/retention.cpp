#include "actors/artifacts/retention.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace troupe {

namespace {

using wall_clock = std::chrono::system_clock;

struct job_use {
  job_id job;
  uint64_t bytes = 0;
  wall_clock::time_point newest{};
  bool open = false;
};

job_use measure(const artifact_folder& folder, const job_id& job) {
  auto out = job_use{job};
  struct stat itself {};
  if (fstatat(folder.descriptor(), to_string(job).c_str(), &itself, AT_SYMLINK_NOFOLLOW) == 0)
    out.newest = wall_clock::from_time_t(itself.st_mtime);
  for (auto run : folder.runs(job)) {
    auto below = folder.run_folder(job, run, false);
    if (!below)
      continue;
    for (const auto& name : entries_of(below->get())) {
      struct stat about {};
      if (fstatat(below->get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      out.bytes += static_cast<uint64_t>(about.st_blocks) * 512;
      out.newest = std::max(out.newest, wall_clock::from_time_t(about.st_mtime));
      out.open = out.open || artifact_of(name, ".spool").has_value();
    }
  }
  return out;
}

/// Calls `f(folder of the run, key without a name, file)` for each file of each run.
template <class F>
void each_file(const artifact_folder& folder, F&& f) {
  for (const auto& job : folder.jobs())
    for (auto run : folder.runs(job))
      if (auto below = folder.run_folder(job, run, false))
        for (const auto& file : entries_of(below->get()))
          f(below->get(), artifact_key{job, run, {}}, file);
}

} // namespace

size_t remove_expired(const artifact_folder& folder, const retention_limits& limits) {
  auto all = std::vector<job_use>{};
  auto total = uint64_t{0};
  auto now = wall_clock::now();
  auto removed = size_t{0};
  for (const auto& job : folder.jobs()) {
    auto use = measure(folder, job);
    if (!use.open && limits.age.count() > 0 && now - use.newest > limits.age) {
      folder.remove(job);
      ++removed;
      continue;
    }
    total += use.bytes;
    all.push_back(use);
  }
  if (limits.size == 0 || total <= limits.size)
    return removed;
  std::sort(all.begin(), all.end(),
            [](const auto& x, const auto& y) { return x.newest < y.newest; });
  for (const auto& use : all) {
    if (total <= limits.size)
      break;
    if (use.open)
      continue;
    folder.remove(use.job);
    total -= use.bytes;
    ++removed;
  }
  return removed;
}

void remove_half_written(const artifact_folder& folder) {
  each_file(folder, [](int below, const artifact_key&, const std::string& file) {
    if (artifact_of(file, ".tmp"))
      unlinkat(below, file.c_str(), 0);
  });
}

std::vector<artifact_key> find_silent(const artifact_folder& folder,
                                      std::chrono::milliseconds silence) {
  auto out = std::vector<artifact_key>{};
  each_file(folder, [&](int below, artifact_key key, const std::string& file) {
    auto name = artifact_of(file, ".spool");
    struct stat about {};
    if (!name || fstatat(below, file.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0
        || silence_of(about) < silence)
      return;
    key.name = std::move(*name);
    out.push_back(std::move(key));
  });
  return out;
}

} // namespace troupe
