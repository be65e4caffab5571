#include "actors/artifacts/closed_artifacts.hpp"

#include "actors/artifacts/open_artifacts.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdio>

namespace troupe {

namespace {

constexpr auto cached_blocks = size_t{4};

caf::expected<owned_fd> open_packed(const artifact_folder& folder, const artifact_key& key) {
  auto stem = file_stem(key.name);
  if (!stem)
    return std::move(stem.error());
  auto run = folder.run_folder(key.job, key.run, false);
  if (!run)
    return std::move(run.error());
  auto file =
    owned_fd{openat(run->get(), (*stem + ".gz").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (!file)
    return file_fault("open artifact");
  return file;
}

/// Writes "<stem>.tmp" from "<stem>.spool".
caf::expected<packed_index> pack(int run, const std::string& stem) {
  auto in = owned_fd{openat(run, (stem + ".spool").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (!in)
    return file_fault("open spool");
  auto from = spool::reopen(std::move(in));
  if (!from)
    return std::move(from.error());
  auto out = owned_fd{openat(run, (stem + ".tmp").c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!out)
    return file_fault("make artifact");
  auto index = pack_spool(*from, out.get());
  if (!index)
    unlinkat(run, (stem + ".tmp").c_str(), 0);
  return index;
}

} // namespace

caf::expected<artifact_ref> close_on_disk(const artifact_folder& folder, const artifact_key& key) {
  auto stem = file_stem(key.name);
  if (!stem)
    return std::move(stem.error());
  auto run = folder.run_folder(key.job, key.run, false);
  if (!run)
    return std::move(run.error());
  auto index = caf::expected<packed_index>{packed_index{}};
  // A packed file beside a spool: the crash came between rename and removal.
  if (auto done = open_packed(folder, key)) {
    index = read_packed_index(done->get());
  } else {
    index = pack(run->get(), *stem);
    auto from = *stem + ".tmp";
    auto to = *stem + ".gz";
    if (index && renameat(run->get(), from.c_str(), run->get(), to.c_str()) != 0)
      index = file_fault("rename artifact");
  }
  if (!index)
    return std::move(index.error());
  if (auto fault = folder.sync(key.job, key.run))
    return fault;
  unlinkat(run->get(), (*stem + ".spool").c_str(), 0);
  return index->describe(key.name);
}

closed_artifacts::closed_artifacts(std::shared_ptr<const artifact_folder> folder)
  : folder_{std::move(folder)} {}

caf::expected<packed_index> closed_artifacts::describe(const artifact_key& key) const {
  auto file = open_packed(*folder_, key);
  if (!file)
    return std::move(file.error());
  return read_packed_index(file->get());
}

caf::expected<artifact_chunk> closed_artifacts::read(const read_artifact& what) {
  auto file = open_packed(*folder_, what.key);
  if (!file)
    return std::move(file.error());
  auto index = read_packed_index(file->get());
  if (!index)
    return std::move(index.error());
  auto from = what.from;
  if (from >= index->cut_begin)
    from = std::clamp(from, index->resume, index->end());
  auto out = artifact_chunk{};
  // What was cut is not skipped: a line of the content itself tells of it.
  out.from = std::min(what.from, from);
  auto place = from < index->cut_begin ? from : index->cut_begin + (from - index->resume);
  // One answer never spans the cut, because offsets jump there.
  auto limit = from < index->cut_begin ? index->cut_begin : index->length;
  auto name = to_text(what.key);
  while (place < limit && out.bytes.size() < what.max_bytes) {
    auto bytes = block(name, file->get(), *index, place / packed_block_size);
    if (!bytes)
      return std::move(bytes.error());
    auto n = std::min<uint64_t>(limit - place, what.max_bytes - out.bytes.size());
    auto piece = std::string_view{**bytes}.substr(place % packed_block_size, n);
    out.bytes.append(piece);
    place += piece.size();
  }
  out.next = from + out.bytes.size();
  out.complete = out.next >= index->end();
  return out;
}

caf::expected<const std::string*> closed_artifacts::block(const std::string& key, int file,
                                                          const packed_index& index, size_t n) {
  for (const auto& known : cache_)
    if (known.block == n && known.key == key)
      return &known.bytes;
  auto bytes = read_packed_block(file, index, n);
  if (!bytes)
    return std::move(bytes.error());
  if (cache_.size() == cached_blocks)
    cache_.pop_front();
  cache_.push_back({key, n, std::move(*bytes)});
  return &cache_.back().bytes;
}

} // namespace troupe
