#pragma once

#include "bridges/amqp/content_reader.hpp"
#include "bridges/amqp/delivery.hpp"
#include "bridges/amqp/link.hpp"
#include "bridges/amqp/outbound_rule.hpp"
#include "bridges/amqp/topology.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// A message to publish; the handle names it in the result.
struct publish_order {
  uint64_t handle = 0;
  publication what;
};

enum class publish_outcome : uint8_t {
  confirmed, ///< The broker has it.
  returned,  ///< No queue wants it.
  refused,   ///< Nacked, or the place refuses: no such exchange, no right.
};

struct publish_result {
  uint64_t handle = 0;
  publish_outcome outcome = publish_outcome::confirmed;
  std::string why;
  publication what; ///< Empty if confirmed.
};

struct publish_options {
  size_t window = 1000;                           ///< Messages on their way that are not confirmed.
  std::chrono::milliseconds refusal_time{30'000}; ///< A place that refused is left alone so long.
};

/// Publishes with confirms, mandatory, at most a window at once. What is on its way when a
/// connection breaks is published again on the next one. A place that refuses closes the channel
/// and does not say for which message: then they go one by one until it is found.
///
/// Threads: the link's, and any for what is said to be.
class publish_duty final : public link_duty {
public:
  /// `answered` is called on the link's thread when there are results.
  publish_duty(topology plan, publish_options options, std::function<void()> answered);

  // Threads: any.
  /// Wake the link afterwards.
  void send(std::vector<publish_order> orders) {
    held_ += orders.size();
    orders_.put(std::move(orders));
  }
  std::vector<publish_result> take_results() {
    return results_.take();
  }
  /// Messages that have no result yet.
  uint64_t held() const {
    return held_;
  }
  uint64_t unconfirmed() const {
    return unconfirmed_;
  }
  uint64_t published() const {
    return published_;
  }
  uint64_t times_blocked() const {
    return times_blocked_;
  }

  caf::error opened(session& at) override;
  caf::error frame(session& at, const amqp_frame_t& in) override;
  caf::error work(session& at) override;
  bool busy() const override;
  void closed() override;
  void blocked(bool now) override;

private:
  using clock = std::chrono::steady_clock;

  struct sent {
    publish_order order;
    bool done = false;
    bool returned = false;
    std::string why;
  };
  struct refusal {
    clock::time_point until;
    std::string why;
  };

  size_t room() const;
  caf::error send_slice(session& at);
  bool refuse_early(publish_order& order);
  caf::error open_channel(session& at);
  caf::error channel_closed(session& at, const amqp_frame_t& in);
  void settle(uint64_t tag, bool multiple, bool accepted);
  void finish(sent& x, bool accepted);
  void give(uint64_t handle, publish_outcome outcome, std::string why, publication what);
  void put_back();
  void came_back(const inbound_message& message);

  const topology plan_;
  const publish_options options_;
  const std::function<void()> answered_;
  std::deque<publish_order> queue_;
  std::deque<sent> sent_;
  uint64_t first_tag_ = 1; ///< Of the front of `sent_`.
  size_t careful_ = 0;     ///< So many more go one by one.
  bool blocked_ = false;
  std::map<std::string, refusal> refusals_; ///< By exchange.
  content_reader content_;
  std::string return_text_;
  std::vector<publish_result> gathered_;
  item_box<publish_order> orders_;
  item_box<publish_result> results_;
  std::atomic<uint64_t> held_ = 0;
  std::atomic<uint64_t> unconfirmed_ = 0;
  std::atomic<uint64_t> published_ = 0;
  std::atomic<uint64_t> times_blocked_ = 0;
};

} // namespace troupe
