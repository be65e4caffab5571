#include "bridges/amqp/amqp_bridge.hpp"

#include "bridges/amqp/dead_letter_clerk.hpp"
#include "config/log.hpp"

namespace troupe {

namespace {

using self_ptr = amqp_bridge_inside::stateful_pointer<amqp_bridge_state>;
using std::chrono::milliseconds;

constexpr auto tick_interval = milliseconds{100};

caf::timespan time_of(self_ptr self) {
  return self->clock().now().time_since_epoch();
}

/// What the threads call: an empty mailbox entry that says "look into the boxes". The bridge
/// may be gone, so the address is a weak one.
std::function<void()> bell_of(self_ptr self) {
  return [who = caf::actor_cast<caf::actor_addr>(self)] {
    if (auto to = caf::actor_cast<caf::actor>(who))
      caf::anon_send(to, caf::flush_atom_v);
  };
}

void look_into_boxes(self_ptr self) {
  auto& st = self->state;
  auto ours = std::vector<publish_result>{};
  for (auto& x : st.publishing->take_results())
    if ((x.handle & letter_bit) != 0)
      st.desk->buried(std::move(x));
    else
      ours.push_back(std::move(x));
  if (!ours.empty())
    st.pump->take(std::move(ours));
  if (auto arrived = st.consuming->take_deliveries(); !arrived.empty())
    st.desk->take(std::move(arrived));
}

/// Everything that must be in the broker before messages flow, dead-letter queues included.
topology whole_plan(const amqp_options& options) {
  auto out = options.plan;
  for (const auto& name : options.dead_letter_queues())
    if (!out.find_queue(name)) {
      auto& x = out.queues.emplace_back();
      x.name = name;
      x.type = options.dead_letters_type;
    }
  return out;
}

void make_parts(self_ptr self) {
  auto& st = self->state;
  for (const auto& x : st.options.consume)
    if (x.feed) {
      auto& counts = st.feeds.emplace_back();
      counts.feed = x.feed->name;
      counts.queue = x.queue;
    }
  auto bell = bell_of(self);
  auto plan = whole_plan(st.options);
  st.consuming = std::make_shared<consume_duty>(plan, st.options.consuming, bell);
  st.publishing = std::make_shared<publish_duty>(plan, st.options.publishing, bell);
  auto publish = [&st](std::vector<publish_order> orders) {
    st.publishing->send(std::move(orders));
    st.publish->wake();
  };
  auto in = inbound_desk_parts{};
  in.self = self;
  in.roles = &st.roles;
  in.options = &st.options;
  in.settle = [&st](std::vector<delivery_ref> refs) {
    st.consuming->settle(std::move(refs));
    st.consume->wake();
  };
  in.release = [&st](uint64_t bytes) { st.consuming->release(bytes); };
  in.current = [&st](const delivery_ref& ref) { return st.consuming->current(ref); };
  in.publish = publish;
  in.counts = &st.counts;
  in.feeds = &st.feeds;
  st.desk.emplace(std::move(in));
  auto out = outbound_pump_parts{};
  out.self = self;
  out.roles = &st.roles;
  out.options = &st.options;
  out.publish = publish;
  out.held = [&st] { return st.publishing->held(); };
  out.own_app = [&st](const std::string& app) { st.desk->set_own_app(app); };
  out.counts = &st.counts;
  st.pump.emplace(std::move(out));
}

void start_links(self_ptr self) {
  auto& st = self->state;
  auto how = st.options.link;
  how.name = "consume";
  st.consume = std::make_unique<link>(how, st.consuming, [] {});
  how.name = "publish";
  st.publish = std::make_unique<link>(how, st.publishing, [] {});
}

void end_drain(self_ptr self) {
  auto& st = self->state;
  st.consume->stop(milliseconds{2'000});
  st.publish->stop(milliseconds{2'000});
  if (st.desk->open() > 0 || !st.pump->idle())
    log(log_level::warning, "amqp", "left before everything was settled; it comes again",
        {{"deliveries", st.desk->open()}, {"unconfirmed", st.publishing->held()}});
  st.drained.deliver(uint32_t{0});
}

void tick(self_ptr self) {
  auto& st = self->state;
  auto now = time_of(self);
  look_into_boxes(self);
  st.desk->tick(now);
  st.pump->tick(now);
  st.consume->watch();
  st.publish->watch();
  if (st.draining && (now >= st.drain_until || (st.desk->open() == 0 && st.pump->idle()))) {
    st.draining = false;
    return end_drain(self);
  }
  self->delayed_send(self, tick_interval, caf::tick_atom_v);
}

caf::result<uint32_t> drain(self_ptr self) {
  auto& st = self->state;
  if (st.drained.pending() || st.draining)
    return fault(ec::conflict, "it drains already");
  st.drained = self->make_response_promise<uint32_t>();
  st.draining = true;
  // A broker or journal that is away keeps nobody from leaving: nothing is lost by it.
  st.drain_until = time_of(self) + st.options.drain_limit;
  st.consuming->pause();
  st.consume->wake();
  st.pump->stop();
  return st.drained;
}

amqp_status status(self_ptr self) {
  auto& st = self->state;
  auto out = amqp_status{};
  out.links = {st.consume->status(), st.publish->status()};
  out.queues = st.consuming->queues();
  out.faults = st.consuming->faults();
  out.counters = st.counts;
  out.counters.published = st.publishing->published();
  out.counters.blocked = st.publishing->times_blocked();
  out.counters.deaf = st.consuming->deaf();
  out.unconfirmed = st.publishing->unconfirmed();
  out.bytes_in_flight = st.consuming->bytes();
  st.pump->fill(out);
  out.feeds = st.feeds;
  for (auto& x : out.feeds)
    x.waiting = st.consuming->waiting(x.queue);
  return out;
}

/// Sends a question about dead letters to a clerk of its own: it blocks.
template <class Reply, class Query>
caf::result<Reply> ask_clerk(self_ptr self, const Query& what) {
  auto clerk = self->spawn<caf::detached>(dead_letter_clerk, self->state.options);
  auto promise = self->make_response_promise<Reply>();
  self->request(clerk, std::chrono::seconds{60}, what)
    .then([promise](const Reply& x) mutable { promise.deliver(x); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

amqp_bridge_state::~amqp_bridge_state() {
  // The threads speak to the duties only, so either order will do.
  for (auto* x : {&consume, &publish})
    if (*x)
      (*x)->stop(milliseconds{500});
}

amqp_bridge_inside::behavior_type amqp_bridge(self_ptr self, amqp_roles roles,
                                              amqp_options options) {
  auto& st = self->state;
  st.roles = std::move(roles);
  st.options = std::move(options);
  self->set_default_handler(caf::drop);
  make_parts(self);
  start_links(self);
  self->send(self, caf::tick_atom_v);
  return {
    [self](status_atom) { return status(self); },
    [self](const list_dead_letters& x) { return ask_clerk<dead_letter_queues>(self, x); },
    [self](const peek_dead_letters& x) { return ask_clerk<dead_letter_list>(self, x); },
    [self](const replay_dead_letters& x) { return ask_clerk<dead_letters_moved>(self, x); },
    [self](const purge_dead_letters& x) { return ask_clerk<dead_letters_moved>(self, x); },
    [self](drain_atom) { return drain(self); },
    [self](caf::flush_atom) { look_into_boxes(self); },
    [self](caf::tick_atom) { tick(self); },
  };
}

} // namespace troupe
