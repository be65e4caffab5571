#include "bridges/http/loop_mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>

namespace troupe {

loop_mailbox::loop_mailbox() : descriptor_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}

loop_mailbox::~loop_mailbox() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

bool loop_mailbox::post(loop_order& order) {
  auto first = false;
  {
    auto lock = std::lock_guard{mutex_};
    if (closed_)
      return false;
    first = orders_.empty();
    orders_.push_back(std::move(order));
  }
  // Later orders ride on the wake-up of the first. The descriptor lives as long as this object.
  if (first)
    ::eventfd_write(descriptor_, 1);
  return true;
}

std::vector<loop_order> loop_mailbox::take() {
  // Read first: an order that comes between the two calls then wakes the loop once too often, never
  // too seldom.
  auto count = eventfd_t{};
  ::eventfd_read(descriptor_, &count);
  auto lock = std::lock_guard{mutex_};
  return std::exchange(orders_, {});
}

std::vector<loop_order> loop_mailbox::close() {
  auto lock = std::lock_guard{mutex_};
  closed_ = true;
  return std::exchange(orders_, {});
}

void stream_writer::write(std::string bytes, std::function<void(bool)> flushed) {
  auto order = loop_order{};
  order.what = loop_order::kind::write;
  order.connection = to_->id;
  order.bytes = std::move(bytes);
  order.flushed = std::move(flushed);
  if (!to_->box->post(order) && order.flushed)
    order.flushed(false);
}

void stream_writer::finish() {
  auto order = loop_order{};
  order.what = loop_order::kind::finish;
  order.connection = to_->id;
  to_->box->post(order);
}

bool stream_writer::alive() const {
  return !to_->gone.load(std::memory_order_relaxed);
}

} // namespace troupe
