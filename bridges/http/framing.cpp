#include "bridges/http/framing.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

constexpr size_t first_piece = 4 << 10; ///< Most bodies are smaller.
constexpr size_t max_chunk_line = 256;  ///< A size and its extensions, which we ignore.

} // namespace

void request_framer::refuse(int status, std::string_view code, std::string_view text) {
  state_ = state::refused;
  refusal_ = {status, code, text};
}

request_framer::state request_framer::feed(std::string_view& bytes) {
  while (!bytes.empty() && (state_ == state::head || state_ == state::body)) {
    if (state_ == state::head)
      feed_head(bytes);
    else
      feed_body(bytes);
  }
  return state_;
}

void request_framer::restart() {
  state_ = state::head;
  text_.clear();
  // Thousands of idle connections must not hold the buffers of their last requests.
  if (text_.capacity() > 1024)
    text_.shrink_to_fit();
  line_start_ = 0;
  lines_ = 0;
  trailer_bytes_ = 0;
  head_ = {};
  body_ = {};
  pieces_ = {};
}

/// Every line is judged when its end or its limit comes, so an endless one
/// costs no more than the limit.
void request_framer::feed_head(std::string_view& bytes) {
  while (!bytes.empty()) {
    auto newline = bytes.find('\n');
    auto piece = bytes.substr(0, newline == bytes.npos ? bytes.size() : newline + 1);
    if (text_.size() - line_start_ + piece.size() > limits_->max_header_line + 2) {
      if (lines_ == 0)
        return refuse(414, "too_large", "the request line is too long");
      return refuse(431, "too_large", "a header line is too long");
    }
    if (text_.size() + piece.size() > limits_->max_header_bytes)
      return refuse(431, "too_large", "the headers are too large");
    text_.append(piece);
    bytes.remove_prefix(piece.size());
    if (newline == bytes.npos || piece.back() != '\n')
      return;
    auto line = std::string_view{text_}.substr(line_start_);
    if (line.size() < 2 || line[line.size() - 2] != '\r')
      return refuse(400, "bad_request", "lines must end in CR LF");
    line_start_ = text_.size();
    if (line.size() == 2)
      return end_head();
    if (lines_++ > limits_->max_header_lines)
      return refuse(431, "too_large", "too many header lines");
  }
}

void request_framer::end_head() {
  if (lines_ == 0)
    return refuse(400, "bad_request", "an empty line before the request");
  auto head = std::string_view{text_}.substr(0, text_.size() - 4);
  if (auto why = parse_request_head(head, *limits_, head_)) {
    state_ = state::refused;
    refusal_ = *why;
    return;
  }
  text_.clear();
  state_ = state::judge;
}

request_framer::state request_framer::admit(size_t max_body) {
  max_body_ = max_body;
  if (!head_.has_body()) {
    state_ = state::complete;
    return state_;
  }
  if (head_.content_length.value_or(0) > max_body) {
    refuse(413, "too_large", "the body is too large");
    return state_;
  }
  state_ = state::body;
  part_ = head_.chunked ? part::size_line : part::length;
  missing_ = head_.content_length.value_or(0);
  line_start_ = 0;
  return state_;
}

void request_framer::feed_body(std::string_view& bytes) {
  switch (part_) {
    case part::length:
      take(bytes);
      if (missing_ == 0)
        complete();
      return;
    case part::size_line:
      if (read_line(bytes, max_chunk_line))
        read_chunk_line();
      return;
    case part::chunk:
      take(bytes);
      if (missing_ == 0)
        part_ = part::chunk_end;
      return;
    case part::chunk_end:
      if (read_line(bytes, 2)) {
        text_.clear();
        part_ = part::size_line;
      }
      return;
    case part::trailer:
      if (!read_line(bytes, limits_->max_header_line))
        return;
      trailer_bytes_ += text_.size();
      auto line = std::string_view{text_}.substr(0, text_.size() - 2);
      auto name = std::string_view{};
      auto value = std::string_view{};
      if (line.empty())
        complete();
      else if (trailer_bytes_ > limits_->max_header_bytes)
        return refuse(431, "too_large", "the trailers are too large");
      else if (auto why = split_header_line(line, name, value))
        return refuse(why->status, why->code, why->text);
      text_.clear();
  }
}

/// Moves body bytes over; grows as bytes come, not as they are announced. A
/// large body comes to lie in pieces of one size, which the allocator can use
/// again; ever larger strings would leave holes that no other body fits.
void request_framer::take(std::string_view& bytes) {
  auto size = static_cast<size_t>(std::min<uint64_t>(missing_, bytes.size()));
  while (size > 0) {
    if (body_.size() == piece_size) {
      pieces_.push_back(std::move(body_));
      body_ = {};
    }
    auto count = std::min(size, piece_size - body_.size());
    auto needed = body_.size() + count;
    if (needed > body_.capacity()) {
      auto room = needed <= first_piece ? first_piece : piece_size;
      body_.reserve(std::min(room, body_.size() + static_cast<size_t>(missing_)));
    }
    body_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    missing_ -= count;
    size -= count;
  }
}

/// Joins the pieces: the one moment at which a body exists twice.
void request_framer::complete() {
  state_ = state::complete;
  if (pieces_.empty())
    return;
  auto whole = std::string{};
  whole.reserve(received());
  for (const auto& piece : pieces_)
    whole += piece;
  whole += body_;
  pieces_ = {};
  body_ = std::move(whole);
}

/// Collects a line with its CR LF in `text_`; false if it is not complete or refused.
bool request_framer::read_line(std::string_view& bytes, size_t limit) {
  auto newline = bytes.find('\n');
  auto piece = bytes.substr(0, newline == bytes.npos ? bytes.size() : newline + 1);
  if (text_.size() + piece.size() > limit + 2) {
    refuse(400, "bad_request", "a line between chunks is too long");
    return false;
  }
  text_.append(piece);
  bytes.remove_prefix(piece.size());
  if (text_.empty() || text_.back() != '\n') {
    // Only a complete CR LF may follow a chunk: judge its first byte at once.
    if (part_ == part::chunk_end && !text_.empty() && text_.front() != '\r')
      refuse(400, "bad_request", "a chunk is longer than its size");
    return false;
  }
  if (text_.size() < 2 || text_[text_.size() - 2] != '\r') {
    refuse(400, "bad_request", "lines must end in CR LF");
    return false;
  }
  if (part_ == part::chunk_end && text_.size() != 2) {
    refuse(400, "bad_request", "a chunk is longer than its size");
    return false;
  }
  return true;
}

void request_framer::read_chunk_line() {
  auto line = std::string_view{text_}.substr(0, text_.size() - 2);
  auto digits = line.substr(0, std::min(line.find(';'), line.size()));
  for (auto c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return refuse(400, "bad_request", "a chunk line has a control character");
  auto size = uint64_t{0};
  auto end = digits.data() + digits.size();
  auto [stop, fault] = std::from_chars(digits.data(), end, size, 16);
  // Eight digits are 4 GiB: more than any limit, and nothing that could wrap.
  if (digits.empty() || digits.size() > 8 || fault != std::errc{} || stop != end
      || digits.front() == '-')
    return refuse(400, "bad_request", "a chunk size is malformed");
  text_.clear();
  if (size == 0) {
    part_ = part::trailer;
    return;
  }
  if (size > max_body_ - std::min(max_body_, received()))
    return refuse(413, "too_large", "the body is too large");
  missing_ = size;
  part_ = part::chunk;
}

} // namespace troupe
