#include "bridges/amqp/options.hpp"

#include <algorithm>

namespace troupe {

namespace {

struct feed_plan {
  std::vector<std::string> exchanges;
  std::string queue;
  std::string queue_type = "quorum";
  bool durable = true;
  bool declare_exchanges = false;
  bool worker_manager = false;
  uint16_t prefetch = 1000;
};

/// The exchanges of a feed that does not name them.
std::vector<std::string> standard_exchanges(bool worker_manager) {
  auto out = std::vector<std::string>{};
  for (auto kind : pulse_task_kinds)
    out.push_back(std::string{pulse_task_prefix} + std::string{kind});
  if (worker_manager)
    for (auto kind : pulse_worker_kinds)
      out.push_back(std::string{pulse_worker_prefix} + std::string{kind});
  return out;
}

void check_words(section& in, const char* key, const std::vector<std::string>& words) {
  for (const auto& x : words)
    if (x.empty() || x.find_first_of(".*#") != std::string::npos || x.size() > machine_word_size)
      in.complain(key, "'" + x + "' is no name of Taskcluster: no dots, no wildcards");
}

feed_plan read_plan(section& in, const std::string& name, pulse_feed& feed,
                    const link_options& link) {
  auto out = feed_plan{};
  in.read("provisioners", feed.provisioners);
  if (feed.provisioners.empty())
    in.complain("provisioners", "name at least one");
  check_words(in, "provisioners", feed.provisioners);
  in.read("worker_types", feed.worker_types);
  check_words(in, "worker_types", feed.worker_types);
  in.read("worker_manager", out.worker_manager);
  out.exchanges = standard_exchanges(out.worker_manager);
  in.read("exchanges", out.exchanges);
  // Pulse lets everybody have queues of this name only.
  out.queue = "queue/" + (link.brokers.empty() ? std::string{"guest"} : link.brokers.front().user)
              + '/' + name;
  in.read("queue", out.queue);
  in.read("queue_type", out.queue_type);
  if (out.queue_type != "classic" && out.queue_type != "quorum")
    in.complain("queue_type", "must be classic or quorum");
  in.read("durable", out.durable);
  if (!out.durable && out.queue_type != "classic")
    in.complain("durable", "a queue of this type is always durable");
  in.read("declare_exchanges", out.declare_exchanges);
  in.read("prefetch", out.prefetch, 1, 65'535);
  return out;
}

} // namespace

void read_pulse_feeds(section in, amqp_options& out) {
  for (const auto& name : in.keys()) {
    auto from = in.child(name.c_str());
    auto feed = pulse_feed{};
    feed.name = name;
    feed.place = static_cast<size_t>(
      std::count_if(out.consume.begin(), out.consume.end(), [](const auto& x) { return x.feed; }));
    auto plan = read_plan(from, name, feed, out.link);
    auto queue = queue_plan{};
    queue.name = plan.queue;
    queue.type = plan.queue_type;
    queue.durable = plan.durable;
    queue.auto_delete = !plan.durable;
    for (const auto& exchange : plan.exchanges) {
      for (const auto& provisioner : feed.provisioners)
        queue.bindings.push_back({exchange, pulse_binding(provisioner, pulse_kind(exchange))});
      auto& made = out.plan.exchanges.emplace_back();
      made.name = exchange;
      made.declare = plan.declare_exchanges ? declaring::yes : declaring::no;
    }
    if (out.plan.find_queue(plan.queue))
      from.complain("queue", "'" + plan.queue + "' is used twice");
    out.plan.queues.push_back(std::move(queue));
    auto& consumed = out.consume.emplace_back();
    consumed.queue = plan.queue;
    consumed.topic = "external.pulse";
    consumed.prefetch = plan.prefetch;
    consumed.feed = std::make_shared<const pulse_feed>(std::move(feed));
    out.consuming.subscriptions.push_back({plan.queue, plan.prefetch});
  }
}

} // namespace troupe
