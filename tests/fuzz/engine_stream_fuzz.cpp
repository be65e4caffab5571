#include "actors/runners/docker/engine_stream.hpp"
#include "actors/runners/docker/reply_reader.hpp"

#include <cstdlib>
#include <string>

namespace {

/// What a reader makes of the bytes when they come in pieces of `step`.
template <class Feed>
void in_pieces(std::string_view bytes, size_t step, Feed&& feed) {
  for (auto i = size_t{0}; i < bytes.size(); i += step)
    if (!feed(bytes.substr(i, step)))
      return;
}

std::string frames(std::string_view bytes, size_t step) {
  auto out = std::string{};
  auto reader = troupe::engine_stream{};
  in_pieces(bytes, step, [&](std::string_view piece) {
    return reader.feed(piece, [&out](int stream, std::string_view text) {
      if (stream != 1 && stream != 2)
        std::abort();
      for (auto c : text)
        out += {static_cast<char>('0' + stream), c};
    });
  });
  return out;
}

std::string reply(std::string_view bytes, size_t step) {
  auto body = std::string{};
  auto reader = troupe::reply_reader{};
  in_pieces(bytes, step, [&](std::string_view piece) {
    if (reader.feed(piece, body) > piece.size())
      std::abort();
    return !reader.broken() && !reader.complete();
  });
  if (body.size() > bytes.size())
    std::abort();
  return std::to_string(reader.status()) + (reader.complete() ? "+" : "-")
         + (reader.broken() ? "!" : "") + body;
}

} // namespace

/// However the bytes are cut, both readers come to the same result.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto text = std::string_view{reinterpret_cast<const char*>(bytes), size};
  if (frames(text, size + 1) != frames(text, 1) || frames(text, 7) != frames(text, 1))
    std::abort();
  if (reply(text, size + 1) != reply(text, 1) || reply(text, 7) != reply(text, 1))
    std::abort();
  return 0;
}
