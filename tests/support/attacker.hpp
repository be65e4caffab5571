#pragma once

#include "tests/support/frame_writer.hpp"
#include "tests/support/raw_peer.hpp"

#include <deque>
#include <memory>
#include <random>
#include <string>

namespace troupe::tests {

/// A peer with a certificate that the node accepts, greeted, and the actor that it was given.
struct insider {
  insider(uint16_t port, const std::shared_ptr<const tls_material>& as, const std::string& id)
    : peer{port, "127.0.0.3"} {
    if (!peer.secure(as) || !peer.send(client_greeting(id)))
      return;
    auto header = peer.read(32);
    gate = published_actor(header + peer.read(announced_size(header)));
  }

  raw_peer peer;
  uint64_t gate = 0;
};

/// The attacks, each as what one connection says.
class attacker {
public:
  attacker(uint16_t port, std::shared_ptr<const tls_material> as)
    : port_{port}, as_{std::move(as)} {}

  static constexpr auto kinds = size_t{12};

  void strike(size_t kind) {
    switch (kind % kinds) {
      case 0: return stranger(noise(below(2'000)));
      case 1:
        return stranger(std::string{"\x16\x03\x01"} + big_endian_text(below(16'000), 2)
                        + noise(300));
      case 2: return hold();
      case 3: return inside(frame_of(2, 0xffff'ffff).bytes());
      case 4: return inside(frame_of(static_cast<uint8_t>(below(8)), 0).bytes() + noise(200));
      case 5: return inside(message_frame(gate_, "@<>+@message", nested_messages()));
      case 6: return inside(message_frame(gate_, "@<>+@error", error_with(nested_messages())));
      case 7: return inside(message_frame(gate_, "@<>+@config_value", noise(40'000)));
      case 8: return inside(upstream());
      case 9: return inside(message_frame(gate_, "@<>+@atom+@strong_actor_ptr", noise(60)));
      case 10: return inside(message_frame(gate_, known_types(), noise(below(3'000))));
      default: return inside(message_frame(1 + below(60), known_types(), noise(below(300))));
    }
  }

private:
  size_t below(size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(random_);
  }
  std::string noise(size_t size) {
    auto out = std::string(size, '\0');
    for (auto& c : out)
      c = static_cast<char>(random_());
    return out;
  }
  static std::string nested_messages() {
    auto out = std::string{};
    for (auto i = 0; i < 30'000; ++i)
      out += type_names("@<>+@message");
    return out;
  }
  std::string error_with(const std::string& context) {
    return '\1' + big_endian_text(below(1'000), 8) + context;
  }
  frame frame_of(uint8_t operation, uint32_t announced) {
    auto out = frame{};
    out.operation = operation;
    out.announced = announced;
    out.data = random_() & 3;
    out.source = below(100);
    out.receiver = gate_;
    return out;
  }
  /// The packet that ends an unguarded node: a stream's message, without content.
  std::string upstream() {
    auto out = frame{};
    out.data = 2ULL << 60;
    out.receiver = gate_;
    out.payload = '\0' + type_names("@<>");
    return out.bytes();
  }
  std::string known_types() {
    static constexpr const char* names[] = {"+@str",
                                            "+@u64",
                                            "+@atom",
                                            "+troupe::write_artifact",
                                            "+troupe::submit_jobs",
                                            "+troupe::claimed_runs",
                                            "+troupe::node_status",
                                            "+troupe::job_page",
                                            "+bool",
                                            "+@unit"};
    auto out = std::string{"@<>"};
    for (auto i = 1 + below(3); i > 0; --i)
      out += names[below(std::size(names))];
    return out;
  }

  void stranger(const std::string& bytes) {
    auto peer = raw_peer{port_, "127.0.0.2"};
    peer.send(bytes);
  }
  void hold() {
    held_.emplace_back(port_, "127.0.0." + std::to_string(10 + below(5)));
    if (held_.size() > 200)
      held_.pop_front();
  }
  void inside(const std::string& bytes) {
    auto it = insider{port_, as_, frame_id(++boots_)}; // As if it had been started again.
    if (it.gate != 0)
      gate_ = it.gate;
    it.peer.send(bytes);
  }

  uint16_t port_;
  std::shared_ptr<const tls_material> as_;
  uint64_t gate_ = 1;
  uint64_t boots_ = 0;
  std::mt19937 random_{20'261'121};
  std::deque<raw_peer> held_;
};

} // namespace troupe::tests
