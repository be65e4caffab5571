#pragma once

/// Headers of dead letters: why they are there, and where they were bound.
namespace troupe {

inline constexpr auto letter_reason = "x-troupe-reason";
inline constexpr auto letter_text = "x-troupe-text";
inline constexpr auto letter_queue = "x-troupe-queue";
inline constexpr auto letter_exchange = "x-troupe-exchange";
inline constexpr auto letter_routing_key = "x-troupe-routing-key";
inline constexpr auto letter_time = "x-troupe-time";

} // namespace troupe
