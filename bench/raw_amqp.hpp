#pragma once

#include <cstdint>
#include <string>

namespace troupe::bench {

/// What a program does that speaks to the broker by rabbitmq-c alone. Both end the process with
/// a message if the broker refuses.
///
/// Publishes `n` persistent messages to an exchange (none: to the queue `key`), mandatory, with
/// confirms and at most 1000 on their way; returns messages per second.
double publish_bare(uint16_t port, const std::string& exchange, const std::string& key, int n,
                    const std::string& body);

/// Consumes `n` messages, prefetch 1000, acknowledged 500 at a time; returns messages per second.
double consume_bare(uint16_t port, const std::string& queue, int n);

} // namespace troupe::bench
