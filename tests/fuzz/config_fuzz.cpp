/// Any bytes as a configuration file: either refused with a place, or a tree
/// that every reader can be let loose on.
#include "config/section.hpp"

#include <cstdlib>
#include <string_view>

using namespace troupe;

namespace {

/// Reads a mapping in every way there is, whatever it holds.
void read_all(section in, int depth) {
  auto text = std::string{};
  auto flag = false;
  auto ratio = 0.0;
  auto number = int64_t{0};
  auto wait = std::chrono::milliseconds{0};
  auto size = uint64_t{0};
  auto list = std::vector<std::string>{};
  auto map = std::map<std::string, std::string>{};
  for (const auto& name : in.keys()) {
    auto key = name.c_str();
    in.read(key, text);
    in.read(key, flag);
    in.read(key, ratio, -1e9, 1e9);
    in.read(key, number, -100, 100);
    in.read(key, wait);
    in.read_size(key, size);
    in.read(key, list);
    in.read(key, map);
    if (depth > 0)
      read_all(in.child(key), depth - 1);
    for (auto& item : in.list(key))
      if (depth > 0)
        read_all(item, depth - 1);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto in = section::from_text({reinterpret_cast<const char*>(bytes), size}, "fuzz.yaml");
  if (!in) {
    if (explain(in.error()).code != ec::invalid_config || explain(in.error()).place.empty())
      std::abort();
    return 0;
  }
  read_all(*in, 3);
  for (const auto& f : in->faults())
    if (f.line < 1 || f.column < 1 || f.text.empty())
      std::abort();
  return 0;
}
