/// Binary records from disk or another node: never more than an error.
#include "messages/job_events.hpp"
#include "messages/test.hpp"

#include <cstdlib>

using namespace troupe;

namespace {

template <class T>
void read_as(std::string_view bytes) {
  auto x = unpack<T>(bytes);
  if (!x)
    return;
  // Unknown trailing fields are dropped, so the second form is stable.
  auto once = pack(*x);
  auto twice = unpack<T>(once);
  if (!twice || pack(*twice) != once)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::string_view{reinterpret_cast<const char*>(data), size};
  read_as<job_queued>(bytes);
  read_as<run_finished>(bytes);
  read_as<test_spec>(bytes);
  static_cast<void>(decode<std::vector<stored_event>>(bytes));
  return 0;
}
