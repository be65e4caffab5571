#pragma once

#include "bridges/amqp/ack_window.hpp"
#include "bridges/amqp/content_reader.hpp"
#include "bridges/amqp/delivery.hpp"
#include "bridges/amqp/link.hpp"
#include "bridges/amqp/topology.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace troupe {

struct subscription {
  std::string queue;
  uint16_t prefetch = 1000;
};

struct consume_options {
  std::vector<subscription> subscriptions;
  uint64_t most_bytes = 64ULL << 20; ///< Of deliveries that are not settled; then reading stops.
  std::chrono::milliseconds deaf_after{60'000};
  std::chrono::milliseconds refresh{60'000}; ///< Between two looks at the topology.
};

/// Consumes queues, one channel each: declares the topology, subscribes, hands deliveries
/// over, acknowledges what is settled; subscribes again when a queue or channel has gone,
/// or when nothing arrives although the broker has something.
///
/// Threads: the link's, and any for what is said to be.
class consume_duty final : public link_duty {
public:
  /// `arrived` is called on the link's thread when there are deliveries.
  consume_duty(topology plan, consume_options options, std::function<void()> arrived);

  // Threads: any.
  std::vector<delivery> take_deliveries() {
    return deliveries_.take();
  }
  /// These are to be acknowledged. Wake the link afterwards.
  void settle(std::vector<delivery_ref> refs) {
    settled_.put(std::move(refs));
  }
  /// So many bytes of deliveries are held no longer.
  void release(uint64_t bytes) {
    bytes_ -= bytes;
  }
  /// Whether a delivery can still be acknowledged; if not, it comes again.
  bool current(const delivery_ref& ref) const;
  /// Nothing more is to be delivered; what has come is to be settled.
  void pause() {
    paused_ = true;
  }
  std::vector<amqp_queue_status> queues() const;
  std::vector<amqp_fault> faults() const;
  /// Messages that wait in a queue, as of the last look (every `deaf_after` / 2).
  uint64_t waiting(const std::string& queue) const;
  uint64_t bytes() const {
    return bytes_;
  }
  uint64_t deaf() const {
    return deaf_;
  }

  caf::error opened(session& at) override;
  caf::error frame(session& at, const amqp_frame_t& in) override;
  caf::error work(session& at) override;
  bool reads() const override {
    return bytes_ < options_.most_bytes;
  }
  void closed() override;

private:
  using clock = std::chrono::steady_clock;

  struct consumer {
    subscription what;
    uint32_t place = 0;
    uint16_t channel = 0; ///< 0 = none.
    bool consuming = false;
    std::atomic<uint64_t> stay = 0; ///< 0 = no channel.
    ack_window acks;
    content_reader content;
    clock::time_point next_attempt{};
    std::chrono::milliseconds backoff{0};
    clock::time_point last_delivery{};
    clock::time_point next_check{};
    bool suspicious = false;
    uint32_t ready = 0; ///< As of the last look.
    amqp_queue_status shown;
  };

  caf::error take_method(session& at, consumer& from, const amqp_frame_t& in);
  void take_message(consumer& from, inbound_message message);
  void take_settled();
  caf::error send_acks(session& at, consumer& to);
  caf::error subscribe(session& at, consumer& to);
  caf::error try_to_consume(session& at, consumer& to);
  caf::error leave(session& at, consumer& from);
  caf::error look_after(session& at, consumer& of, clock::time_point now);
  caf::error check_deaf(session& at, consumer& of, clock::time_point now);
  caf::error refresh_topology(session& at, clock::time_point now);
  void lose(consumer& x, std::string why);
  consumer* find(uint16_t channel);
  uint16_t fresh_channel();
  void show();

  const topology plan_;
  const consume_options options_;
  const std::function<void()> arrived_;
  std::deque<consumer> consumers_;
  std::vector<delivery> gathered_;
  item_box<delivery> deliveries_;
  item_box<delivery_ref> settled_;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint64_t> deaf_ = 0;
  std::atomic<bool> paused_ = false;
  uint16_t last_channel_ = 1;
  uint64_t last_stay_ = 0;
  clock::time_point next_refresh_{};
  clock::time_point next_show_{};

  mutable std::mutex mutex_;
  std::vector<amqp_fault> faults_;
  std::vector<amqp_queue_status> shown_;
  std::map<std::string, uint64_t> waiting_;
};

} // namespace troupe
