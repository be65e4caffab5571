#include "tests/support/amqp_world.hpp"

namespace troupe::tests {

amqp_world::config::config() {
  add_message_types<caf::id_block::troupe_atoms>();
  add_message_types<caf::id_block::troupe>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", 2);
}

amqp_world::amqp_world(const std::string& yaml, uint16_t port)
  : yaml_{"urls: [\"127.0.0.1:" + std::to_string(port) + "\"]\nlongest_backoff: 2s\n" + yaml} {
  auto db = database::open(folder_.path() + "/store");
  REQUIRE(db);
  auto backend = embedded_backend::open(*db);
  REQUIRE(backend);
  journal = spawn_journal(sys, *backend);
  try {
    start_bridge();
  } catch (...) {
    // Without this the system would wait for it for ever.
    caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
    throw;
  }
}

amqp_world::~amqp_world() {
  kill_bridge();
  caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
}

void amqp_world::start_bridge() {
  auto in = section::from_text(yaml_, "test");
  REQUIRE(in);
  auto options = read_amqp_options(*in, "test");
  auto faults = in->done();
  INFO(one_line(faults));
  REQUIRE(!faults);
  auto roles = amqp_roles{};
  roles.journal = [this] { return hidden_ ? journal_actor{} : journal; };
  bridge = sys.spawn<caf::detached>(amqp_bridge, roles, options);
}

void amqp_world::kill_bridge() {
  if (!bridge)
    return;
  auto self = caf::scoped_actor{sys};
  self->send_exit(bridge, caf::exit_reason::kill);
  self->wait_for(bridge);
  bridge = nullptr;
}

void amqp_world::drain_bridge() {
  auto self = caf::scoped_actor{sys};
  self->request(bridge, 60s, drain_atom_v)
    .receive([](uint32_t) {}, [](const caf::error& why) { FAIL(one_line(why)); });
  kill_bridge();
}

amqp_status amqp_world::status() {
  auto out = ask<amqp_status>(status_atom_v);
  REQUIRE(out);
  return *out;
}

void amqp_world::await_up() {
  await_status([](const amqp_status& x) {
    auto up = std::all_of(x.links.begin(), x.links.end(),
                          [](const auto& l) { return l.state == amqp_state::up; });
    return up && std::all_of(x.queues.begin(), x.queues.end(), [](const auto& q) {
             return q.consuming;
           });
  });
}

std::vector<stored_event> amqp_world::events(const std::string& topic) {
  auto self = caf::scoped_actor{sys};
  auto out = std::vector<stored_event>{};
  auto end = false;
  for (auto next = uint64_t{1}; !end;)
    self->request(journal, 30s, read_events{next, 4096, 4 << 20, caf::timespan{0}})
      .receive(
        [&](const event_batch& batch) {
          for (const auto& x : batch.events)
            if (x.what.topic == topic)
              out.push_back(x);
          next = batch.next;
          end = batch.at_end;
        },
        [](const caf::error& why) { FAIL(one_line(why)); });
  return out;
}

void amqp_world::append(const std::string& topic, const std::string& payload) {
  auto what = append_events{};
  what.groups.emplace_back().events.push_back({topic, now(), payload});
  caf::scoped_actor {
    sys
    } -> request(journal, 30s, what)
      .receive([](const append_results&) {}, [](const caf::error& why) { FAIL(one_line(why)); });
}

void amqp_world::append_bodies(const std::string& topic, const std::vector<std::string>& bodies) {
  auto what = append_events{};
  for (const auto& body : bodies) {
    auto x = external_event{};
    x.body = body;
    what.groups.emplace_back().events.push_back({topic, now(), pack(x)});
  }
  caf::scoped_actor {
    sys
    } -> request(journal, 30s, what)
      .receive([](const append_results&) {}, [](const caf::error& why) { FAIL(one_line(why)); });
}

std::map<std::string, int> bodies_of(const std::vector<stored_event>& events) {
  auto out = std::map<std::string, int>{};
  for (const auto& x : events)
    if (auto what = unpack<external_event>(x.what.payload))
      ++out[what->body];
  return out;
}

std::vector<publication> numbered(const std::string& queue, int first, int count) {
  auto out = std::vector<publication>{};
  for (auto i = first; i < first + count; ++i) {
    auto& x = out.emplace_back();
    x.routing_key = queue;
    x.body = "{\"n\":" + std::to_string(i) + '}';
    x.message_id = queue + '-' + std::to_string(i);
  }
  return out;
}

std::string unique_name(const std::string& what) {
  static auto count = 0;
  return what + '_' + std::to_string(++count);
}

} // namespace troupe::tests
