#pragma once

#include "bridges/amqp/options.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What the desk is given to work with; all of it outlives the desk.
struct inbound_desk_parts {
  amqp_self self = nullptr;
  const amqp_roles* roles = nullptr;
  const amqp_options* options = nullptr;
  /// These deliveries are to be acknowledged.
  std::function<void(std::vector<delivery_ref>)> settle;
  /// So many bytes are held no longer.
  std::function<void(uint64_t)> release;
  /// Whether a delivery can still be acknowledged.
  std::function<bool(const delivery_ref&)> current;
  /// Publishes dead letters; the results come to `buried`.
  std::function<void(std::vector<publish_order>)> publish;
  amqp_counters* counts = nullptr;
  std::vector<pulse_counters>* feeds = nullptr; ///< One each, in the order of their places.
};

/// Decides about deliveries: finds the handler, gives many events to the journal in one append
/// or a request to a role, and settles each delivery when its effect is durable. What cannot be
/// taken in goes to the dead letters; what cannot be taken in now is kept and tried again.
///
/// Threads: the bridge's.
class inbound_desk {
public:
  explicit inbound_desk(inbound_desk_parts parts) : parts_{std::move(parts)} {}

  /// Messages of this application are our own.
  void set_own_app(std::string app) {
    own_app_ = std::move(app);
  }
  void take(std::vector<delivery> deliveries);
  /// Tries again what is due. `now` only grows.
  void tick(caf::timespan now);
  /// A dead letter has come to its queue, or not.
  void buried(publish_result result);
  /// Deliveries that are not settled.
  size_t open() const {
    return open_;
  }

private:
  struct entry {
    delivery_ref ref;
    inbound_message message;
    const consumed_queue* from = nullptr;
    size_t weight = 0;
    bool by_hash = false; ///< The id was made of the body.
    bool renamed = false; ///< It was given an id of its own.
    bool counted = false; ///< Among the messages of its feed.
    bool early = false;   ///< What it speaks of was not known.
    caf::timespan give_up_at{0}; ///< Of an early one.
  };
  using entries = std::vector<entry>;
  struct letter {
    delivery_ref ref;
    size_t weight = 0;
  };

  void decide(entries work, size_t most_groups);
  void decide_one(entry x, entries& batch, std::vector<append_group>& groups);
  void take_news(entry x, entries& batch, std::vector<append_group>& groups);
  void append(entries batch, std::vector<append_group> groups);
  void appended(entries& batch, const append_results& reply);
  void refused(entries& batch, const caf::error& why);
  void ask(entry x, const inbound_effect& effect);
  void asked(entry x, const caf::expected<inbound_outcome>& outcome);
  bool rename(entry& x) const;
  void hold(entry x);
  void wait_for_subject(entry x);
  void bury(entry x, const caf::error& why);
  void done(const delivery_ref& ref, size_t weight);
  void flush();

  inbound_desk_parts parts_;
  std::string own_app_; ///< Empty = not known yet: nothing can be taken in.
  size_t open_ = 0;
  std::deque<entry> held_;
  std::deque<entry> early_;
  caf::timespan ask_again_at_{0}; ///< For those.
  bool journal_away_ = false; ///< It took nothing the last time.
  caf::timespan now_{0};
  caf::timespan retry_at_{0};
  caf::timespan backoff_{0};
  uint64_t nonce_ = uint64_t{std::random_device{}()} << 32; ///< In place of a digest.
  uint64_t last_handle_ = 0;
  std::unordered_map<uint64_t, letter> letters_;
  std::vector<publish_order> unburied_; ///< Refused, to be tried again.
  caf::timespan bury_at_{0};
  std::vector<delivery_ref> settled_;
  uint64_t released_ = 0;
  std::vector<publish_order> letters_out_;
};

/// Fills in what the message's effect is known by: queue and message id, or queue and a hash of
/// key and body. Returns whether it is a hash. Source: DESIGN 2.
bool identify(inbound_message& x);

/// Returns the row for a routing key, null if none matches.
const inbound_handler* handler_for(const consumed_queue& queue, std::string_view key);

/// Returns the letter for a message that could not be taken in.
publication dead_letter_of(const inbound_message& x, const std::string& queue,
                           const caf::error& why);

/// Handles of dead letters have this bit.
inline constexpr auto letter_bit = uint64_t{1} << 63;

} // namespace troupe
