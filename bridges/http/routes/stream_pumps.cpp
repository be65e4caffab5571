#include "bridges/http/routes/stream_pumps.hpp"

#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>

namespace troupe {

struct stream_pumps::book {
  std::mutex mutex;
  std::map<caf::actor_id, caf::actor_addr> live;
  bool stopped = false;
};

stream_pumps::stream_pumps() : book_{std::make_shared<book>()} {}

stream_pumps::~stream_pumps() {
  stop();
}

void stream_pumps::add(const caf::actor& pump) {
  auto id = pump.id();
  auto late = false;
  {
    auto lock = std::lock_guard{book_->mutex};
    late = book_->stopped;
    book_->live.emplace(id, caf::actor_cast<caf::actor_addr>(pump));
  }
  // Outside of the lock: runs at once if the pump has ended already.
  caf::actor_cast<caf::abstract_actor*>(pump)->attach_functor([book = book_, id] {
    auto lock = std::lock_guard{book->mutex};
    book->live.erase(id);
  });
  if (late)
    caf::anon_send_exit(pump, caf::exit_reason::user_shutdown);
}

void stream_pumps::stop() {
  auto live = std::map<caf::actor_id, caf::actor_addr>{};
  {
    auto lock = std::lock_guard{book_->mutex};
    book_->stopped = true;
    live = book_->live;
  }
  for (const auto& [id, address] : live)
    caf::anon_send_exit(address, caf::exit_reason::user_shutdown);
}

size_t stream_pumps::count() const {
  auto lock = std::lock_guard{book_->mutex};
  return book_->live.size();
}

} // namespace troupe
