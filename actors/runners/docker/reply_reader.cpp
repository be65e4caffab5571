#include "actors/runners/docker/reply_reader.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

constexpr auto max_head_bytes = size_t{64} << 10;
constexpr auto max_chunk = uint64_t{1} << 40;

std::string lower_case(std::string_view in) {
  auto out = std::string{in};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trimmed(std::string_view in) {
  auto first = in.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return in.substr(first, in.find_last_not_of(" \t") - first + 1);
}

bool read_number(std::string_view in, uint64_t& out, int base) {
  auto [end, fault] = std::from_chars(in.data(), in.data() + in.size(), out, base);
  return fault == std::errc{} && end == in.data() + in.size() && !in.empty() && out <= max_chunk;
}

} // namespace

size_t reply_reader::feed(std::string_view in, std::string& body) {
  auto used = size_t{0};
  while (used < in.size() && state_ < state::complete) {
    auto rest = in.substr(used);
    if (state_ == state::until_close) {
      body.append(rest);
      return in.size();
    }
    if (state_ == state::sized || state_ == state::chunk) {
      auto n = static_cast<size_t>(std::min<uint64_t>(left_, rest.size()));
      body.append(rest.substr(0, n));
      used += n;
      left_ -= n;
      if (left_ == 0)
        state_ = state_ == state::sized ? state::complete : state::chunk_end;
      continue;
    }
    used += take_line(rest);
    if (!line_ready_)
      continue;
    switch (state_) {
      case state::head: head_line(); break;
      case state::chunk_line: chunk_line(); break;
      case state::chunk_end: state_ = line_.empty() ? state::chunk_line : state::broken; break;
      default: trailer_line(); break;
    }
    line_.clear();
    line_ready_ = false;
  }
  return used;
}

void reply_reader::end_of_input() {
  if (state_ == state::until_close)
    state_ = state::complete;
  else if (state_ != state::complete)
    state_ = state::broken;
}

std::string_view reply_reader::header(std::string_view name) const {
  auto i = headers_.find(name);
  return i == headers_.end() ? std::string_view{} : std::string_view{i->second};
}

size_t reply_reader::take_line(std::string_view in) {
  auto end = in.find('\n');
  auto n = end == std::string_view::npos ? in.size() : end + 1;
  head_bytes_ += n;
  // Chunk lines count too, but a body may have any number of them.
  if (state_ == state::chunk_line || state_ == state::chunk_end)
    head_bytes_ = line_.size() + n;
  if (head_bytes_ > max_head_bytes) {
    state_ = state::broken;
    return n;
  }
  line_.append(in.substr(0, n));
  if (end == std::string_view::npos)
    return n;
  line_.pop_back();
  if (line_.ends_with('\r'))
    line_.pop_back();
  line_ready_ = true;
  return n;
}

void reply_reader::head_line() {
  if (first_line_) {
    // "HTTP/1.1 200 OK"
    auto code = uint64_t{0};
    auto good = line_.size() >= 12 && line_.starts_with("HTTP/1.") && line_[8] == ' '
                && read_number(std::string_view{line_}.substr(9, 3), code, 10)
                && (line_.size() == 12 || line_[12] == ' ') && code >= 100;
    if (!good) {
      state_ = state::broken;
      return;
    }
    status_ = static_cast<int>(code);
    keep_alive_ = line_[7] == '1';
    first_line_ = false;
    return;
  }
  if (line_.empty())
    return head_done();
  auto colon = line_.find(':');
  if (colon == std::string::npos || colon == 0) {
    state_ = state::broken;
    return;
  }
  auto line = std::string_view{line_};
  headers_.insert_or_assign(lower_case(line.substr(0, colon)),
                            std::string{trimmed(line.substr(colon + 1))});
}

void reply_reader::head_done() {
  if (status_ == 100 || status_ == 102 || status_ == 103) {
    first_line_ = true;
    headers_.clear();
    return;
  }
  auto connection = lower_case(header("connection"));
  if (connection.find("close") != std::string::npos)
    keep_alive_ = false;
  if (status_ == 101) {
    keep_alive_ = false;
    state_ = state::until_close;
  } else if (status_ == 204 || status_ == 304) {
    state_ = state::complete;
  } else if (lower_case(header("transfer-encoding")) == "chunked") {
    state_ = state::chunk_line;
  } else if (auto length = header("content-length"); !length.empty()) {
    if (!read_number(length, left_, 10))
      state_ = state::broken;
    else
      state_ = left_ == 0 ? state::complete : state::sized;
  } else {
    keep_alive_ = false;
    state_ = state::until_close;
  }
}

void reply_reader::chunk_line() {
  auto size = trimmed(std::string_view{line_}.substr(0, line_.find(';')));
  if (!read_number(size, left_, 16))
    state_ = state::broken;
  else
    state_ = left_ == 0 ? state::trailer : state::chunk;
  head_bytes_ = 0;
}

void reply_reader::trailer_line() {
  if (line_.empty())
    state_ = state::complete;
}

} // namespace troupe
