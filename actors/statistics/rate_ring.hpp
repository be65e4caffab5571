#pragma once

#include "messages/error.hpp"
#include "messages/statistics.hpp"

#include <caf/timestamp.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Counts events of the latest 15 minutes in slots of 5 seconds, by their arrival:
/// whoever reads the same events has the same counts, whenever he does it.
class rate_ring {
public:
  void add(caf::timestamp arrived);

  /// Returns events per second over the minutes before `now`.
  event_rate rate(caf::timestamp now) const;

  /// Returns the one encoding of this state; empty for no events.
  std::string bytes() const;
  /// Reads `bytes`. Errors: `ec::corrupt`.
  static caf::expected<rate_ring> load(std::string_view bytes);

private:
  static constexpr auto slots = uint64_t{180};

  double rate(caf::timestamp now, uint64_t wanted) const;

  uint64_t newest_ = 0; ///< Number of the slot that was counted in last.
  std::array<uint32_t, slots> counts_{};
};

} // namespace troupe
