#pragma once

#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>

#include <string>

namespace troupe::tests {

/// Returns the payload of an event: its number, then padding.
std::string numbered_payload(uint64_t number, size_t bytes);

/// Returns the number in such a payload.
uint64_t number_in(const std::string& payload);

/// Appends events numbered from `first` on, 500 a message, 8 messages under way.
/// Returns when all are durable; throws if one is refused.
void fill_journal(caf::actor_system& sys, const journal_actor& to, uint64_t first, uint64_t count,
                  size_t payload_bytes);

} // namespace troupe::tests
