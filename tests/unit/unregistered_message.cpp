// Must not compile: `stray` has no type id (see the test in tests/CMakeLists.txt).
#include "messages/protocols.hpp"

namespace troupe {
struct stray {
  int32_t x = 0;
  static constexpr auto type_name = "troupe::stray";
  static constexpr auto fields = std::tuple{field{"x", &stray::x}};
};
using stray_actor = caf::typed_actor<caf::replies_to<stray>::with<uint32_t>>;
} // namespace troupe

#ifdef WITH_STRAY
static_assert(troupe::registered<troupe::stray_actor>::value, "message without a type id");
#endif
