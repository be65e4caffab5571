/// JSON of strangers: the limits, the records, and the way back to text.
#include "messages/json.hpp"
#include "messages/run.hpp"
#include "messages/test.hpp"

#include <cstdlib>

using namespace troupe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto text = std::string_view{reinterpret_cast<const char*>(bytes), size};
  auto document = parse_json_text(text);
  if (!document)
    return 0;
  // What was accepted can be written, and reads the same again.
  auto again = parse_json_text(json_text(*document));
  if (!again || *again != *document)
    std::abort();
  if (auto spec = read_json<test_spec>(*document)) {
    auto back = read_json<test_spec>(write_json(*spec));
    if (!back || encode(*back) != encode(*spec))
      std::abort();
  }
  static_cast<void>(read_json<run_report>(*document));
  return 0;
}
