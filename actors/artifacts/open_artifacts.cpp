#include "actors/artifacts/open_artifacts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace troupe {

namespace {

caf::expected<owned_fd> open_spool(const artifact_folder& folder, const artifact_key& key,
                                   int flags) {
  auto stem = file_stem(key.name);
  if (!stem)
    return std::move(stem.error());
  auto run = folder.run_folder(key.job, key.run, (flags & O_CREAT) != 0);
  if (!run)
    return std::move(run.error());
  auto file = owned_fd{
    openat(run->get(), (*stem + ".spool").c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600)};
  if (!file)
    return file_fault("open spool");
  return file;
}

/// Best effort: who makes the spool anew is told if it is still there.
void remove_spool(const artifact_folder& folder, const artifact_key& key) {
  auto stem = file_stem(key.name);
  auto run = folder.run_folder(key.job, key.run, false);
  if (stem && run)
    unlinkat(run->get(), (*stem + ".spool").c_str(), 0);
}

} // namespace

open_artifacts::open_artifacts(std::shared_ptr<const artifact_folder> folder, spool_limits limits,
                               size_t files)
  : folder_{std::move(folder)}, limits_{limits}, files_{files} {}

caf::expected<open_artifact*> open_artifacts::find(const artifact_key& key) {
  auto name = to_text(key);
  auto i = all_.find(name);
  if (i == all_.end()) {
    auto file = open_spool(*folder_, key, 0);
    if (!file && explain(file.error()).code == ec::not_found)
      return nullptr;
    if (!file)
      return std::move(file.error());
    struct stat about {};
    if (fstat(file->get(), &about) != 0)
      return file_fault("look at spool");
    if (static_cast<uint64_t>(about.st_size) < spool::least_size) {
      remove_spool(*folder_, key);
      return nullptr;
    }
    auto opened = spool::reopen(std::move(*file));
    if (!opened)
      return std::move(opened.error());
    i = all_.emplace(name, open_artifact{key, std::move(*opened)}).first;
    // A reader does not make it younger.
    i->second.last_write = std::chrono::steady_clock::now() - silence_of(about);
    ++attached_;
  } else if (auto fault = attach(i->second)) {
    // Packed a moment ago, and not yet forgotten.
    if (explain(fault).code == ec::not_found)
      return nullptr;
    return fault;
  }
  i->second.last_use = ++uses_;
  give_back_files();
  return &i->second;
}

caf::expected<open_artifact*> open_artifacts::create(const artifact_key& key, bool is_log) {
  auto file = open_spool(*folder_, key, O_CREAT | O_EXCL);
  if (!file)
    return std::move(file.error());
  auto made = spool::create(std::move(*file), is_log, limits_);
  if (!made)
    return std::move(made.error());
  auto [i, fresh] = all_.insert_or_assign(to_text(key), open_artifact{key, std::move(*made)});
  ++attached_;
  i->second.last_use = ++uses_;
  i->second.last_write = std::chrono::steady_clock::now();
  give_back_files();
  return &i->second;
}

void open_artifacts::forget(const artifact_key& key) {
  auto i = all_.find(to_text(key));
  if (i == all_.end())
    return;
  if (i->second.file.is_open())
    --attached_;
  all_.erase(i);
}

caf::error open_artifacts::attach(open_artifact& what) {
  if (what.file.is_open())
    return {};
  auto file = open_spool(*folder_, what.key, 0);
  if (!file)
    return std::move(file.error());
  what.file.attach(std::move(*file));
  ++attached_;
  return {};
}

void open_artifacts::give_back_files() {
  while (attached_ > files_) {
    auto oldest = all_.end();
    for (auto i = all_.begin(); i != all_.end(); ++i)
      if (i->second.file.is_open()
          && (oldest == all_.end() || i->second.last_use < oldest->second.last_use))
        oldest = i;
    oldest->second.file.detach();
    --attached_;
  }
}

std::string to_text(const artifact_key& key) {
  return to_string(key.job) + '/' + std::to_string(key.run) + '/' + key.name;
}

} // namespace troupe
