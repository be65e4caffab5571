#pragma once

#include "actors/directory.hpp"
#include "actors/projection/projection.hpp"
#include "config/log.hpp"
#include "messages/protocols.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// How a projection follows the journal.
struct pump_options {
  std::string actor;          ///< For the log.
  std::string consumer;       ///< Name of its cursor, unique in the cluster.
  size_t most_waiting = 8192; ///< Questions that wait; more are `saturated`.
  uint32_t batch_events = 4096;
  uint32_t batch_bytes = uint32_t{4} << 20;
  uint64_t cursor_step = 8192; ///< The journal is told of so many events at once, or when idle.
  caf::timespan patience{std::chrono::seconds{2}}; ///< Behind for longer than this = `unavailable`.
  caf::timespan read_timeout{std::chrono::seconds{5}};
  caf::timespan follow_wait{std::chrono::seconds{25}};
};

/// Keeps a projection at the end of the journal, by pulling, and answers questions
/// with everything that was durable when they came: questions come in rounds; those
/// that are there when a round begins are answered when a read that was sent after
/// they came has found the journal's end.
///
/// Part of an actor, to which it sends `flush_atom` and `tick_atom`; the actor calls
/// `flush` and `tick` for them. It ends the actor when the projection is broken.
template <class Self>
class projection_pump {
public:
  projection_pump(Self* self, const directory* roles, projection* what, pump_options options)
    : self_{self}, roles_{roles}, projection_{what}, options_{std::move(options)} {}

  /// Opens the projection and begins to follow; false if it is broken.
  bool start() {
    self_->set_down_handler([this](const caf::down_msg& message) { journal_gone(message); });
    if (auto why = projection_->open()) {
      broken("the projection cannot be read", why);
      return false;
    }
    follow();
    return true;
  }

  /// Answers with `answer(reply)` when everything durable by now is applied.
  /// Errors: `ec::saturated`, `ec::unavailable` (no journal, or too far behind).
  template <class T, class F>
  caf::result<T> ask(F answer) {
    if (asked_.size() + round_.size() >= options_.most_waiting)
      return fault(ec::saturated, "too many questions wait for the " + options_.actor);
    auto reply = self_->template make_response_promise<T>();
    when_current([reply, answer = std::move(answer)](const caf::error& why) mutable {
      if (why)
        reply.deliver(why);
      else
        answer(reply);
    });
    return reply;
  }

  /// Calls `then` with nothing when everything durable by now is applied, else with why not.
  void when_current(std::function<void(const caf::error&)> then) {
    asked_.push_back(std::move(then));
    if (!flush_scheduled_) {
      flush_scheduled_ = true;
      self_->send(self_, caf::flush_atom_v);
    }
  }

  /// Begins a round for the questions that have come.
  void flush() {
    flush_scheduled_ = false;
    if (pulling_ || asked_.empty())
      return;
    round_ = std::exchange(asked_, {});
    round_began_ = now();
    pull();
  }

  void tick() {
    if (retry_follow_ && now() >= retry_at_) {
      retry_follow_ = false;
      follow();
    }
  }

private:
  static constexpr auto first_backoff = caf::timespan{std::chrono::milliseconds{10}};
  static constexpr auto longest_backoff = caf::timespan{std::chrono::seconds{1}};

  caf::timespan now() const {
    return std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
  }

  read_events next_read(caf::timespan wait) const {
    return {projection_->applied() + 1, options_.batch_events, options_.batch_bytes, wait};
  }

  /// Reads on until the journal's end.
  void pull() {
    auto journal = roles_->find<journal_actor>("journal");
    if (!journal)
      return end_round(fault(ec::unavailable, "there is no journal"));
    pulling_ = true;
    self_->request(journal, options_.read_timeout, next_read(caf::timespan{0}))
      .then(
        [this](const event_batch& got) {
          auto why = caf::error{};
          if (!take(got, why))
            return end_round(why);
          if (got.at_end)
            return end_round({});
          if (now() - round_began_ > options_.patience)
            return end_round(catching_up());
          pull();
        },
        [this](const caf::error& why) { end_round(skip_forgotten(why)); });
  }

  void end_round(const caf::error& why) {
    pulling_ = false;
    for (auto& x : std::exchange(round_, {}))
      x(why);
    follow();
    flush();
  }

