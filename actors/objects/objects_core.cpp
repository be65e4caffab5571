#include "actors/objects/objects_core.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto object_retire_step = size_t{512};

} // namespace

objects_core::objects_core(self_pointer self, const directory* roles,
                           std::shared_ptr<projection_table> table, objects_options options)
  : self_{self}, roles_{roles}, options_{options}, table_{std::move(table)},
    pump_{self,
          roles,
          &table_,
          {.actor = "objects", .consumer = "objects", .read_timeout = options.request_timeout}},
    why_closed_{fault(ec::unavailable, "the objects are starting")} {}

caf::timespan objects_core::now() const {
  return std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
}

void objects_core::start() {
  next_retire_ = now() + options_.retire_interval;
  if (!pump_.start())
    return;
  arm(next_retire_);
  claim_epoch();
}

caf::error objects_core::closed() const {
  if (draining_)
    return fault(ec::unavailable, "the objects are stopping");
  if (!ready_)
    return why_closed_;
  return {};
}

caf::result<object_view> objects_core::get(const get_object& what) {
  return pump_.ask<object_view>([this, what](auto reply) {
    if (auto got = table_.find(what.id))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

caf::result<object_page> objects_core::list(const list_objects& what) {
  return pump_.ask<object_page>([this, what](auto reply) {
    if (auto got = table_.list(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

void objects_core::ended() {
  --open_;
  if (open_ > 0)
    return;
  for (auto& x : std::exchange(drains_, {}))
    x.deliver(uint32_t{0});
}

caf::result<uint32_t> objects_core::drain() {
  draining_ = true;
  refuse_creations(closed());
  if (open_ == 0)
    return uint32_t{0};
  return drains_.emplace_back(self_->make_response_promise<uint32_t>());
}

void objects_core::flush() {
  pump_.flush();
}

void objects_core::arm(caf::timespan at) {
  self_->delayed_send(self_, std::max(at - now(), caf::timespan{0}), caf::tick_atom_v);
}

void objects_core::tick() {
  pump_.tick();
  if (std::exchange(claim_later_, false))
    claim_epoch();
  if (now() < next_retire_)
    return;
  auto more =
    table_.retire(troupe::now() - options_.keep_for, options_.keep_objects, object_retire_step);
  if (!more && explain(more.error()).code != ec::disk_full) {
    self_->quit(more.error());
    return;
  }
  // While there is more to look at, go on soon, with room for questions between.
  next_retire_ = now() + (more && *more ? caf::timespan{10ms} : options_.retire_interval);
  arm(next_retire_);
}

} // namespace troupe
