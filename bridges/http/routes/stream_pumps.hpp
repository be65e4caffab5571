#pragma once

#include <caf/actor.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

namespace troupe {

/// The actors that feed live streams, so that a stopping bridge can end them.
///
/// Threads: any.
class stream_pumps {
public:
  stream_pumps();
  ~stream_pumps();
  stream_pumps(const stream_pumps&) = delete;
  stream_pumps& operator=(const stream_pumps&) = delete;

  /// Keeps track of a pump until it ends; one that comes after `stop` is ended at once.
  void add(const caf::actor& pump);

  /// Ends all pumps; theirs streams are finished by themselves.
  void stop();

  size_t count() const;

private:
  struct book;
  std::shared_ptr<book> book_; // Shared with the pumps' last words.
};

} // namespace troupe
