#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::tests {

/// A TCP connection to a loopback port that sends whatever it is told, from a
/// loopback address of choice. Every wait ends after 20 s.
class raw_http {
public:
  explicit raw_http(uint16_t port, const char* from = "127.0.0.1");
  /// A socket that is not connected yet.
  raw_http();
  ~raw_http();
  raw_http(raw_http&& other) noexcept;
  raw_http(const raw_http&) = delete;
  raw_http& operator=(raw_http&& other) noexcept;

  bool connected() const {
    return fd_ >= 0;
  }
  /// Connects a fresh socket.
  void connect(uint16_t port, const char* from = "127.0.0.1");
  /// Sends all; false if the peer does not take it any more.
  bool send(std::string_view bytes);
  /// Sends what fits at once; the number of bytes, or -1 if the peer is gone.
  long send_some(std::string_view bytes);
  /// Reads up to and including `mark`, or what came before the end.
  std::string read_until(std::string_view mark);
  /// Reads one answer with its body (Content-Length), or what came before the end.
  std::string read_answer(bool has_body = true);
  /// Reads until the peer closes.
  std::string read_all();
  /// True if the peer has closed and nothing is left to read.
  bool closed();
  void end_sending();
  /// Makes the kernel take few bytes from the peer.
  void shrink_receive_buffer();

private:
  bool receive();

  int fd_ = -1;
  std::string left_;
};

/// Returns the status of an answer, 0 if there is none.
int status_of(std::string_view answer);

} // namespace troupe::tests
