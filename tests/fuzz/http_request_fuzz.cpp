/// Any bytes at the HTTP guard: it must never crash, never hold more than its
/// limits say, and reach the same verdict however the bytes are cut.
#include "bridges/http/framing.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr size_t max_body = 2000;

/// Everything that the guard says about the bytes.
std::string reading(std::string_view bytes, size_t piece) {
  static const auto limits = troupe::http_options{};
  using state = troupe::request_framer::state;
  auto framer = troupe::request_framer{limits};
  auto out = std::string{};
  while (!bytes.empty()) {
    auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    do {
      auto at = framer.feed(now);
      if (at == state::judge) {
        auto& head = framer.head();
        out += head.method + ' ' + head.path + '\n';
        for (const auto& [name, value] : head.headers)
          out += name + '=' + value + '\n';
        at = framer.admit(max_body);
      }
      if (framer.received() > max_body || framer.held() > (48 << 10))
        std::abort();
      if (at == state::refused)
        return out + "refused " + std::to_string(framer.refusal().status);
      if (at == state::complete) {
        out += framer.body() + '\n';
        framer.restart();
      }
    } while (!now.empty());
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto text = std::string_view{reinterpret_cast<const char*>(bytes), size};
  auto whole = reading(text, std::max<size_t>(size, 1));
  // A cut at any place, chosen by the input itself.
  auto piece = size == 0 ? size_t{1} : 1 + bytes[size - 1] % 17;
  if (reading(text, piece) != whole)
    std::abort();
  return 0;
}
