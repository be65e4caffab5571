#include "bench/http_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

struct client {
  int fd = -1;
  size_t sent = 0;
  std::string in;
  steady::time_point began;
};

int connect_to(const http_load& load) {
  auto fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto to = sockaddr_in{};
  to.sin_family = AF_INET;
  to.sin_port = htons(load.port);
  inet_pton(AF_INET, load.address.c_str(), &to.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    close(fd);
    return -1;
  }
  auto on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// Returns the length of the first whole answer in `in`, 0 if there is none yet.
size_t whole_answer(std::string_view in) {
  auto end = in.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return 0;
  constexpr auto name = std::string_view{"Content-Length: "};
  auto at = in.find(name);
  auto length = at < end ? std::strtoull(in.data() + at + name.size(), nullptr, 10) : 0;
  return in.size() >= end + 4 + length ? end + 4 + length : 0;
}

class generator {
public:
  explicit generator(const http_load& load) : load_{load}, poll_{epoll_create1(EPOLL_CLOEXEC)} {
    latencies_.reserve(1 << 20);
  }
  ~generator() {
    for (auto& c : clients_)
      if (c.fd >= 0)
        close(c.fd);
    close(poll_);
  }

  http_load_result run() {
    clients_.resize(load_.connections);
    for (auto& c : clients_)
      open(c);
    auto start = steady::now();
    measured_from_ = start + load_.warm_up;
    auto end = measured_from_ + load_.duration;
    auto events = std::array<epoll_event, 64>{};
    while (steady::now() < end && out_.answered < load_.max_requests) {
      auto n = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
      for (auto i = 0; i < n; ++i)
        read(*static_cast<client*>(events[static_cast<size_t>(i)].data.ptr));
    }
    out_.seconds = std::chrono::duration<double>(steady::now() - measured_from_).count();
    out_.per_second = static_cast<double>(out_.answered) / out_.seconds;
    out_.p50_ms = percentile(0.5);
    out_.p99_ms = percentile(0.99);
    return out_;
  }

private:
  void open(client& c) {
    c.fd = connect_to(load_);
    c.in.clear();
    if (c.fd < 0) {
      ++out_.failed;
      return;
    }
    auto want = epoll_event{EPOLLIN, {&c}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, c.fd, &want);
    send(c);
  }

  void send(client& c) {
    c.began = steady::now();
    // A request fits the socket buffer, so one blocking write does.
    if (write(c.fd, load_.request.data(), load_.request.size())
        != static_cast<ssize_t>(load_.request.size()))
      broken(c);
  }

  void broken(client& c) {
    ++out_.failed;
    close(c.fd);
    open(c);
  }

  void read(client& c) {
    auto buffer = std::array<char, 16384>{};
    auto n = ::read(c.fd, buffer.data(), buffer.size());
    if (n <= 0)
      return broken(c);
    c.in.append(buffer.data(), static_cast<size_t>(n));
    auto length = whole_answer(c.in);
    if (length == 0)
      return;
    auto status = std::atoi(c.in.c_str() + std::strlen("HTTP/1.1 "));
    c.in.erase(0, length);
    auto now = steady::now();
    if (now >= measured_from_) {
      if (status == load_.expect_status) {
        ++out_.answered;
        latencies_.push_back(std::chrono::duration<float, std::milli>(now - c.began).count());
      } else {
        ++out_.failed;
      }
    }
    send(c);
  }

  double percentile(double p) {
    if (latencies_.empty())
      return 0;
    auto at = latencies_.begin()
              + static_cast<std::ptrdiff_t>(p * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), at, latencies_.end());
    return *at;
  }

  http_load load_;
  int poll_;
  std::vector<client> clients_;
  std::vector<float> latencies_;
  steady::time_point measured_from_;
  http_load_result out_;
};

} // namespace

http_load_result run_http_load(const http_load& load) {
  return generator{load}.run();
}

std::string post_request(const std::string& path, const std::string& token,
                         const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token
         + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size())
         + "\r\n\r\n" + body;
}

} // namespace troupe::bench
