#include "bridges/amqp/ack_window.hpp"

namespace troupe {

namespace {

/// A gap that closes within this time costs no acknowledgement of its own.
constexpr auto gap_patience = std::chrono::milliseconds{100};

} // namespace

void ack_window::settle(uint64_t tag, clock::time_point now) {
  if (tag <= up_to_ || tag > last_ || beyond_.contains(tag))
    return;
  if (tag != up_to_ + 1) {
    if (fresh_.empty())
      gap_since_ = now;
    beyond_.insert(beyond_.end(), tag);
    fresh_.insert(fresh_.end(), tag);
    return;
  }
  last_untold_ = ++up_to_;
  while (!beyond_.empty() && *beyond_.begin() == up_to_ + 1) {
    ++up_to_;
    if (fresh_.erase(up_to_) > 0)
      last_untold_ = up_to_;
    beyond_.erase(beyond_.begin());
  }
}

std::vector<ack> ack_window::take(clock::time_point now) {
  auto out = std::vector<ack>{};
  if (told_ != up_to_) {
    // The prefix may end in some that were told one by one, and naming one of them again
    // makes the broker close the channel.
    out.push_back({last_untold_, last_untold_ - told_ > 1});
    told_ = up_to_;
  }
  if (!fresh_.empty() && now - gap_since_ >= gap_patience) {
    for (auto tag : fresh_)
      out.push_back({tag, false});
    fresh_.clear();
  }
  return out;
}

} // namespace troupe
