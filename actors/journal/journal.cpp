#include "actors/journal/journal.hpp"

#include "actors/journal/retention.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <thread>

namespace troupe {

namespace {

using steady = std::chrono::steady_clock;
using self_ptr = journal_self::stateful_pointer<journal_state>;

constexpr auto longest_gather = std::chrono::milliseconds{1};
/// However many messages come, no append waits longer for others to share its fsync.
constexpr auto longest_share = std::chrono::milliseconds{2};
constexpr auto longest_wait = caf::timespan{std::chrono::seconds{30}};

steady::time_point clock_of(self_ptr self) {
  return self->clock().now();
}

void tick_at(self_ptr self, steady::time_point when) {
  auto& st = self->state;
  if (when >= st.next_tick)
    return;
  st.next_tick = when;
  auto delay = std::max(when - clock_of(self), steady::duration{0});
  self->delayed_send(self, delay, caf::tick_atom_v);
}

/// Answers a read now, by a reader if there is one.
void answer(self_ptr self, const read_events& what, caf::typed_response_promise<event_batch> to) {
  auto& st = self->state;
  if (st.readers.empty()) {
    if (auto batch = st.backend->read(what))
      to.deliver(std::move(*batch));
    else
      to.deliver(std::move(batch.error()));
    return;
  }
  if (*st.reads >= st.options.reads_at_once) {
    to.deliver(fault(ec::saturated, "too many reads at once"));
    return;
  }
  ++*st.reads;
  auto& reader = st.readers[st.next_reader++ % st.readers.size()];
  to.template delegate<caf::message_priority::normal>(reader, what);
}

/// Answers the reads whose events have come and, empty, those whose time is up.
void answer_waiting(self_ptr self) {
  auto& st = self->state;
  auto next = st.backend->head().next;
  auto now = clock_of(self);
  auto rest = std::vector<waiting_read>{};
  for (auto& x : st.waiting) {
    if (x.query.from < next)
      answer(self, x.query, x.promise);
    else if (x.until <= now)
      x.promise.deliver(event_batch{{}, x.query.from, true});
    else
      rest.push_back(std::move(x));
  }
  st.waiting = std::move(rest);
  for (const auto& x : st.waiting)
    tick_at(self, x.until);
}

void fail_all(self_ptr self, const caf::error& why) {
  auto& st = self->state;
  for (auto& x : std::exchange(st.appenders, {}))
    x.deliver(why);
  for (auto& x : std::exchange(st.waiting, {}))
    x.promise.deliver(why);
}

/// A failed fsync is never tried again: the kernel may have dropped the very
/// pages and answer well the second time.
void step_down(self_ptr self, const caf::error& why) {
  log(log_level::error, "journal", "the journal cannot write and ends", {{"error", one_line(why)}});
  auto unavailable = fault(ec::unavailable, "the journal has failed: " + one_line(why));
  fail_all(self, unavailable);
  self->quit(std::move(unavailable));
}

uint64_t count_repeated(const append_results& x) {
  return static_cast<uint64_t>(std::count_if(x.results.begin(), x.results.end(), [](const auto& r) {
    return r.outcome == append_outcome::repeated;
  }));
}

void commit(self_ptr self) {
  auto& st = self->state;
  if (st.pending.empty())
    return;
  auto start = steady::now();
  st.last_appends = st.pending.appends();
  auto results = st.pending.commit(*st.backend, now());
  if (!results && results.error() != ec::disk_full)
    return step_down(self, results.error());
  auto appenders = std::exchange(st.appenders, {});
  for (auto i = size_t{0}; i < appenders.size(); ++i) {
    if (results) {
      st.repeated += count_repeated((*results)[i]);
      appenders[i].deliver(std::move((*results)[i]));
    } else {
      appenders[i].deliver(results.error());
    }
  }
  auto end = steady::now();
  st.gather_until = end + std::min<steady::duration>((end - start) / 2, longest_gather);
  if (results && !st.waiting.empty())
    answer_waiting(self);
}

/// Those who were answered by the last commit often append again at once: waiting
/// a fraction of an fsync for half of them saves a whole one.
bool more_is_coming(self_ptr self) {
  auto& st = self->state;
  if (steady::now() >= st.share_until)
    return false;
  if (self->mailbox().size() > 0)
    return true;
  if (st.pending.appends() * 2 >= st.last_appends || steady::now() >= st.gather_until)
    return false;
  std::this_thread::yield();
  return true;
}

void flush(self_ptr self) {
  auto& st = self->state;
  st.flush_sent = !st.pending.empty() && more_is_coming(self);
  if (st.flush_sent)
    self->send(self, caf::flush_atom_v);
  else
    commit(self);
}

caf::result<append_results> take(self_ptr self, append_events& what) {
  auto& st = self->state;
  if (!st.backend->accepting())
    return fault(ec::disk_full, "too little disk space for new work");
  if (auto why = st.pending.add(what))
    return why;
  auto promise = self->make_response_promise<append_results>();
  st.appenders.push_back(promise);
  if (st.pending.full()) {
    commit(self);
  } else if (!st.flush_sent) {
    // It queues behind what is waiting already, and that shares its fsync.
    st.flush_sent = true;
    st.share_until = steady::now() + longest_share;
    self->send(self, caf::flush_atom_v);
  }
  return promise;
}

caf::result<event_batch> read(self_ptr self, read_events what) {
  auto& st = self->state;
  if (what.from == 0 || what.max_events == 0 || what.max_events > 16'384)
    return fault(ec::invalid_argument, "from starts at 1, max_events is 1..16384");
  what.max_bytes = std::clamp<uint32_t>(what.max_bytes, 1, 16 << 20);
  auto head = st.backend->head();
  if (what.from >= head.next && what.wait.count() <= 0)
    return event_batch{{}, what.from, true};
  if (what.from >= head.next && st.waiting.size() >= st.options.waiting_reads)
    return fault(ec::saturated, "too many reads wait for events");
  auto promise = self->make_response_promise<event_batch>();
  if (what.from < head.next) {
    answer(self, what, promise);
    return promise;
  }
  auto until = clock_of(self) + std::min(what.wait, longest_wait);
  st.waiting.push_back({what, until, promise});
  tick_at(self, until);
  return promise;
}

caf::result<cursor> advance(self_ptr self, const cursor& x) {
  auto& st = self->state;
  if (x.name.empty() || x.name.size() > 128)
    return fault_at(ec::invalid_argument, "name", "a cursor's name has 1..128 bytes");
  if (x.sequence >= st.backend->head().next)
    return fault_at(ec::invalid_argument, "sequence", "nothing has this sequence yet");
  auto [i, added] = st.cursors.try_emplace(x.name, x.sequence);
  if (i->second == evicted_cursor)
    return fault_at(ec::gone, "name",
                    "the consumer " + x.name
                      + " lagged too far and was evicted: delete its cursor, rebuild it from a "
                        "snapshot or from the first event, then register it again");
  if (!added && x.sequence <= i->second)
    return cursor{i->first, i->second};
  if (auto why = st.backend->keep_cursor(x)) {
    if (added)
      st.cursors.erase(i);
    return why;
  }
  i->second = x.sequence;
  return x;
}

caf::result<cursor> forget(self_ptr self, const std::string& name) {
  auto& st = self->state;
  auto i = st.cursors.find(name);
  if (i == st.cursors.end())
    return fault(ec::not_found, "no cursor " + name);
  if (auto why = st.backend->drop_cursor(name))
    return why;
  auto last = cursor{i->first, i->second == evicted_cursor ? 0 : i->second};
  st.cursors.erase(i);
  return last;
}

journal_status status(const journal_state& st) {
  auto head = st.backend->head();
  auto ids = std::min(head.next_ordinal, st.options.limits.ids_kept);
  return {st.backend->id(),         head.first, head.next, ids, st.backend->accepting(),
          st.backend->free_bytes(), st.repeated};
}

void plan_retention(self_ptr self) {
  auto& st = self->state;
  st.next_retention = clock_of(self) + st.options.retention_interval;
  self->delayed_send(self, st.options.retention_interval, caf::tick_atom_v);
}

/// Takes the cursor of a consumer that lags too far, before what it holds back fills
/// the disk, and says so in the log and in the journal.
void evict(self_ptr self, const cursor& who) {
  auto& st = self->state;
  if (auto why = st.backend->keep_cursor({who.name, evicted_cursor})) {
    log(log_level::error, "journal", "a consumer that lags too far cannot be evicted",
        {{"consumer", who.name}, {"error", one_line(why)}});
    return;
  }
  st.cursors[who.name] = evicted_cursor;
  log(log_level::error, "journal", "a consumer lagged too far and was evicted; it must rebuild",
      {{"consumer", who.name},
       {"applied", who.sequence},
       {"bytes_behind", st.backend->bytes_from(who.sequence + 1)},
       {"bound", st.options.consumer_lag}});
  auto told = append_events{};
  told.groups.emplace_back().events.push_back({"journal.consumer_evicted", now(), pack(who)});
  caf::anon_send(caf::actor_cast<caf::actor>(self), std::move(told));
}

void tick(self_ptr self) {
  auto& st = self->state;
  if (clock_of(self) >= st.next_retention) {
    plan_retention(self);
    auto evicted = retain(*st.backend, st.cursors, st.options, now());
    for (const auto& x : evicted)
      evict(self, x);
    if (!evicted.empty())
      retain(*st.backend, st.cursors, st.options, now());
  }
  // Each tick that is due plans at most one more: others were replaced by a nearer one.
  if (clock_of(self) < st.next_tick)
    return;
  st.next_tick = steady::time_point::max();
  answer_waiting(self);
}

/// Reads what must be known before the first message. Errors: those of the backend.
caf::error load(journal_state& st) {
  auto cursors = st.backend->cursors();
  if (!cursors)
    return std::move(cursors.error());
  auto epochs = st.backend->epochs();
  if (!epochs)
    return std::move(epochs.error());
  st.cursors = std::move(*cursors);
  st.pending = group_commit{st.options.limits, std::move(*epochs)};
  return {};
}

} // namespace

journal_self::behavior_type journal(self_ptr self, std::shared_ptr<journal_backend> backend,
                                    journal_options options) {
  auto& st = self->state;
  st.backend = std::move(backend);
  st.options = options;
  if (auto why = load(st))
    self->quit(std::move(why));
  for (auto i = 0U; i < options.readers; ++i)
    st.readers.push_back(
      self->spawn<caf::detached + caf::linked>(journal_reader, st.backend, st.reads));
  plan_retention(self);
  self->set_default_handler(caf::drop);
  self->set_exit_handler([self](caf::exit_msg& x) {
    commit(self);
    fail_all(self, fault(ec::unavailable, "the journal stops"));
    self->quit(std::move(x.reason));
  });
  return {
    [self](append_events& what) { return take(self, what); },
    [self](const read_events& what) { return read(self, what); },
    [self](const cursor& x) { return advance(self, x); },
    [self](caf::delete_atom, const std::string& name) { return forget(self, name); },
    [self](cursors_atom) {
      auto out = cursor_list{};
      for (const auto& [name, sequence] : self->state.cursors)
        if (sequence != evicted_cursor)
          out.cursors.push_back({name, sequence});
      return out;
    },
    [self](const trim_journal& what) -> caf::result<journal_status> {
      auto& state = self->state;
      if (auto why =
            state.backend->trim(std::min(what.below, lowest_needed(*state.backend, state.cursors))))
        return why;
      return status(state);
    },
    [self](status_atom) { return status(self->state); },
    [self](caf::flush_atom) { flush(self); },
    [self](caf::tick_atom) { tick(self); },
  };
}

journal_actor spawn_journal(caf::actor_system& sys, std::shared_ptr<journal_backend> backend,
                            journal_options options) {
  return sys.spawn<caf::detached>(journal, std::move(backend), options);
}

} // namespace troupe
