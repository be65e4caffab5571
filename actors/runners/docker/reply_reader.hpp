#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// Reads one HTTP/1.1 answer from bytes as they come: pure, bounded, no socket.
///
/// Bodies end by Content-Length, by the last chunk, or by the end of input; an
/// answer without a body (204, 304) ends with its head. Interim 100 answers are
/// skipped; 101 turns the rest of the input into the body.
class reply_reader {
public:
  /// Consumes bytes and appends what belongs to the body to `body`. Returns how
  /// many were consumed: fewer than given once the answer is complete or broken.
  size_t feed(std::string_view in, std::string& body);

  /// Tells that the peer closed; ends a body that has no other end.
  void end_of_input();

  /// True once status and headers are known.
  bool has_head() const {
    return state_ > state::head;
  }
  bool complete() const {
    return state_ == state::complete;
  }
  bool broken() const {
    return state_ == state::broken;
  }
  int status() const {
    return status_;
  }
  /// Returns a header's value by lower-case name, "" if absent.
  std::string_view header(std::string_view name) const;
  /// True if the connection can carry another request after this answer.
  bool keeps_alive() const {
    return keep_alive_ && complete();
  }

private:
  enum class state : uint8_t {
    head,
    sized,
    chunk_line,
    chunk,
    chunk_end,
    trailer,
    until_close,
    complete,
    broken
  };

  size_t take_line(std::string_view in);
  void head_line();
  void head_done();
  void chunk_line();
  void trailer_line();

  state state_ = state::head;
  bool first_line_ = true;
  bool line_ready_ = false;
  bool keep_alive_ = false;
  int status_ = 0;
  uint64_t left_ = 0; ///< Bytes of the body or chunk still to come.
  size_t head_bytes_ = 0;
  std::string line_;
  std::map<std::string, std::string, std::less<>> headers_;
};

} // namespace troupe
