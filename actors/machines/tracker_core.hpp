#pragma once

#include "actors/machines/machine_alerts.hpp"
#include "actors/machines/machine_table.hpp"
#include "actors/machines/machine_tracker.hpp"
#include "actors/projection/projection_pump.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// What the actor of the role "machines" does with its messages.
class tracker_core final : private projection {
public:
  using self_pointer = machine_tracker_inside::base*;
  template <class T>
  using promise = caf::typed_response_promise<T>;

  tracker_core(self_pointer self, const directory* roles, std::shared_ptr<projection_table> table,
               machine_tracker_options options);

  // tracker_core.cpp
  void start();
  void flush() {
    pump_.flush();
  }
  void tick();
  caf::result<uint32_t> drain();

  caf::result<sighting_list> sightings(const list_sightings& what);
  caf::result<machine_page> list(const list_machines& what);
  caf::result<machine_view> find(const get_machine& what);
  caf::result<machine_task_page> tasks(const list_machine_tasks& what);
  caf::result<machine_summary> summary(const summarize_machines& what);
  machine_counters counters() const;

  // tracker_commands.cpp
  caf::result<machine_view> quarantine(quarantine_machine what);
  caf::result<machine_forgotten> forget(forget_machine what);
  caf::result<machines_imported> import(import_machines what);
  caf::result<machines_expected> expect(expect_machines what);

private:
  using when_done = std::function<void(const caf::error&)>;

  // The table with a look at what it learns.
  caf::error open() override {
    return table_.open();
  }
  uint64_t applied() const override {
    return table_.applied();
  }
  caf::error apply(const event_batch& batch) override;
  caf::error keep_mark() override {
    return table_.keep_mark();
  }
  void skip_to(uint64_t sequence) override {
    table_.skip_to(sequence);
  }

  template <class T, class F>
  caf::result<T> answer(F look_up) {
    return pump_.template ask<T>([look_up](auto reply) {
      if (auto got = look_up())
        reply.deliver(std::move(*got));
      else
        reply.deliver(std::move(got.error()));
    });
  }

  caf::timestamp now() const;
  caf::timespan clock() const;
  void look();
  void raise(std::vector<machine_alert> alerts);
  void arm(caf::timespan after);
  void ended();

  // tracker_commands.cpp
  void append(std::shared_ptr<std::vector<event>> events, size_t from, when_done then);
  void append_and_apply(std::vector<event> events, when_done then);

  self_pointer self_;
  const directory* roles_;
  machine_tracker_options options_;
  machine_table table_;
  machine_alerts alerts_;
  projection_pump<machine_tracker_inside::base> pump_;
  bool at_end_ = false; ///< The last batch was the journal's end.
  caf::timespan next_look_{};
  machine_rows::place looked_up_to_ = 0; ///< Where the look at all machines goes on.
  bool retiring_ = false;
  size_t open_ = 0; ///< Commands without an answer.
  bool draining_ = false;
  std::vector<promise<uint32_t>> drains_;
};

} // namespace troupe
