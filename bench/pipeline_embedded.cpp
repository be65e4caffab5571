#include "bench/pipeline_embedded.hpp"

#include "bench/object_load.hpp"

#include <chrono>

namespace troupe::bench {

double measure_objects_embedded(size_t objects) {
  auto here = object_node{};
  auto warm = here.warm_up();
  auto start = std::chrono::steady_clock::now();
  create_all(here.actors(), here.maker(), objects);
  await_counted(here.actors(), here.roles(), (warm + objects) * 3);
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return static_cast<double>(objects) / seconds;
}

} // namespace troupe::bench