  /// Waits for what comes next, so that a round finds little to do.
  void follow() {
    if (following_ || pulling_ || retry_follow_)
      return;
    auto journal = roles_->find<journal_actor>("journal");
    if (!journal)
      return follow_later();
    keep_cursor(false);
    following_ = true;
    if (followed_ != journal.address()) {
      followed_ = journal.address();
      self_->monitor(journal);
    }
    self_
      ->request(journal, options_.follow_wait + options_.read_timeout,
                next_read(options_.follow_wait))
      .then(
        [this, turn = follow_turn_](const event_batch& got) {
          if (turn != follow_turn_)
            return;
          following_ = false;
          auto why = caf::error{};
          if (!take(got, why))
            return follow_later();
          backoff_ = caf::timespan{0};
          if (got.events.empty())
            keep_cursor(true);
          follow();
        },
        [this, turn = follow_turn_](const caf::error& why) {
          if (turn != follow_turn_)
            return;
          following_ = false;
          skip_forgotten(why);
          follow_later();
        });
  }

  /// The journal, or the link to it, has gone: nobody answers the read that waits there.
  void journal_gone(const caf::down_msg& message) {
    if (message.source != followed_)
      return;
    followed_ = nullptr;
    ++follow_turn_;
    if (std::exchange(following_, false))
      follow_later();
  }

  void follow_later() {
    backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
    retry_follow_ = true;
    retry_at_ = now() + backoff_;
    self_->delayed_send(self_, backoff_, caf::tick_atom_v);
  }

  /// Applies a batch; false if it could not be stored.
  bool take(const event_batch& batch, caf::error& why) {
    why = projection_->apply(batch);
    if (why && explain(why).code != ec::disk_full)
      broken("the projection cannot be written", why);
    return !why;
  }

  void broken(const char* what, const caf::error& why) {
    log(log_level::error, options_.actor, what, {{"reason", one_line(why)}});
    self_->quit(why);
  }

  caf::error catching_up() const {
    return fault(ec::unavailable, "the " + options_.actor + " is catching up");
  }

  /// If the journal has forgotten events that were not applied, goes on at its
  /// first one: answering from what is left is better than answering nothing.
  caf::error skip_forgotten(const caf::error& why) {
    auto parts = explain(why);
    if (parts.code != ec::gone)
      return why;
    auto first = uint64_t{0};
    auto text = std::string_view{parts.place};
    std::from_chars(text.data(), text.data() + text.size(), first);
    log(log_level::error, options_.actor, "events were forgotten before they were applied",
        {{"applied", projection_->applied()}, {"first", first}});
    if (first > 0)
      projection_->skip_to(first);
    return catching_up();
  }

  /// Tells the journal how far this projection has come, so that it keeps the rest.
  void keep_cursor(bool idle) {
    auto at = projection_->applied();
    auto journal = roles_->find<journal_actor>("journal");
    auto first_time = cursor_kept_ == UINT64_MAX;
    if (!journal
        || (!first_time
            && (at == cursor_kept_ || (!idle && at < cursor_kept_ + options_.cursor_step))))
      return;
    if (at > 0 && projection_->keep_mark())
      return;
    cursor_kept_ = at;
    self_->request(journal, options_.read_timeout, cursor{options_.consumer, at})
      .then([](const cursor&) {}, [this](const caf::error& why) { keep_cursor_failed(why); });
  }

  /// A consumer that was away for too long was evicted: it goes on with what is left.
  void keep_cursor_failed(const caf::error& why) {
    cursor_kept_ = UINT64_MAX;
    auto journal = roles_->find<journal_actor>("journal");
    if (explain(why).code != ec::gone || !journal)
      return;
    log(log_level::error, options_.actor, "this consumer was evicted, events are missing",
        {{"consumer", options_.consumer}, {"applied", projection_->applied()}});
    self_->request(journal, options_.read_timeout, caf::delete_atom_v, options_.consumer)
      .then([](const cursor&) {}, [](const caf::error&) {});
  }

  Self* self_;
  const directory* roles_;
  projection* projection_;
  pump_options options_;
  std::vector<std::function<void(const caf::error&)>> asked_; ///< Wait for the next round.
  std::vector<std::function<void(const caf::error&)>> round_; ///< Answered at the end of this one.
  caf::timespan round_began_{};
  bool flush_scheduled_ = false;
  bool pulling_ = false;
  bool following_ = false;
  caf::actor_addr followed_; ///< The journal that a read waits at, monitored.
  uint64_t follow_turn_ = 0; ///< Counts journals that went: reads sent to them are over.
  bool retry_follow_ = false;
  caf::timespan retry_at_{};
  caf::timespan backoff_{};
  uint64_t cursor_kept_ = UINT64_MAX; ///< What the journal was told; not yet = the maximum.
};

} // namespace troupe
