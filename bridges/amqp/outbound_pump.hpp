#pragma once

#include "bridges/amqp/options.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// What the pump is given to work with; all of it outlives the pump.
struct outbound_pump_parts {
  amqp_self self = nullptr;
  const amqp_roles* roles = nullptr;
  const amqp_options* options = nullptr;
  /// Publishes; the results come to `take`.
  std::function<void(std::vector<publish_order>)> publish;
  /// Messages on their way or waiting for a connection.
  std::function<uint64_t()> held;
  /// Called once the journal's name is known: messages of that application are our own.
  std::function<void(const std::string&)> own_app;
  amqp_counters* counts = nullptr;
};

/// The outbox: pulls events from its cursor, makes messages of those that are configured, and
/// moves the cursor when all below is confirmed. What no place takes is tried again for a
/// while and then put into the dead letters, so it holds up nothing else.
///
/// Threads: the bridge's.
class outbound_pump {
public:
  explicit outbound_pump(outbound_pump_parts parts) : parts_{std::move(parts)} {}

  void tick(caf::timespan now);
  void take(std::vector<publish_result> results);
  /// Pulls nothing more.
  void stop() {
    stopping_ = true;
  }
  /// Whether everything that was pulled is confirmed and the cursor says so.
  bool idle() const {
    return events_.empty() && !keeping_ && kept_ == cursor_now();
  }
  void fill(amqp_status& out) const;

private:
  struct pulled_event {
    uint64_t sequence = 0;
    uint64_t first_handle = 0;
    std::vector<uint32_t> rows; ///< Of `options.publish`, one per message.
    size_t left = 0;
  };
  struct trouble {
    caf::timespan since{0};
    caf::timespan backoff{0};
    bool buried = false; ///< It is on its way to the dead letters.
  };
  struct waiting_order {
    caf::timespan due{0};
    publish_order order;
  };

  void begin();
  void find_cursor(const journal_status& journal);
  void keep_first(uint64_t sequence, uint64_t first);
  void evicted(uint64_t first);
  void failed(const caf::error& why);
  void pull();
  bool room() const;
  void turn(const event_batch& batch);
  void turn_one(const stored_event& what, std::vector<publish_order>& out);
  void found_no_place(publish_result result);
  void bury(publish_order& order, const std::string& why) const;
  void settle(uint64_t handle);
  pulled_event* find(uint64_t handle);
  uint64_t cursor_now() const;
  void keep_cursor();

  outbound_pump_parts parts_;
  outbound_place place_; ///< With the journal's id; empty = not known yet.
  bool asking_ = false;
  bool ready_ = false;
  bool reading_ = false;
  bool keeping_ = false;
  bool stopping_ = false;
  bool told_ = false; ///< That the journal is away.
  caf::timespan now_{0};
  caf::timespan try_at_{0};
  caf::timespan keep_at_{0};
  uint64_t next_ = 1; ///< Sequence of the next event to read.
  uint64_t kept_ = 0; ///< What the journal was told.
  uint64_t last_handle_ = 0;
  std::deque<pulled_event> events_; ///< With messages that are not confirmed.
  std::map<uint64_t, trouble> troubles_;
  std::vector<waiting_order> waiting_;
};

} // namespace troupe
