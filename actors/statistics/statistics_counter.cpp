#include "actors/statistics/statistics_counter.hpp"

#include "messages/time.hpp"

namespace troupe {

/// The fold with what keeps it at the journal's end. It notes how late it is.
class statistics_core final : private projection {
public:
  statistics_core(statistics_inside::base* self, const directory* roles,
                  std::shared_ptr<projection_table> table, pump_options options,
                  statistics_limits limits)
    : fold_{std::move(table), limits}, pump_{self, roles, this, std::move(options)} {}

  void start() {
    pump_.start();
  }
  void flush() {
    pump_.flush();
  }
  void tick() {
    pump_.tick();
  }

  caf::result<statistics_report> report(const get_statistics& what) {
    return pump_.template ask<statistics_report>(
      [this, what](auto reply) { reply.deliver(fold_.report(what, now())); });
  }

  caf::result<object_progress> find(const get_object_progress& what) {
    return answer<object_progress>([this, what] { return fold_.find(what.id); });
  }

  caf::result<object_progress_page> list(const list_object_progress& what) {
    return answer<object_progress_page>([this, what] { return fold_.list(what); });
  }

  statistics_counters counters() const {
    auto out = fold_.counters();
    out.lag = lag_;
    return out;
  }

private:
  template <class T, class F>
  caf::result<T> answer(F look_up) {
    return pump_.template ask<T>([look_up](auto reply) {
      if (auto got = look_up())
        reply.deliver(std::move(*got));
      else
        reply.deliver(std::move(got.error()));
    });
  }

  caf::error open() override {
    return fold_.open();
  }
  uint64_t applied() const override {
    return fold_.applied();
  }
  caf::error apply(const event_batch& batch) override {
    auto why = fold_.apply(batch);
    if (!batch.events.empty())
      lag_ = std::max(now() - batch.events.front().arrived, caf::timespan{0});
    return why;
  }
  caf::error keep_mark() override {
    return fold_.keep_mark();
  }
  void skip_to(uint64_t sequence) override {
    fold_.skip_to(sequence);
  }

  statistics_fold fold_;
  projection_pump<statistics_inside::base> pump_;
  caf::timespan lag_{0};
};

pump_options statistics_pump_options(const std::string& node) {
  auto out = pump_options{};
  out.actor = "statistics";
  out.consumer = node.empty() ? "statistics" : "statistics@" + node;
  return out;
}

statistics_inside::behavior_type
statistics_counter(statistics_inside::stateful_pointer<statistics_state> self,
                   const directory* roles, std::shared_ptr<projection_table> table,
                   pump_options options, statistics_limits limits) {
  self->state.core =
    std::make_shared<statistics_core>(self, roles, std::move(table), std::move(options), limits);
  auto* core = self->state.core.get();
  self->set_default_handler(caf::drop);
  core->start();
  return {
    [core](const get_statistics& x) { return core->report(x); },
    [core](const get_object_progress& x) { return core->find(x); },
    [core](const list_object_progress& x) { return core->list(x); },
    [core](status_atom) { return core->counters(); },
    [core](caf::tick_atom) { core->tick(); },
    [core](caf::flush_atom) { core->flush(); },
  };
}

} // namespace troupe
