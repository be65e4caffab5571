#include "actors/runners/docker/engine_stream.hpp"

#include <algorithm>

namespace troupe {

bool engine_stream::feed(std::string_view bytes, const sink& out) {
  while (!bytes.empty() && !broken_) {
    if (left_ > 0) {
      auto n = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      out(stream_, bytes.substr(0, n));
      bytes.remove_prefix(n);
      left_ -= n;
      continue;
    }
    auto n = std::min(head_.size() - filled_, bytes.size());
    std::copy_n(bytes.begin(), n, head_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += n;
    bytes.remove_prefix(n);
    if (filled_ == head_.size() && !open_frame())
      broken_ = true;
  }
  return !broken_;
}

bool engine_stream::open_frame() {
  filled_ = 0;
  for (auto i = size_t{4}; i < head_.size(); ++i)
    left_ = left_ << 8 | static_cast<uint8_t>(head_[i]);
  // 0 is the echo of stdin, 3 an error of the engine itself: they belong to 1 and 2.
  auto stream = static_cast<uint8_t>(head_[0]);
  stream_ = stream == 0 || stream == 1 ? 1 : 2;
  return stream <= 3 && head_[1] == 0 && head_[2] == 0 && head_[3] == 0;
}

} // namespace troupe
