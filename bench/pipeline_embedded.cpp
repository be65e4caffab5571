#include "bench/pipeline_embedded.hpp"

#include "bench/object_load.hpp"
#include "nodes/node.hpp"
#include "tests/support/temp_folder.hpp"

#include <chrono>
#include <iostream>
#include <stdexcept>

namespace troupe::bench {

double measure_objects_embedded(size_t objects) {
  auto folder = tests::temp_folder{};
  auto root = section::from_text("node: {log: error, data: " + folder.path() + R"(}
roles:
  journal: {}
  jobs: {}
  artifacts: {}
  objects:
    processor: {slots: 4, prefetch: 256, process: {process_min: 0s, process_max: 0s}}
)",
                                 "bench");
  auto it = node{};
  if (!root || it.start(*root, [](const std::string& why, bool) { std::cerr << why << '\n'; }))
    throw std::runtime_error{"the node does not start"};
  auto maker = it.roles().find<objects_actor>("objects");
  // The first claim and the first ids must not be part of the time.
  constexpr auto warm = size_t{64};
  auto ready = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  for (auto done = false; !done;)
    try {
      create_all(it.actors(), maker, warm);
      done = true;
    } catch (const std::runtime_error&) {
      if (std::chrono::steady_clock::now() > ready)
        throw;
    }
  await_counted(it.actors(), it.roles(), 0);
  auto start = std::chrono::steady_clock::now();
  create_all(it.actors(), maker, objects);
  await_counted(it.actors(), it.roles(), (warm + objects) * 3);
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  it.stop();
  return static_cast<double>(objects) / seconds;
}

} // namespace troupe::bench
