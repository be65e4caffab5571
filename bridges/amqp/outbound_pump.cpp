#include "bridges/amqp/outbound_pump.hpp"

#include "bridges/amqp/letter_headers.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr auto retry_pause = caf::timespan{milliseconds{1'000}};
constexpr auto keep_interval = caf::timespan{milliseconds{250}};
constexpr auto read_wait = caf::timespan{milliseconds{10'000}};
constexpr auto first_pause = caf::timespan{milliseconds{500}};
constexpr auto longest_pause = caf::timespan{milliseconds{10'000}};
constexpr auto most_events = size_t{500'000};
constexpr auto most_waiting = size_t{10'000};

bool wanted(const published_events& row, std::string_view topic) {
  return std::any_of(row.topics.begin(), row.topics.end(), [&](const std::string& x) {
    return x.ends_with('.') || x.empty() ? topic.starts_with(x) : topic == x;
  });
}

} // namespace

void outbound_pump::tick(caf::timespan now) {
  now_ = now;
  auto due = std::vector<publish_order>{};
  auto later = std::vector<waiting_order>{};
  for (auto& x : waiting_)
    if (x.due <= now_)
      due.push_back(std::move(x.order));
    else
      later.push_back(std::move(x));
  waiting_ = std::move(later);
  if (!due.empty())
    parts_.publish(std::move(due));
  if (!ready_ && !asking_ && now_ >= try_at_)
    begin();
  if (now_ >= keep_at_)
    keep_cursor();
  pull();
}

void outbound_pump::failed(const caf::error& why) {
  asking_ = false;
  reading_ = false;
  try_at_ = now_ + retry_pause;
  if (!std::exchange(told_, true))
    log(log_level::warning, "amqp", "the outbox waits for the journal", {{"error", one_line(why)}});
}

void outbound_pump::begin() {
  auto to = parts_.roles->journal ? parts_.roles->journal() : journal_actor{};
  if (!to)
    return failed(fault(ec::unavailable, "the journal role is absent"));
  asking_ = true;
  parts_.self->request(to, parts_.options->request_limit, status_atom_v)
    .then([this](const journal_status& x) { find_cursor(x); },
          [this](const caf::error& why) { failed(why); });
}

void outbound_pump::find_cursor(const journal_status& journal) {
  place_.journal = journal.id;
  parts_.own_app("troupe/" + journal.id);
  auto to = parts_.roles->journal();
  if (parts_.options->publish.empty() || !to) {
    asking_ = false;
    ready_ = to != nullptr;
    return;
  }
  parts_.self->request(to, parts_.options->request_limit, cursors_atom_v)
    .then(
      [this, journal](const cursor_list& all) {
        for (const auto& x : all.cursors)
          if (x.name == parts_.options->consumer)
            return keep_first(x.sequence, journal.first);
        auto from_now = parts_.options->publish_from == outbox_start::now;
        keep_first(from_now ? journal.next - 1 : journal.first - 1, journal.first);
      },
      [this](const caf::error& why) { failed(why); });
}

void outbound_pump::keep_first(uint64_t sequence, uint64_t first) {
  auto to = parts_.roles->journal();
  if (!to)
    return failed(fault(ec::unavailable, "the journal role is absent"));
  parts_.self
    ->request(to, parts_.options->request_limit, cursor{parts_.options->consumer, sequence})
    .then(
      [this, first](const cursor& x) {
        asking_ = false;
        ready_ = true;
        told_ = false;
        kept_ = x.sequence;
        next_ = std::max(x.sequence + 1, first);
        parts_.counts->skipped += next_ - (x.sequence + 1);
        log(log_level::info, "amqp", "the outbox follows the journal", {{"from", next_}});
        pull();
      },
      [this, first](const caf::error& why) { why == ec::gone ? evicted(first) : failed(why); });
}

/// What was forgotten cannot be published any more; the rest must be.
void outbound_pump::evicted(uint64_t first) {
  parts_.counts->skipped += first - std::min(first, kept_ + 1);
  log(log_level::error, "amqp", "the outbox lagged too far: events were not published",
      {{"from", kept_ + 1}, {"to", first - 1}});
  auto to = parts_.roles->journal();
  if (!to)
    return failed(fault(ec::unavailable, "the journal role is absent"));
  parts_.self
    ->request(to, parts_.options->request_limit, caf::delete_atom_v, parts_.options->consumer)
    .then([this, first](const cursor&) { keep_first(first - 1, first); },
          [this](const caf::error& why) { failed(why); });
}

bool outbound_pump::room() const {
  return parts_.held() < 2 * parts_.options->publishing.window && events_.size() < most_events;
}

void outbound_pump::pull() {
  if (!ready_ || reading_ || stopping_ || parts_.options->publish.empty() || now_ < try_at_
      || !room())
    return;
  auto to = parts_.roles->journal();
  if (!to)
    return failed(fault(ec::unavailable, "the journal role is absent"));
  reading_ = true;
  auto what = read_events{};
  what.from = next_;
  what.wait = read_wait;
  parts_.self->request(to, read_wait + parts_.options->request_limit, what)
    .then(
      [this](const event_batch& batch) {
        reading_ = false;
        told_ = false;
        turn(batch);
        pull();
      },
      [this](const caf::error& why) {
        failed(why);
        // It was trimmed below us, or it is another one: look where it begins.
        if (why == ec::gone)
          ready_ = false;
      });
}

void outbound_pump::turn(const event_batch& batch) {
  auto out = std::vector<publish_order>{};
  if (!batch.events.empty() && batch.events.front().sequence > next_)
    parts_.counts->skipped += batch.events.front().sequence - next_;
  for (const auto& x : batch.events)
    turn_one(x, out);
  next_ = batch.next;
  if (!out.empty())
    parts_.publish(std::move(out));
}

void outbound_pump::turn_one(const stored_event& what, std::vector<publish_order>& out) {
  auto pulled = pulled_event{what.sequence, last_handle_ + 1, {}, 0};
  const auto& rows = parts_.options->publish;
  for (auto row = size_t{0}; row < rows.size(); ++row) {
    if (!wanted(rows[row], what.what.topic))
      continue;
    place_.exchange = rows[row].exchange;
    place_.routing_key = rows[row].routing_key;
    place_.made = pulled.rows.size();
    auto made = rows[row].rule->make(what, place_);
    if (!made) {
      ++parts_.counts->dropped;
      log(log_level::error, "amqp", "an event cannot be published",
          {{"topic", what.what.topic},
           {"sequence", what.sequence},
           {"error", one_line(made.error())}});
      continue;
    }
    for (auto& x : *made) {
      if (x.message_id.empty())
        x.message_id = outbound_id(place_, what, pulled.rows.size() - place_.made);
      if (x.time == caf::timestamp{})
        x.time = what.what.time;
      x.app_id = "troupe/" + place_.journal;
      pulled.rows.push_back(static_cast<uint32_t>(row));
      out.push_back({++last_handle_, std::move(x)});
    }
  }
  pulled.left = pulled.rows.size();
  if (pulled.left > 0)
    events_.push_back(std::move(pulled));
}

outbound_pump::pulled_event* outbound_pump::find(uint64_t handle) {
  auto i = std::upper_bound(events_.begin(), events_.end(), handle,
                            [](uint64_t h, const pulled_event& x) { return h < x.first_handle; });
  return i == events_.begin() ? nullptr : &*--i;
}

void outbound_pump::settle(uint64_t handle) {
  if (auto x = find(handle); x && x->left > 0)
    --x->left;
  while (!events_.empty() && events_.front().left == 0)
    events_.pop_front();
}

void outbound_pump::take(std::vector<publish_result> results) {
  for (auto& x : results) {
    if (x.outcome != publish_outcome::confirmed) {
      found_no_place(std::move(x));
      continue;
    }
    ++parts_.counts->confirmed;
    if (!troubles_.empty())
      if (auto i = troubles_.find(x.handle); i != troubles_.end()) {
        parts_.counts->dead_letters += i->second.buried ? 1 : 0;
        troubles_.erase(i);
      }
    settle(x.handle);
  }
  pull();
}

void outbound_pump::found_no_place(publish_result result) {
  ++(result.outcome == publish_outcome::returned ? parts_.counts->returned
                                                 : parts_.counts->refused);
  auto of = find(result.handle);
  if (!of)
    return;
  const auto& row = parts_.options->publish[of->rows[result.handle - of->first_handle]];
  if (row.otherwise == unroutable::drop) {
    ++parts_.counts->dropped;
    return settle(result.handle);
  }
  auto [i, first] = troubles_.try_emplace(result.handle, trouble{now_, {}, false});
  auto& known = i->second;
  auto order = publish_order{result.handle, std::move(result.what)};
  if (first)
    log(
      log_level::warning, "amqp", "a message found no place; it is kept",
      {{"exchange", order.what.exchange}, {"key", order.what.routing_key}, {"error", result.why}});
  known.backoff = std::clamp(known.backoff * 2, first_pause, longest_pause);
  auto over = now_ - known.since >= parts_.options->retry_for || waiting_.size() >= most_waiting;
  if (over && !std::exchange(known.buried, true)) {
    bury(order, result.why);
    known.backoff = {};
  }
  waiting_.push_back({now_ + known.backoff, std::move(order)});
}

/// Replayed, it goes to the exchange and key that it was made for.
void outbound_pump::bury(publish_order& order, const std::string& why) const {
  auto& x = order.what;
  log(log_level::error, "amqp", "a message that found no place goes to the dead letters",
      {{"exchange", x.exchange}, {"key", x.routing_key}, {"error", why}});
  x.headers.insert(x.headers.end(), {{letter_reason, "unroutable"},
                                     {letter_text, why.substr(0, 1024)},
                                     {letter_exchange, x.exchange},
                                     {letter_routing_key, x.routing_key},
                                     {letter_time, to_iso8601(troupe::now())}});
  x.exchange.clear();
  x.routing_key = parts_.options->dead_letters;
}

uint64_t outbound_pump::cursor_now() const {
  return events_.empty() ? next_ - 1 : events_.front().sequence - 1;
}

void outbound_pump::keep_cursor() {
  auto at = cursor_now();
  if (!ready_ || keeping_ || at <= kept_ || parts_.options->publish.empty())
    return;
  auto to = parts_.roles->journal();
  if (!to)
    return;
  keeping_ = true;
  keep_at_ = now_ + keep_interval;
  parts_.self->request(to, parts_.options->request_limit, cursor{parts_.options->consumer, at})
    .then(
      [this](const cursor& x) {
        keeping_ = false;
        kept_ = std::max(kept_, x.sequence);
      },
      [this](const caf::error& why) {
        keeping_ = false;
        // Evicted while it was being used: begin anew, from what is left.
        if (why == ec::gone && events_.empty())
          ready_ = false;
      });
}

void outbound_pump::fill(amqp_status& out) const {
  if (parts_.options->publish.empty())
    return;
  out.cursor = parts_.options->consumer;
  out.published_up_to = kept_;
  out.journal_next = next_;
  out.waiting = waiting_.size();
}

} // namespace troupe
