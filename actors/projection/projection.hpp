#pragma once

#include "messages/event.hpp"

#include <caf/error.hpp>

#include <cstdint>

namespace troupe {

/// State that one role derives from the journal: it can be deleted and rebuilt.
///
/// Threads: one at a time. Calls may block on the disk.
class projection {
public:
  virtual ~projection() = default;

  /// Reads how far it has come. Errors: the table is broken.
  virtual caf::error open() = 0;
  /// Returns the sequence of the last event applied.
  virtual uint64_t applied() const = 0;
  /// Applies what is new of a batch, state and mark in one write; leaves out what it
  /// has applied before. Errors: `ec::disk_full` (nothing is applied), else broken.
  virtual caf::error apply(const event_batch& batch) = 0;
  /// Stores how far it has come, also over events of others.
  virtual caf::error keep_mark() = 0;
  /// Goes on at a sequence: the journal has forgotten what was before it.
  virtual void skip_to(uint64_t sequence) = 0;
};

} // namespace troupe
