#include "nodes/cli/exit_code.hpp"

namespace troupe::cli {

int exit_code_of(verdict result) {
  switch (result) {
    case verdict::pass:
    case verdict::neutral: return exit_code::pass;
    case verdict::fail: return exit_code::fail;
    case verdict::timeout: return exit_code::timeout;
    case verdict::canceled: return exit_code::canceled;
    case verdict::none:
    case verdict::error: break;
  }
  return exit_code::error;
}

int exit_code_of(const caf::error& why) {
  switch (explain(why).code) {
    case ec::invalid_argument:
    case ec::invalid_config:
    case ec::conflict:
    case ec::too_large:
    case ec::unsupported: return exit_code::bad_input;
    case ec::unauthorized:
    case ec::forbidden: return exit_code::not_allowed;
    case ec::not_found:
    case ec::gone: return exit_code::not_found;
    case ec::canceled: return exit_code::canceled;
    case ec::corrupt: return exit_code::error;
    default: return exit_code::unreachable;
  }
}

} // namespace troupe::cli
