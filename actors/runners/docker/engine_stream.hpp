#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

namespace troupe {

/// Splits the engine's multiplexed exec stream into stdout and stderr.
///
/// A frame is 8 bytes (stream, three zeros, big-endian length) and a payload of
/// up to 2^32 - 1 bytes, which is passed on in the pieces that arrive: nothing is
/// buffered. Source: spec/testing.md 5.5.
class engine_stream {
public:
  /// Sees the stream (1 = stdout, 2 = stderr) and a piece of its bytes, cut anywhere.
  using sink = std::function<void(int, std::string_view)>;

  /// Takes the next bytes. Returns false once the framing is broken; the rest is ignored.
  bool feed(std::string_view bytes, const sink& out);

  /// True if no frame is open: an end elsewhere means that output was cut off.
  bool between_frames() const {
    return filled_ == 0 && left_ == 0;
  }

private:
  bool open_frame();

  std::array<char, 8> head_{};
  size_t filled_ = 0; ///< Bytes of `head_` that are there.
  uint64_t left_ = 0; ///< Bytes of the payload still to come.
  int stream_ = 0;
  bool broken_ = false;
};

} // namespace troupe
