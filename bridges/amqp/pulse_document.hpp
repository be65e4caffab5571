#pragma once

#include "messages/error.hpp"

#include <caf/timestamp.hpp>
#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A value of a Pulse message, with where it stands. Absent and null members are the same.
///
/// The first fault of a message is kept in `fault`, with its place: who reads goes on with
/// empty values and looks once at the end.
class pulse_value {
public:
  pulse_value(const rapidjson::Value* at, std::string place, caf::error& fault)
    : at_{at}, place_{std::move(place)}, fault_{&fault} {}

  explicit operator bool() const {
    return at_ != nullptr;
  }
  const std::string& place() const {
    return place_;
  }
  /// Returns an object's member, absent if there is none.
  pulse_value member(const char* name) const;
  /// Returns the element of a list of runs whose `runId` is `run`, or the last one.
  pulse_value run(std::optional<uint32_t> run) const;

  /// The text, cut to `most` bytes; empty if absent. Faults: no text.
  std::string text(size_t most) const;
  /// The same; absent is a fault, too.
  std::string needed_text(size_t most) const;
  std::optional<uint32_t> number() const;
  /// 0 if absent. Faults: no time, one before 1970.
  caf::timestamp time() const;
  caf::timestamp needed_time() const;
  /// Notes that the value is not as it must be.
  void complain(const char* why) const;

private:
  const rapidjson::Value* at_;
  std::string place_;
  caf::error* fault_;
};

} // namespace troupe
