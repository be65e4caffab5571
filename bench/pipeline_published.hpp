#pragma once

#include "tests/support/private_broker.hpp"

#include <cstddef>
#include <string>

namespace troupe::bench {

/// Returns objects per second of one node whose ten events of each object are also published to
/// a durable queue of that type ("classic", "quorum"), until the broker has confirmed all of them.
double measure_objects_published(const tests::private_broker& broker, const std::string& queue_type,
                                 size_t objects);

/// Returns objects per second of the same pipeline made of pika and SQLite.
double measure_peer(const tests::private_broker& broker, const std::string& queue_type,
                    size_t objects);

} // namespace troupe::bench
