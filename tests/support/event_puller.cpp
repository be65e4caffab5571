#include "tests/support/event_puller.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

using puller_pointer = event_puller_actor::stateful_pointer<event_puller_state>;

constexpr auto pull_again = std::chrono::milliseconds{50};

void ask(puller_pointer self);

/// Forgets what is under way: the next request asks for what must be taken next.
void turn_over(event_puller_state& st) {
  ++st.turn;
  st.under_way = 0;
  st.early.clear();
  st.ask_next = st.take_next;
}

void ask_later(puller_pointer self) {
  turn_over(self->state);
  self->delayed_send(self, pull_again, caf::tick_atom_v, self->state.turn);
}

/// Takes a batch; returns false if that was the last one.
bool take(event_puller_state& st, event_batch batch) {
  --st.under_way;
  if (!batch.events.empty() && !st.options.take(batch.events))
    return false;
  st.take_next = batch.next;
  st.at_end = batch.at_end;
  auto got = static_cast<uint32_t>(batch.events.size());
  if (got == st.stride)
    return true;
  if (!batch.at_end) // its bytes were the limit
    st.stride = std::max(got - got / 8, 1U);
  turn_over(st);
  return true;
}

void answered(puller_pointer self, uint64_t from, event_batch& batch) {
  auto& st = self->state;
  st.early.emplace(from, std::move(batch));
  while (!st.early.empty() && st.early.begin()->first == st.take_next) {
    auto next = std::move(st.early.begin()->second);
    st.early.erase(st.early.begin());
    if (!take(st, std::move(next)))
      return self->quit();
  }
  ask(self);
}

void ask(puller_pointer self) {
  auto& st = self->state;
  auto journal = st.roles->find<journal_actor>("journal");
  if (!journal)
    return ask_later(self);
  if (st.asked != journal.address()) {
    st.asked = journal.address();
    self->monitor(journal);
  }
  auto turn = st.turn;
  while (st.under_way < (st.at_end ? 1 : st.options.at_once)) {
    auto from = st.ask_next;
    st.ask_next += st.stride;
    ++st.under_way;
    self
      ->request(journal, st.options.patience + st.options.wait,
                read_events{from, st.stride, st.options.max_bytes, st.options.wait})
      .then(
        [=](event_batch& batch) {
          if (turn == self->state.turn)
            answered(self, from, batch);
        },
        [=](const caf::error&) {
          if (turn == self->state.turn)
            ask_later(self);
        });
  }
}

} // namespace

event_puller_actor::behavior_type event_puller(puller_pointer self, const directory* roles,
                                               pull_options options) {
  auto& st = self->state;
  st.roles = roles;
  st.options = std::move(options);
  st.take_next = st.ask_next = st.options.from;
  st.stride = st.options.max_events;
  self->set_down_handler([self](const caf::down_msg& message) {
    if (message.source != self->state.asked)
      return;
    self->state.asked = nullptr;
    ask_later(self);
  });
  self->send(self, caf::tick_atom_v, st.turn);
  return {
    [self](caf::tick_atom, uint64_t turn) {
      if (turn == self->state.turn)
        ask(self);
    },
  };
}

} // namespace troupe::tests
