#pragma once

#include "actors/owned_fd.hpp"
#include "messages/error.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// How much of an artifact is kept. Source: spec/testing.md 6.3 (logs).
struct spool_limits {
  uint64_t log_head = 1 << 20;      ///< First bytes of a log that are kept.
  uint64_t log_tail = 19 << 20;     ///< Last bytes of a log that are kept.
  uint64_t artifact = 256ull << 20; ///< Most bytes of anything else.
};

/// The file of an open artifact: a header page, the head, and for logs a ring
/// with the tail, so that a log of any length takes at most head + tail on disk.
/// The header holds the length, so that a spool outlives its process.
///
/// Offsets are those of the stream as it was written; what the ring has
/// overwritten is the *cut*.
class spool {
public:
  /// A shorter file was never begun: its disk was full, or its process was killed.
  static constexpr auto least_size = uint64_t{32};

  /// Writes a fresh header. Errors: `ec::disk_full`, `ec::unavailable`.
  static caf::expected<spool> create(owned_fd file, bool is_log, const spool_limits& limits);
  /// Reads the header of an existing one. Errors: `ec::corrupt`, `ec::unavailable`.
  static caf::expected<spool> reopen(owned_fd file);

  /// Appends; bytes before `end()` are a repetition and skipped. Returns the new end.
  /// Errors: `ec::conflict` (gap), `ec::too_large`, `ec::disk_full`, `ec::unavailable`.
  caf::expected<uint64_t> write(uint64_t offset, std::string_view bytes);

  /// Returns at most `n` bytes from an offset outside of the cut.
  caf::expected<std::string> read(uint64_t from, uint64_t n) const;

  /// One past the last byte.
  uint64_t end() const {
    return shape_.end;
  }
  /// The cut is [cut_begin, cut_end); both are `end()` if nothing was cut.
  uint64_t cut_begin() const {
    return is_cut() ? shape_.head : shape_.end;
  }
  uint64_t cut_end() const {
    return is_cut() ? shape_.end - shape_.tail : shape_.end;
  }
  bool is_cut() const {
    return shape_.tail > 0 && shape_.end > shape_.head + shape_.tail;
  }

  /// A spool may be without its file while it is idle: `write` and `read` need it.
  bool is_open() const {
    return static_cast<bool>(file_);
  }
  void attach(owned_fd file) {
    file_ = std::move(file);
  }
  void detach() {
    file_.reset();
  }

private:
  struct shape {
    uint64_t head = 0; ///< Bytes before the ring; for other artifacts, all that may be.
    uint64_t tail = 0; ///< Bytes of the ring, 0 = no ring.
    uint64_t end = 0;
  };

  caf::error save() const;
  /// Calls `f(place in file, bytes)` for each contiguous piece of [from, from + n).
  caf::error pieces(uint64_t from, uint64_t n,
                    const std::function<caf::error(uint64_t, uint64_t)>& f) const;

  owned_fd file_;
  shape shape_;
};

} // namespace troupe
