#include "actors/machines/tracker_core.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto places_at_once = machine_rows::place{20'000};
constexpr auto retired_at_once = size_t{2048};
constexpr auto alerts_at_once = size_t{1000};
constexpr auto breath = caf::timespan{10ms};

pump_options pump_options_of(const machine_tracker_options& options) {
  auto out = pump_options{};
  out.actor = "machines";
  out.consumer = options.node.empty() ? "machines" : "machines@" + options.node;
  out.batch_events = options.batch_events;
  out.read_timeout = options.request_timeout;
  return out;
}

} // namespace

tracker_core::tracker_core(self_pointer self, const directory* roles,
                           std::shared_ptr<projection_table> table, machine_tracker_options options)
  : self_{self}, roles_{roles}, options_{std::move(options)}, table_{std::move(table),
                                                                     options_.limits},
    alerts_{table_, options_.exceptions_in_a_row}, pump_{self, roles, this,
                                                         pump_options_of(options_)} {}

caf::timestamp tracker_core::now() const {
  return troupe::now();
}

caf::timespan tracker_core::clock() const {
  return std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
}

void tracker_core::start() {
  if (!pump_.start())
    return;
  next_look_ = clock() + options_.look_interval;
  arm(options_.look_interval);
}

void tracker_core::arm(caf::timespan after) {
  self_->delayed_send(self_, after, caf::tick_atom_v);
}

void tracker_core::tick() {
  pump_.tick();
  if (clock() >= next_look_)
    look();
}

/// Looks at some of all machines: who has gone stale, who is to be retired.
void tracker_core::look() {
  auto more = false;
  if (options_.alerts && at_end_ && !draining_) {
    auto found = std::vector<machine_alert>{};
    auto all = static_cast<machine_rows::place>(table_.rows().seen().size());
    auto end = std::min(all, looked_up_to_ + places_at_once);
    for (auto x = looked_up_to_; x < end; ++x)
      if (auto why = alerts_.look(x, false, now(), found))
        return self_->quit(why);
    looked_up_to_ = end < all ? end : 0;
    more = end < all;
    raise(std::move(found));
  }
  if (at_end_ && options_.limits.keep_for > caf::timespan{0}) {
    auto left = table_.retire(now() - options_.limits.keep_for, retired_at_once);
    if (!left && explain(left.error()).code != ec::disk_full)
      return self_->quit(left.error());
    more = more || (left && *left);
  }
  // While there is more to look at, go on soon, with room for questions between.
  auto after = more ? breath : options_.look_interval;
  next_look_ = clock() + after;
  arm(after);
}

caf::error tracker_core::apply(const event_batch& batch) {
  if (auto why = table_.apply(batch))
    return why;
  at_end_ = batch.at_end;
  // What is far behind would raise alerts that the rest of it takes back.
  if (!at_end_)
    return {};
  auto touched = table_.take_touched();
  if (!options_.alerts || draining_)
    return {};
  auto found = std::vector<machine_alert>{};
  for (auto x : touched)
    if (auto why = alerts_.look(x, true, now(), found))
      return why;
  raise(std::move(found));
  return {};
}

void tracker_core::raise(std::vector<machine_alert> alerts) {
  if (alerts.empty())
    return;
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return alerts_.not_raised(alerts);
  for (auto from = size_t{0}; from < alerts.size(); from += alerts_at_once) {
    auto message = append_events{};
    auto end = std::min(alerts.size(), from + alerts_at_once);
    auto part = std::vector<machine_alert>(alerts.begin() + static_cast<std::ptrdiff_t>(from),
                                           alerts.begin() + static_cast<std::ptrdiff_t>(end));
    for (const auto& x : part) {
      auto& group = message.groups.emplace_back();
      group.id = alert_id(x);
      group.events.push_back(make_event(x, x.at));
    }
    self_->request(journal, options_.request_timeout, std::move(message))
      .then([](const append_results&) {},
            [this, part](const caf::error&) { alerts_.not_raised(part); });
  }
}

caf::result<sighting_list> tracker_core::sightings(const list_sightings& what) {
  return pump_.template ask<sighting_list>(
    [this, what](auto reply) { reply.deliver(table_.sightings(what)); });
}

caf::result<machine_page> tracker_core::list(const list_machines& what) {
  return answer<machine_page>([this, what] { return table_.list(what, now()); });
}

caf::result<machine_view> tracker_core::find(const get_machine& what) {
  return answer<machine_view>([this, what] { return table_.find(what.id, now()); });
}

caf::result<machine_task_page> tracker_core::tasks(const list_machine_tasks& what) {
  return answer<machine_task_page>([this, what] { return table_.tasks(what); });
}

caf::result<machine_summary> tracker_core::summary(const summarize_machines& what) {
  return pump_.template ask<machine_summary>(
    [this, what](auto reply) { reply.deliver(table_.summary(what, now())); });
}

machine_counters tracker_core::counters() const {
  return table_.counters(now());
}

void tracker_core::ended() {
  --open_;
  if (open_ > 0)
    return;
  for (auto& x : std::exchange(drains_, {}))
    x.deliver(uint32_t{0});
}

caf::result<uint32_t> tracker_core::drain() {
  draining_ = true;
  if (open_ == 0)
    return uint32_t{0};
  return drains_.emplace_back(self_->make_response_promise<uint32_t>());
}

machine_tracker_inside::behavior_type
machine_tracker(machine_tracker_inside::stateful_pointer<machine_tracker_state> self,
                const directory* roles, std::shared_ptr<projection_table> table,
                machine_tracker_options options) {
  self->state.core =
    std::make_shared<tracker_core>(self, roles, std::move(table), std::move(options));
  auto* core = self->state.core.get();
  self->set_default_handler(caf::drop);
  core->start();
  return {
    [core](const list_sightings& x) { return core->sightings(x); },
    [core](const list_machines& x) { return core->list(x); },
    [core](const get_machine& x) { return core->find(x); },
    [core](const list_machine_tasks& x) { return core->tasks(x); },
    [core](quarantine_machine& x) { return core->quarantine(std::move(x)); },
    [core](forget_machine& x) { return core->forget(std::move(x)); },
    [core](import_machines& x) { return core->import(std::move(x)); },
    [core](expect_machines& x) { return core->expect(std::move(x)); },
    [core](const summarize_machines& x) { return core->summary(x); },
    [core](status_atom) { return core->counters(); },
    [core](drain_atom) { return core->drain(); },
    [core](caf::tick_atom) { core->tick(); },
    [core](caf::flush_atom) { core->flush(); },
  };
}

} // namespace troupe
