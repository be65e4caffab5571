#pragma once

#include "bench/figure.hpp"
#include "tests/support/private_broker.hpp"

#include <cstddef>
#include <vector>

namespace troupe::bench {

/// Messages per second from one classic queue, messages of Taskcluster of about 1 kB.
struct feed_figures {
  std::vector<double> ours; ///< Until they are durable and in the tracker's answers.
  peer batch{"pika and Redis, 500 at once", {}};
  peer each{"pika and Redis, one by one", {}};
  peer bare{"rabbitmq-c, which does nothing with them", {}};
};

/// Measures all four, one after the other, in each of `runs`. Throws.
feed_figures measure_feed(const tests::private_broker& broker, unsigned runs, size_t messages);

} // namespace troupe::bench
