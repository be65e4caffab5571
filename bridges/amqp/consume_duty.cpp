#include "bridges/amqp/consume_duty.hpp"

#include "bridges/amqp/table.hpp"
#include "config/log.hpp"
#include "messages/error.hpp"

#include <algorithm>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// For declarations and questions; consumers have the channels above.
constexpr auto own_channel = uint16_t{1};
constexpr auto most_channels = uint16_t{2047};
constexpr auto first_retry = milliseconds{250};
constexpr auto longest_retry = milliseconds{10'000};
constexpr auto show_interval = milliseconds{200};

} // namespace

consume_duty::consume_duty(topology plan, consume_options options, std::function<void()> arrived)
  : plan_{std::move(plan)}, options_{std::move(options)}, arrived_{std::move(arrived)} {
  for (const auto& what : options_.subscriptions) {
    auto& x = consumers_.emplace_back();
    x.what = what;
    x.place = static_cast<uint32_t>(consumers_.size() - 1);
    x.shown.queue = what.queue;
    shown_.push_back(x.shown);
  }
}

bool consume_duty::current(const delivery_ref& ref) const {
  return ref.queue < consumers_.size() && consumers_[ref.queue].stay == ref.stay;
}

std::vector<amqp_queue_status> consume_duty::queues() const {
  auto guard = std::lock_guard{mutex_};
  return shown_;
}

std::vector<amqp_fault> consume_duty::faults() const {
  auto guard = std::lock_guard{mutex_};
  return faults_;
}

uint64_t consume_duty::waiting(const std::string& queue) const {
  auto guard = std::lock_guard{mutex_};
  auto i = waiting_.find(queue);
  return i == waiting_.end() ? 0 : i->second;
}

void consume_duty::show() {
  auto guard = std::lock_guard{mutex_};
  for (auto i = size_t{0}; i < consumers_.size(); ++i) {
    auto& x = consumers_[i];
    x.shown.consuming = x.consuming;
    x.shown.unsettled = x.acks.open();
    shown_[i] = x.shown;
    waiting_[x.what.queue] = x.ready;
  }
}

caf::error consume_duty::opened(session& at) {
  if (auto why = at.open_channel(own_channel))
    return why;
  last_channel_ = own_channel;
  next_refresh_ = {};
  auto now = clock::now();
  if (auto why = refresh_topology(at, now))
    return why;
  for (auto& x : consumers_) {
    x.next_attempt = now;
    x.backoff = milliseconds{0};
  }
  return {};
}

void consume_duty::closed() {
  for (auto& x : consumers_)
    lose(x, "no connection");
  // They come again.
  for (const auto& x : gathered_)
    bytes_ -= weight_of(x.message);
  gathered_.clear();
  show();
}

void consume_duty::lose(consumer& x, std::string why) {
  x.consuming = false;
  x.channel = 0;
  x.stay = 0;
  x.acks = {};
  x.content = {};
  x.suspicious = false;
  x.shown.trouble = std::move(why);
  x.backoff = std::clamp(x.backoff * 2, first_retry, longest_retry);
  x.next_attempt = clock::now() + x.backoff;
}

caf::error consume_duty::refresh_topology(session& at, clock::time_point now) {
  if (now < next_refresh_)
    return {};
  next_refresh_ = now + options_.refresh;
  auto faults = std::vector<amqp_fault>{};
  if (auto why = declare_all(at, own_channel, plan_, faults))
    return why;
  auto known = this->faults();
  for (const auto& x : faults) {
    auto same = [&](const amqp_fault& y) { return x.what == y.what && x.text == y.text; };
    if (std::none_of(known.begin(), known.end(), same))
      log(log_level::error, "amqp", "the broker refuses a declaration; it is left out",
          {{"what", x.what}, {"error", x.text}});
  }
  auto guard = std::lock_guard{mutex_};
  faults_ = std::move(faults);
  return {};
}

consume_duty::consumer* consume_duty::find(uint16_t channel) {
  for (auto& x : consumers_)
    if (x.channel == channel && channel != 0)
      return &x;
  return nullptr;
}

/// Numbers are not used again at once: frames of the last use may still be on their way.
uint16_t consume_duty::fresh_channel() {
  do
    last_channel_ = last_channel_ >= most_channels ? own_channel + 1 : last_channel_ + 1;
  while (find(last_channel_));
  return last_channel_;
}

caf::error consume_duty::subscribe(session& at, consumer& to) {
  auto again = to.shown.delivered > 0 || !to.shown.trouble.empty();
  auto why = try_to_consume(at, to);
  if (!why) {
    to.consuming = true;
    to.shown.trouble.clear();
    to.shown.resubscribed += again ? 1 : 0;
    to.last_delivery = clock::now();
    to.next_check = to.last_delivery + options_.deaf_after;
    log(log_level::info, "amqp", "consuming", {{"queue", to.what.queue}});
    return {};
  }
  if (!at.alive())
    return why;
  auto text = one_line(why);
  if (to.shown.trouble != text)
    log(log_level::error, "amqp", "a queue cannot be consumed; it is left alone",
        {{"queue", to.what.queue}, {"error", text}});
  lose(to, std::move(text));
  return {};
}

caf::error consume_duty::try_to_consume(session& at, consumer& to) {
  // It may have been deleted since the topology was declared.
  if (auto plan = plan_.find_queue(to.what.queue)) {
    auto refused = std::vector<amqp_fault>{};
    if (auto why = declare_queue(at, own_channel, *plan, refused))
      return why;
    for (const auto& x : refused)
      if (x.what == "queue " + to.what.queue)
        return fault(ec::conflict, x.text);
  }
  to.channel = fresh_channel();
  if (auto why = at.open_channel(to.channel))
    return why;
  to.stay = ++last_stay_;
  auto channel = to.channel;
  if (auto why = at.call(channel, [&](amqp_connection_state_t c) {
        amqp_basic_qos(c, channel, 0, to.what.prefetch, 0);
      }))
    return why;
  return at.call(channel, [&](amqp_connection_state_t c) {
    amqp_basic_consume(c, channel, bytes_of(to.what.queue), bytes_of("troupe"), 0, 0, 0,
                       amqp_empty_table);
  });
}

