#include "bench/object_load.hpp"

#include "bench/job_load.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

constexpr auto object_window = size_t{1024};
constexpr auto longest_run = std::chrono::minutes{10};
constexpr auto longest_start = std::chrono::seconds{60};

/// Returns how many tasks the statistics have counted as done.
uint64_t counted(caf::actor_system& sys, const directory& roles) {
  auto out = uint64_t{0};
  caf::scoped_actor {
    sys
    } -> request(roles.find<statistics_actor>("statistics"), std::chrono::seconds{10},
                 get_statistics{})
      .receive([&](const statistics_report& got) { out = got.processed; },
               [](const caf::error&) {});
  return out;
}

/// Asks for a page of objects: it is answered when everything durable is applied.
bool objects_know_all(caf::actor_system& sys, const directory& roles) {
  auto out = false;
  caf::scoped_actor {
    sys
    } -> request(roles.find<objects_actor>("objects"), std::chrono::seconds{10}, list_objects{})
      .receive(
        [&](const object_page& page) {
          out = !page.objects.empty();
          for (const auto& x : page.objects)
            out = out && x.state == object_state::completed;
        },
        [](const caf::error&) {});
  return out;
}

} // namespace

object_node::object_node(const std::string& more) {
  auto root = section::from_text("node: {log: error, data: " + folder_.path() + R"(}
roles:
  journal: {}
  jobs: {}
  artifacts: {}
  statistics: {}
  objects:
    processor: {slots: 4, prefetch: 256, process: {process_min: 0s, process_max: 0s}}
)" + more,
                                 "bench");
  if (!root || it_.start(*root, [](const std::string& why, bool) { std::cerr << why << '\n'; }))
    throw std::runtime_error{"the node does not start"};
}

object_node::~object_node() {
  it_.stop();
}

objects_actor object_node::maker() const {
  return it_.roles().find<objects_actor>("objects");
}

size_t object_node::warm_up() {
  constexpr auto some = size_t{64};
  auto end = std::chrono::steady_clock::now() + longest_start;
  auto self = caf::scoped_actor{it_.actors()};
  // It reads the journal first, and refuses until it has.
  for (auto ready = false; !ready; std::this_thread::sleep_for(std::chrono::milliseconds{5})) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error{"the node makes no objects"};
    self->request(maker(), std::chrono::seconds{10}, create_object{})
      .receive([&](const object_view&) { ready = true; }, [](const caf::error&) {});
  }
  create_all(it_.actors(), maker(), some - 1);
  await_counted(it_.actors(), it_.roles(), some * 3);
  return some;
}

void create_all(caf::actor_system& sys, const objects_actor& objects, size_t count) {
  auto self = caf::scoped_actor{sys};
  auto what = create_object{};
  what.name = "lorem";
  what.content = "ipsum dolor sit";
  what.source = "bench";
  auto sent = size_t{0};
  auto pending = size_t{0};
  while (sent < count || pending > 0) {
    for (; sent < count && pending < object_window; ++sent, ++pending)
      self->send(caf::actor_cast<caf::actor>(objects), what);
    self->receive([&](const object_view&) { --pending; },
                  [&](caf::error& why) { throw std::runtime_error{one_line(why)}; });
  }
}

void await_counted(caf::actor_system& sys, const directory& roles, uint64_t tasks) {
  auto end = std::chrono::steady_clock::now() + longest_run;
  auto pause = std::chrono::milliseconds{5};
  auto wait = [&](auto done) {
    while (!done()) {
      if (std::chrono::steady_clock::now() > end)
        throw std::runtime_error{"the tasks are not done"};
      std::this_thread::sleep_for(pause);
    }
  };
  auto ledger = roles.find<job_ledger_actor>("jobs");
  wait([&] { return jobs_left(sys, ledger) == 0; });
  wait([&] { return objects_know_all(sys, roles); });
  wait([&] { return counted(sys, roles) >= tasks; });
}

} // namespace troupe::bench
