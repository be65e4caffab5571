#include "tests/support/event_filler.hpp"

#include "messages/time.hpp"

#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace troupe::tests {

namespace {

constexpr auto events_per_append = uint64_t{500};
constexpr auto appends_under_way = 8;

} // namespace

std::string numbered_payload(uint64_t number, size_t bytes) {
  auto out = std::to_string(number) + ' ';
  out.resize(std::max(bytes, out.size()), 'p');
  return out;
}

uint64_t number_in(const std::string& payload) {
  return std::strtoull(payload.c_str(), nullptr, 10);
}

void fill_journal(caf::actor_system& sys, const journal_actor& to, uint64_t first, uint64_t count,
                  size_t payload_bytes) {
  auto self = caf::scoped_actor{sys};
  auto end = first + count;
  auto under_way = 0;
  while (first < end || under_way > 0) {
    for (; first < end && under_way < appends_under_way; ++under_way) {
      auto what = append_events{{}, 0, {append_group{}}};
      auto& events = what.groups.front().events;
      for (auto last = std::min(end, first + events_per_append); first < last; ++first)
        events.push_back({"bench.event", now(), numbered_payload(first, payload_bytes)});
      self->send(caf::actor_cast<caf::actor>(to), std::move(what));
    }
    self->receive([&](const append_results&) { --under_way; },
                  [&](const caf::error& why) { throw std::runtime_error{one_line(why)}; },
                  caf::after(std::chrono::seconds{60}) >>
                    [] { throw std::runtime_error{"the journal does not answer"}; });
  }
}

} // namespace troupe::tests
