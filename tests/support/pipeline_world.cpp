#include "tests/support/pipeline_world.hpp"

#include <catch2/catch.hpp>

namespace troupe::tests {

namespace {

using namespace std::chrono_literals;

struct own_queue {
  const char* key;
  const char* handler;
};

const auto own_queues = std::map<std::string, own_queue>{
  {"troupe_objects", {"legacy-objects", "ebs_object"}},
  {"troupe_tasks", {"legacy-tasks", "ebs_task"}},
  {"troupe_results", {"processing", "ebs_report"}},
};

std::string roles_of(const private_broker& broker, const pipeline_plan& plan) {
  auto durable = std::string{plan.durable ? "true" : "false"};
  auto queues = std::string{};
  auto consume = std::string{};
  for (const auto& name : plan.consume) {
    const auto& own = own_queues.at(name);
    queues += "\n      " + name + ": {type: " + plan.queue_type + ", durable: " + durable
              + ", bindings: {ebs: [" + own.key + "]}}";
    consume += "\n      " + name + ": {handler: " + own.handler + '}';
  }
  return '\n' + plan.roles + "\n  journal: {}\n  jobs: {}\n  artifacts: {}\n  objects: "
         + plan.objects + "\n  http: {port: 0}\n  amqp:\n    urls: [\"127.0.0.1:"
         + std::to_string(broker.port()) + "\"]\n    first_backoff: 100ms\n    longest_backoff: 1s"
         + "\n    exchanges: {ebs: {type: topic, durable: " + durable + "}}"
         + (queues.empty() ? "" : "\n    queues:" + queues + "\n    consume:" + consume)
         + "\n    publish: {ebs: {topics: [object., job.], rule: ebs, unroutable: drop}}\n";
}

} // namespace

pipeline_world::pipeline_world(private_broker& broker_, pipeline_plan plan)
  : node{roles_of(broker_, plan)}, broker{broker_}, listener_{"listener-"
                                                              + random_token().substr(0, 8)},
    client_{std::make_unique<broker_client>(broker_.port())} {
  client_->declare_exchange("ebs", plan.durable);
  client_->declare_queue(listener_);
  client_->bind(listener_, "ebs", "#");
}

void pipeline_world::start() {
  node.start();
}

uint64_t pipeline_world::create(const std::string& path) const {
  auto answer = node.post(path, "");
  if (answer.status != 201)
    FAIL("POST " << path << ": " << answer.status << ' ' << answer.body << '\n' << node.log());
  return answer.document().at("id").get<uint64_t>();
}

json pipeline_world::object(uint64_t id) const {
  auto answer = node.get("/objects/" + std::to_string(id));
  if (answer.status != 200)
    FAIL("GET /objects/" << id << ": " << answer.status << ' ' << answer.body);
  return answer.document();
}

json pipeline_world::await_object(uint64_t id, const std::string& state) const {
  auto out = json{};
  if (!await(60s, [&] {
        out = object(id);
        return out.at("state") == state;
      }))
    FAIL("object is not " << state << ": " << out << '\n' << node.log());
  return out;
}

std::map<std::string, size_t> pipeline_world::counts() const {
  auto out = std::map<std::string, size_t>{};
  auto page = node.get("/objects?limit=1000");
  if (page.status != 200)
    FAIL("GET /objects: " << page.status << ' ' << page.body);
  auto all = page.document();
  for (const auto& x : all.at("objects")) {
    ++out["generated"];
    auto whole = object(x.at("id").get<uint64_t>());
    for (const auto& task : whole.at("tasks")) {
      ++out["distributed"];
      auto state = task.at("state").get<std::string>();
      ++out[state == "done" ? "processed" : state == "running" ? "in_progress" : state];
    }
  }
  return out;
}

void pipeline_world::listen() {
  // The broker may have gone meanwhile, and the connection with it.
  for (const auto& message : broker_client{broker.port()}.take_all(listener_)) {
    auto body = parse_json_text(message.body);
    if (body && body->contains("event_id")
        && seen_.insert(body->at("event_id").get<std::string>()).second) {
      (*body)["_key"] = message.routing_key;
      heard_.push_back(std::move(*body));
    }
  }
}

std::vector<json> pipeline_world::events(const std::string& event) const {
  auto out = std::vector<json>{};
  for (const auto& body : heard_)
    if (body.at("event") == event)
      out.push_back(body);
  return out;
}

bool pipeline_world::await_events(const std::string& event, size_t count) {
  return await(60s, [&] {
    listen();
    return events(event).size() >= count;
  });
}

void pipeline_world::say(const std::string& key, const json& body) {
  auto what = publication{};
  what.exchange = "ebs";
  what.routing_key = key;
  what.body = json_text(body);
  what.content_type.clear();
  broker_client{broker.port()}.publish({what});
}

} // namespace troupe::tests
