#include "messages/error.hpp"

#include <caf/atom.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace troupe {

std::string to_string(ec code) {
  switch (code) {
    case ec::unspecified: return "unspecified";
    case ec::invalid_argument: return "invalid_argument";
    case ec::invalid_config: return "invalid_config";
    case ec::unauthorized: return "unauthorized";
    case ec::forbidden: return "forbidden";
    case ec::not_found: return "not_found";
    case ec::conflict: return "conflict";
    case ec::gone: return "gone";
    case ec::too_large: return "too_large";
    case ec::saturated: return "saturated";
    case ec::unavailable: return "unavailable";
    case ec::timeout: return "timeout";
    case ec::stale_run: return "stale_run";
    case ec::disk_full: return "disk_full";
    case ec::corrupt: return "corrupt";
    case ec::unsupported: return "unsupported";
    case ec::canceled: return "canceled";
  }
  return "unspecified";
}

caf::error fault(ec code, std::string text) {
  return caf::make_error(code, std::string{}, std::move(text));
}

caf::error fault_at(ec code, std::string place, std::string text) {
  return caf::make_error(code, std::move(place), std::move(text));
}

fault_text explain(const caf::error& why) {
  auto out = fault_text{};
  if (!why)
    return {ec::unspecified, {}, "no error"};
  if (why.category() == caf::atom("troupe")) {
    out.code = static_cast<ec>(why.code());
    const auto& context = why.context();
    if (context.match_elements<std::string, std::string>()) {
      out.place = context.get_as<std::string>(0);
      out.text = context.get_as<std::string>(1);
    }
    if (out.text.empty())
      out.text = to_string(out.code);
    return out;
  }
  out.code = why == caf::sec::request_timeout ? ec::timeout : ec::unavailable;
  out.text =
    out.code == ec::timeout ? "no answer within the deadline" : "a part of the system is down";
  return out;
}

std::string one_line(const caf::error& why) {
  auto parts = explain(why);
  return parts.place.empty() ? parts.text : parts.place + ": " + parts.text;
}

bool retryable(const caf::error& why) {
  switch (explain(why).code) {
    case ec::saturated:
    case ec::unavailable:
    case ec::timeout:
    case ec::disk_full: return true;
    default: return false;
  }
}

} // namespace troupe
