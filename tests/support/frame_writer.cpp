#include "tests/support/frame_writer.hpp"

#include <caf/atom.hpp>

namespace troupe::tests {

namespace {

std::string varbyte(size_t number) {
  auto out = std::string{};
  for (; number >= 0x80; number >>= 7)
    out += static_cast<char>(0x80 | (number & 0x7f));
  return out + static_cast<char>(number);
}

uint64_t read_big_endian(std::string_view bytes) {
  auto out = uint64_t{0};
  for (auto c : bytes)
    out = out << 8 | static_cast<uint8_t>(c);
  return out;
}

} // namespace

std::string big_endian_text(uint64_t number, size_t bytes) {
  auto out = std::string(bytes, '\0');
  for (auto i = bytes; i-- > 0; number >>= 8)
    out[i] = static_cast<char>(number & 0xff);
  return out;
}

std::string frame::bytes() const {
  auto size = announced != 0 ? announced : static_cast<uint32_t>(payload.size());
  auto out = std::string{static_cast<char>(operation), '\0', '\0', static_cast<char>(flags)};
  out += big_endian_text(size, 4) + big_endian_text(data, 8);
  out += big_endian_text(source, 8) + big_endian_text(receiver, 8);
  return out + payload;
}

std::string frame_id(uint64_t seed) {
  auto kind = static_cast<uint64_t>(caf::atom("default"));
  return big_endian_text(kind, 8) + big_endian_text(4711, 4) + std::string(12, '\x5a')
         + big_endian_text(seed, 8);
}

std::string client_greeting(const std::string& id) {
  auto out = frame{};
  out.operation = 1;
  out.data = 0;
  out.payload = id;
  return out.bytes();
}

std::string type_names(std::string_view names) {
  return std::string(2, '\0') + varbyte(names.size()) + std::string{names};
}

std::string message_frame(uint64_t receiver, std::string_view names, std::string_view content) {
  auto out = frame{};
  out.receiver = receiver;
  out.payload = '\0' + type_names(names) + std::string{content};
  return out.bytes();
}

uint32_t announced_size(std::string_view header) {
  return header.size() < 8 ? 0 : static_cast<uint32_t>(read_big_endian(header.substr(4, 4)));
}

uint64_t published_actor(std::string_view server_greeting) {
  constexpr auto before_names = size_t{32 + 32};
  if (server_greeting.size() <= before_names)
    return 0;
  auto at = before_names;
  auto names = static_cast<uint8_t>(server_greeting[at++]);
  for (; names > 0 && at < server_greeting.size(); --names)
    at += 1 + static_cast<uint8_t>(server_greeting[at]);
  if (at + 8 > server_greeting.size())
    return 0;
  return read_big_endian(server_greeting.substr(at, 8));
}

} // namespace troupe::tests