caf::error consume_duty::frame(session& at, const amqp_frame_t& in) {
  auto from = find(in.channel);
  if (in.frame_type == AMQP_FRAME_METHOD) {
    if (from)
      return take_method(at, *from, in);
    if (in.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD) {
      auto why = at.closed_by(in);
      return at.alive() && in.channel == own_channel ? at.open_channel(own_channel) : caf::error{};
    }
    return {};
  }
  if (from)
    if (auto message = from->content.take(in))
      take_message(*from, std::move(*message));
  return {};
}

caf::error consume_duty::take_method(session& at, consumer& from, const amqp_frame_t& in) {
  switch (in.payload.method.id) {
    case AMQP_BASIC_DELIVER_METHOD:
      from.content.begin(*static_cast<const amqp_basic_deliver_t*>(in.payload.method.decoded));
      return {};
    case AMQP_BASIC_CANCEL_METHOD:
      log(log_level::warning, "amqp", "the broker ended a subscription",
          {{"queue", from.what.queue}});
      return leave(at, from);
    case AMQP_CHANNEL_CLOSE_METHOD: {
      auto why = at.closed_by(in);
      if (!at.alive())
        return why;
      log(log_level::warning, "amqp", "the broker closed a channel",
          {{"queue", from.what.queue}, {"error", one_line(why)}});
      lose(from, one_line(why));
      return {};
    }
    default: return {};
  }
}

/// Gives a channel up; what it delivered and is not acknowledged comes again.
caf::error consume_duty::leave(session& at, consumer& from) {
  if (auto why = send_acks(at, from))
    return why;
  auto why = at.close_channel(from.channel);
  lose(from, "the subscription has ended");
  return at.alive() ? caf::error{} : why;
}

void consume_duty::take_message(consumer& from, inbound_message message) {
  auto tag = from.content.tag();
  from.acks.delivered(tag);
  from.last_delivery = clock::now();
  from.suspicious = false;
  from.backoff = milliseconds{0};
  ++from.shown.delivered;
  message.queue = from.what.queue;
  bytes_ += weight_of(message);
  gathered_.push_back({{from.place, from.stay, tag}, std::move(message)});
}

void consume_duty::take_settled() {
  auto now = clock::now();
  for (const auto& x : settled_.take())
    if (auto& of = consumers_[x.queue]; of.stay == x.stay && x.stay != 0) {
      of.acks.settle(x.tag, now);
      ++of.shown.settled;
    }
}

caf::error consume_duty::send_acks(session& at, consumer& to) {
  if (to.channel == 0 || !to.acks.pending())
    return {};
  for (const auto& x : to.acks.take(clock::now()))
    if (auto why = at.judge(amqp_basic_ack(at.get(), to.channel, x.tag, x.multiple)))
      return why;
  return {};
}

caf::error consume_duty::look_after(session& at, consumer& of, clock::time_point now) {
  if (auto why = send_acks(at, of))
    return why;
  if (paused_) {
    if (!std::exchange(of.consuming, false))
      return {};
    of.shown.trouble = "paused";
    auto channel = of.channel;
    auto why = at.call(channel, [&](amqp_connection_state_t c) {
      amqp_basic_cancel(c, channel, bytes_of("troupe"));
    });
    return at.alive() ? caf::error{} : why;
  }
  if (!of.consuming)
    return now >= of.next_attempt ? subscribe(at, of) : caf::error{};
  return now >= of.next_check ? check_deaf(at, of, now) : caf::error{};
}

/// A broker that has messages and room to send them, and sends none, has forgotten us.
caf::error consume_duty::check_deaf(session& at, consumer& of, clock::time_point now) {
  of.next_check = now + options_.deaf_after / 2;
  auto ready = uint32_t{0};
  auto why = at.call(own_channel, [&](amqp_connection_state_t c) {
    if (auto ok =
          amqp_queue_declare(c, own_channel, bytes_of(of.what.queue), 1, 0, 0, 0, amqp_empty_table))
      ready = ok->message_count;
  });
  if (why) {
    if (!at.alive())
      return why;
    if (auto failed = at.open_channel(own_channel))
      return failed;
    return why == ec::not_found ? leave(at, of) : caf::error{};
  }
  of.ready = ready;
  if (now - of.last_delivery < options_.deaf_after || of.acks.open() >= of.what.prefetch)
    return {};
  if (ready == 0) {
    of.suspicious = false;
    return {};
  }
  // One look may fall between a publish and its delivery.
  if (!std::exchange(of.suspicious, true)) {
    of.next_check = now + std::min<milliseconds>(milliseconds{1'000}, options_.deaf_after / 2);
    return {};
  }
  ++deaf_;
  log(log_level::warning, "amqp", "messages are ready but none arrive; subscribing again",
      {{"queue", of.what.queue}, {"ready", ready}});
  return leave(at, of);
}

caf::error consume_duty::work(session& at) {
  if (!gathered_.empty() && deliveries_.put(std::move(gathered_)))
    arrived_();
  take_settled();
  auto now = clock::now();
  if (auto why = refresh_topology(at, now))
    return why;
  for (auto& x : consumers_)
    if (auto why = look_after(at, x, now))
      return why;
  if (now >= next_show_) {
    next_show_ = now + show_interval;
    show();
  }
  return {};
}

} // namespace troupe
