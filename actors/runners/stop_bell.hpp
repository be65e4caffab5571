#pragma once

#include "actors/owned_fd.hpp"

#include <sys/eventfd.h>

#include <stop_token>

namespace troupe {

/// A descriptor that becomes readable when a stop is requested.
class stop_bell {
public:
  explicit stop_bell(const std::stop_token& stop)
    : file_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, on_stop_{stop, ring{file_.get()}} {}

  int get() const {
    return file_.get();
  }

private:
  struct ring {
    int to;
    void operator()() const {
      eventfd_write(to, 1);
    }
  };
  owned_fd file_;
  std::stop_callback<ring> on_stop_;
};

} // namespace troupe
