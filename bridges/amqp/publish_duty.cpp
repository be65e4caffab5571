#include "bridges/amqp/publish_duty.hpp"

#include "bridges/amqp/publish_message.hpp"
#include "bridges/amqp/table.hpp"
#include "config/log.hpp"
#include "messages/error.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto publish_channel = uint16_t{1};
constexpr auto declare_channel = uint16_t{2};
/// Between two looks at what the broker says: it may just have asked us to stop.
constexpr auto slice_messages = size_t{128};
constexpr auto slice_bytes = size_t{256} << 10;

} // namespace

publish_duty::publish_duty(topology plan, publish_options options, std::function<void()> answered)
  : plan_{std::move(plan)}, options_{options}, answered_{std::move(answered)} {}

caf::error publish_duty::open_channel(session& at) {
  if (auto why = at.open_channel(publish_channel))
    return why;
  first_tag_ = 1;
  return at.call(publish_channel,
                 [](amqp_connection_state_t to) { amqp_confirm_select(to, publish_channel); });
}

caf::error publish_duty::opened(session& at) {
  if (auto why = at.open_channel(declare_channel))
    return why;
  // The faults are told by the other link, which declares the same.
  auto faults = std::vector<amqp_fault>{};
  if (auto why = declare_all(at, declare_channel, plan_, faults))
    return why;
  refusals_.clear();
  return open_channel(at);
}

void publish_duty::put_back() {
  for (; !sent_.empty(); sent_.pop_back())
    if (!sent_.back().done)
      queue_.push_front(std::move(sent_.back().order));
  unconfirmed_ = 0;
  content_ = {};
}

void publish_duty::closed() {
  put_back();
  blocked_ = false;
}

void publish_duty::blocked(bool now) {
  blocked_ = now;
  times_blocked_ += now ? 1 : 0;
}

size_t publish_duty::room() const {
  auto most = careful_ > 0 ? size_t{1} : options_.window;
  return blocked_ ? 0 : most - std::min(most, sent_.size());
}

bool publish_duty::busy() const {
  return !queue_.empty() && room() > 0;
}

void publish_duty::give(uint64_t handle, publish_outcome outcome, std::string why,
                        publication what) {
  gathered_.push_back({handle, outcome, std::move(why), std::move(what)});
}

bool publish_duty::refuse_early(publish_order& order) {
  auto i = refusals_.find(order.what.exchange);
  if (i == refusals_.end())
    return false;
  if (clock::now() >= i->second.until) {
    refusals_.erase(i);
    return false;
  }
  give(order.handle, publish_outcome::refused, i->second.why, std::move(order.what));
  return true;
}

caf::error publish_duty::send_slice(session& at) {
  auto bytes = size_t{0};
  auto left = std::min(room(), slice_messages);
  for (; left > 0 && bytes < slice_bytes && !queue_.empty(); --left) {
    auto order = std::move(queue_.front());
    queue_.pop_front();
    if (refuse_early(order))
      continue;
    bytes += order.what.body.size();
    // It belongs to the window before it is sent: what a broken write left is sent again.
    sent_.push_back({std::move(order), false, false, {}});
    ++published_;
    if (auto why = publish_message(at, publish_channel, sent_.back().order.what))
      return why;
  }
  return {};
}

caf::error publish_duty::work(session& at) {
  for (auto& x : orders_.take())
    queue_.push_back(std::move(x));
  if (busy()) {
    at.gather(true);
    if (auto why = send_slice(at))
      return why;
    at.gather(false);
  }
  unconfirmed_ = sent_.size();
  if (!gathered_.empty()) {
    held_ -= gathered_.size();
    if (results_.put(std::move(gathered_)))
      answered_();
  }
  return {};
}

void publish_duty::finish(sent& x, bool accepted) {
  x.done = true;
  careful_ -= careful_ > 0 ? 1 : 0;
  auto handle = x.order.handle;
  if (!accepted)
    give(handle, publish_outcome::refused, "the broker has not taken it", std::move(x.order.what));
  else if (x.returned)
    give(handle, publish_outcome::returned, std::move(x.why), std::move(x.order.what));
  else
    give(handle, publish_outcome::confirmed, {}, {});
}

void publish_duty::settle(uint64_t tag, bool multiple, bool accepted) {
  if (tag < first_tag_ || tag >= first_tag_ + sent_.size())
    return;
  auto at = static_cast<size_t>(tag - first_tag_);
  for (auto i = multiple ? size_t{0} : at; i <= at; ++i)
    if (!sent_[i].done)
      finish(sent_[i], accepted);
  while (!sent_.empty() && sent_.front().done) {
    sent_.pop_front();
    ++first_tag_;
  }
}

void publish_duty::came_back(const inbound_message& message) {
  for (auto& x : sent_)
    if (!x.done && !x.returned && x.order.what.message_id == message.message_id
        && x.order.what.exchange == message.exchange
        && x.order.what.routing_key == message.routing_key) {
      x.returned = true;
      x.why = return_text_;
      return;
    }
}

caf::error publish_duty::channel_closed(session& at, const amqp_frame_t& in) {
  auto why = at.closed_by(in);
  if (!at.alive())
    return why;
  if (in.channel != publish_channel)
    return at.open_channel(in.channel);
  auto text = one_line(why);
  log(log_level::warning, "amqp", "the broker closed the channel that publishes",
      {{"error", text}, {"unconfirmed", sent_.size()}});
  if (careful_ > 0 && sent_.size() == 1) {
    auto culprit = std::move(sent_.front().order);
    sent_.clear();
    --careful_;
    if (why == ec::not_found || why == ec::forbidden)
      refusals_[culprit.what.exchange] = {clock::now() + options_.refusal_time, text};
    give(culprit.handle, publish_outcome::refused, text, std::move(culprit.what));
  } else {
    careful_ = sent_.size();
    put_back();
  }
  unconfirmed_ = 0;
  // What was deleted is made again, if it is ours to make.
  auto faults = std::vector<amqp_fault>{};
  if (auto failed = declare_all(at, declare_channel, plan_, faults))
    return failed;
  return open_channel(at);
}

caf::error publish_duty::frame(session& at, const amqp_frame_t& in) {
  if (in.frame_type != AMQP_FRAME_METHOD) {
    if (in.channel == publish_channel)
      if (auto message = content_.take(in))
        came_back(*message);
    return {};
  }
  const auto& method = in.payload.method;
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      auto what = static_cast<const amqp_basic_ack_t*>(method.decoded);
      settle(what->delivery_tag, what->multiple != 0, true);
      return {};
    }
    case AMQP_BASIC_NACK_METHOD: {
      auto what = static_cast<const amqp_basic_nack_t*>(method.decoded);
      settle(what->delivery_tag, what->multiple != 0, false);
      return {};
    }
    case AMQP_BASIC_RETURN_METHOD: {
      auto what = static_cast<const amqp_basic_return_t*>(method.decoded);
      return_text_ = std::to_string(what->reply_code) + ' ' + text_of(what->reply_text);
      content_.begin(*what);
      return {};
    }
    case AMQP_CHANNEL_CLOSE_METHOD: return channel_closed(at, in);
    default: return {};
  }
}

} // namespace troupe
