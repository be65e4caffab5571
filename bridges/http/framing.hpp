#pragma once

#include "bridges/http/request_head.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Cuts one HTTP/1.1 request out of a stream of bytes, in pieces of any size,
/// and holds no more of it than the limits say.
///
/// Use: `feed` until `judge`; then `admit` or drop the request; `feed` until
/// `complete`; `restart` for the next one.
class request_framer {
public:
  /// A larger body is held in pieces of this size until it is complete.
  static constexpr size_t piece_size = 64 << 10;

  enum class state {
    head,     ///< The head is not complete.
    judge,    ///< The head is there; nothing of the body is read before `admit`.
    body,     ///< The body is not complete.
    complete, ///< A whole request.
    refused,  ///< `refusal` tells why; the connection is of no further use.
  };

  explicit request_framer(const http_options& limits) : limits_{&limits} {}

  /// Reads from the front of `bytes` and removes what it took.
  state feed(std::string_view& bytes);

  /// Allows a body of at most `max_body` bytes.
  state admit(size_t max_body);

  /// Forgets the request and waits for the next one.
  void restart();

  state now() const {
    return state_;
  }
  request_head& head() {
    return head_;
  }
  std::string& body() {
    return body_;
  }
  const http_refusal& refusal() const {
    return refusal_;
  }
  /// True if not a single byte of a request has come.
  bool untouched() const {
    return state_ == state::head && text_.empty();
  }
  /// Bytes of the body so far.
  size_t received() const {
    return pieces_.size() * piece_size + body_.size();
  }
  /// Bytes of memory that the unfinished request holds.
  size_t held() const {
    return untouched() ? 0 : text_.capacity() + pieces_.size() * piece_size + body_.capacity();
  }

private:
  enum class part { length, size_line, chunk, chunk_end, trailer };

  void refuse(int status, std::string_view code, std::string_view text);
  void feed_head(std::string_view& bytes);
  void end_head();
  void feed_body(std::string_view& bytes);
  void complete();
  void take(std::string_view& bytes);
  void read_chunk_line();
  bool read_line(std::string_view& bytes, size_t limit);

  const http_options* limits_;
  state state_ = state::head;
  part part_ = part::length;
  std::string text_;      ///< The head so far, later the current line between chunks.
  size_t line_start_ = 0; ///< In `text_`.
  size_t lines_ = 0;
  uint64_t missing_ = 0; ///< Bytes of the body or of the chunk that are still to come.
  size_t max_body_ = 0;
  size_t trailer_bytes_ = 0;
  request_head head_;
  std::string body_;                ///< Once complete; before, its last piece.
  std::vector<std::string> pieces_; ///< Full ones.
  http_refusal refusal_;
};

} // namespace troupe
