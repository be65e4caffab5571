#include "actors/runners/docker/tar_archive.hpp"

#include "messages/error.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <memory>

namespace troupe {

namespace {

struct free_writer {
  void operator()(archive* a) const {
    archive_write_free(a);
  }
};
struct free_reader {
  void operator()(archive* a) const {
    archive_read_free(a);
  }
};
struct free_entry {
  void operator()(::archive_entry* e) const {
    archive_entry_free(e);
  }
};
using writer_ptr = std::unique_ptr<archive, free_writer>;
using reader_ptr = std::unique_ptr<archive, free_reader>;
using entry_ptr = std::unique_ptr<::archive_entry, free_entry>;

la_ssize_t append(archive*, void* out, const void* bytes, size_t n) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), n);
  return static_cast<la_ssize_t>(n);
}

std::string fault_of(archive* a) {
  const auto* text = archive_error_string(a);
  return text != nullptr ? text : "unknown fault";
}

/// The source of a reader with the limit on the whole stream.
struct bounded_source {
  const std::function<std::string_view()>& more;
  uint64_t left;
  bool over = false;
};

la_ssize_t pull(archive* a, void* from, const void** bytes) {
  auto& source = *static_cast<bounded_source*>(from);
  auto piece = source.more();
  if (piece.size() > source.left) {
    source.over = true;
    archive_set_error(a, EFBIG, "too many bytes");
    return ARCHIVE_FATAL;
  }
  source.left -= piece.size();
  *bytes = piece.data();
  return static_cast<la_ssize_t>(piece.size());
}

archive_entry::type type_of(::archive_entry* e) {
  switch (archive_entry_filetype(e)) {
    case AE_IFREG: return archive_entry::type::file;
    case AE_IFDIR: return archive_entry::type::folder;
    case AE_IFLNK: return archive_entry::type::symlink;
    default:
      return archive_entry_hardlink(e) != nullptr ? archive_entry::type::file
                                                  : archive_entry::type::other;
  }
}

std::string text_of(const char* text) {
  return text != nullptr ? std::string{text} : std::string{};
}

/// Fills everything but the bytes.
archive_entry describe(::archive_entry* e) {
  auto out = archive_entry{};
  out.path = text_of(archive_entry_pathname(e));
  while (out.path.size() > 1 && out.path.ends_with('/'))
    out.path.pop_back();
  out.what = type_of(e);
  out.mode = static_cast<uint32_t>(archive_entry_perm(e));
  auto size = archive_entry_size(e);
  out.size = size > 0 ? static_cast<uint64_t>(size) : 0;
  if (out.what == archive_entry::type::symlink)
    out.link_target = text_of(archive_entry_symlink(e));
  else
    out.link_target = text_of(archive_entry_hardlink(e));
  return out;
}

/// Reads the first bytes of the entry's content. Returns false on a damaged archive.
bool keep_bytes(archive* a, uint64_t limit, std::string& out) {
  auto piece = std::string(size_t{32} << 10, '\0');
  while (out.size() < limit) {
    auto n =
      archive_read_data(a, piece.data(), std::min<uint64_t>(piece.size(), limit - out.size()));
    if (n < 0)
      return false;
    if (n == 0)
      break;
    out.append(piece.data(), static_cast<size_t>(n));
  }
  return true;
}

} // namespace

caf::expected<std::string> write_tar(const std::vector<environment_file>& files) {
  auto out = std::string{};
  auto a = writer_ptr{archive_write_new()};
  archive_write_set_format_pax_restricted(a.get());
  archive_write_set_bytes_per_block(a.get(), 512);
  archive_write_set_bytes_in_last_block(a.get(), 1);
  if (archive_write_open(a.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK)
    return fault(ec::invalid_argument, fault_of(a.get()));
  for (const auto& file : files) {
    if (!file.path.starts_with('/') || file.path.ends_with('/'))
      return fault_at(ec::invalid_argument, file.path, "must be an absolute path of a file");
    auto e = entry_ptr{archive_entry_new()};
    archive_entry_set_pathname(e.get(), file.path.c_str() + 1);
    archive_entry_set_filetype(e.get(), AE_IFREG);
    archive_entry_set_perm(e.get(), file.mode);
    archive_entry_set_size(e.get(), static_cast<la_int64_t>(file.bytes.size()));
    archive_entry_set_mtime(e.get(), 0, 0);
    if (archive_write_header(a.get(), e.get()) != ARCHIVE_OK
        || archive_write_data(a.get(), file.bytes.data(), file.bytes.size()) < 0)
      return fault_at(ec::invalid_argument, file.path, fault_of(a.get()));
  }
  if (archive_write_close(a.get()) != ARCHIVE_OK)
    return fault(ec::invalid_argument, fault_of(a.get()));
  return out;
}

caf::error read_tar(const tar_limits& limits, const std::function<std::string_view()>& more,
                    const std::function<bool(const archive_entry&)>& each) {
  auto source = bounded_source{more, limits.bytes};
  auto a = reader_ptr{archive_read_new()};
  archive_read_support_format_tar(a.get());
  auto failed = [&] {
    return source.over ? fault(ec::too_large, "the archive is too long")
                       : fault(ec::corrupt, "bad archive: " + fault_of(a.get()));
  };
  auto status = archive_read_open(a.get(), &source, nullptr, pull, nullptr);
  // An empty stream is an empty archive.
  if (status != ARCHIVE_OK)
    return source.left == limits.bytes ? caf::error{} : failed();
  for (auto count = uint64_t{0};; ++count) {
    ::archive_entry* e = nullptr;
    status = archive_read_next_header(a.get(), &e);
    if (status == ARCHIVE_EOF)
      return caf::none;
    // A warning is about names that are not valid text: the bytes are there.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
      return failed();
    if (count == limits.entries)
      return fault(ec::too_large, "the archive has too many entries");
    auto entry = describe(e);
    if (entry.what == archive_entry::type::file && entry.link_target.empty()
        && !keep_bytes(a.get(), limits.kept_per_file, entry.bytes))
      return failed();
    if (!each(entry))
      return caf::none;
  }
}

} // namespace troupe
