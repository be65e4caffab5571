#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::tests {

/// CAF's frames, byte by byte, so that a test can send right and wrong ones.
/// Layout: nodes/cluster/frame_guard.hpp.
struct frame {
  uint8_t operation = 2;
  uint8_t flags = 0;
  uint64_t data = 1ULL << 60; ///< An asynchronous message of normal priority.
  uint64_t source = 0;
  uint64_t receiver = 0;
  std::string payload;
  uint32_t announced = 0; ///< 0: the payload's size.

  std::string bytes() const;
};

std::string big_endian_text(uint64_t number, size_t bytes);

/// A node id as it stands in frames, made of a seed.
std::string frame_id(uint64_t seed);

/// What a client says first.
std::string client_greeting(const std::string& id);

/// "@<>+a+b" with its head, as a message begins.
std::string type_names(std::string_view names);

/// A message for an actor: no stages, types, content.
std::string message_frame(uint64_t receiver, std::string_view names, std::string_view content);

/// The id of what a server published, out of its greeting; 0 if there is none.
uint64_t published_actor(std::string_view server_greeting);

/// The length that a header announces.
uint32_t announced_size(std::string_view header);

} // namespace troupe::tests
