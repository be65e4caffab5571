#include "actors/objects/objects.hpp"

#include "nodes/node_store.hpp"
#include "nodes/roles/legacy_variable.hpp"
#include "nodes/roles/runner.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

void read_span(section& in, const char* key, caf::timespan& out, milliseconds least) {
  auto value = std::chrono::duration_cast<milliseconds>(out);
  in.read(key, value);
  if (value < least)
    in.complain(key, "is too short");
  out = value;
}

objects_options read_objects(section& in) {
  auto out = objects_options{};
  read_legacy_variable<uint32_t>("DISTRIBUTION_COUNT", out.distribution, 1, 1000);
  read_legacy_variable<uint32_t>("MAX_ATTEMPTS", out.max_attempts, 1, 100);
  auto base =
    int64_t{milliseconds{std::chrono::duration_cast<milliseconds>(out.retry_base)}.count()};
  read_legacy_variable<int64_t>("RETRY_BASE_MS", base, 1, 3'600'000);
  out.retry_base = milliseconds{base};
  in.read("distribution", out.distribution, 1, 1000);
  in.read("max_attempts", out.max_attempts, 1, 100);
  read_span(in, "retry_base", out.retry_base, milliseconds{1});
  read_span(in, "task_deadline", out.task_deadline, milliseconds{1});
  read_span(in, "queue_deadline", out.queue_deadline, milliseconds{1});
  in.read("priority", out.priority, 1, 10);
  in.read("id_block", out.id_block, 16, 1'000'000);
  auto keep = milliseconds{out.keep_for};
  in.read("keep_for", keep);
  out.keep_for = std::chrono::duration_cast<std::chrono::hours>(keep);
  in.read("keep_objects", out.keep_objects, 1, INT64_MAX);
  auto where = std::string{"inside"};
  in.read("processors", where);
  if (where == "outside")
    out.processors = processors_where::outside;
  else if (where != "inside")
    in.complain("processors", "must be inside or outside");
  return out;
}

} // namespace

std::vector<supervised_role> prepare_objects(node_context& node, section& in) {
  auto options = read_objects(in);
  auto here = options.processors == processors_where::inside;
  in.read("run_processor", here);
  auto store = supervised_role{};
  store.role = "objects";
  store.drains = true;
  store.start = [&node, options]() -> caf::expected<caf::strong_actor_ptr> {
    if (!node.store)
      return fault(ec::unavailable, "the role objects needs the role journal on its node");
    return started(node.sys->spawn<caf::detached>(
      objects, &node.roles, make_projection_table(node.store, family::objects), options));
  };
  auto out = std::vector<supervised_role>{};
  out.push_back(std::move(store));
  auto names = std::set<std::string>{};
  auto processor = prepare_runner(node, {"objects/processor", "processor", "process"},
                                  in.child("processor"), names);
  if (here && options.processors == processors_where::inside)
    out.push_back(std::move(processor));
  return out;
}

} // namespace troupe
