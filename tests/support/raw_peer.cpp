#include "tests/support/raw_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

namespace troupe::tests {

namespace {

using clock_type = std::chrono::steady_clock;

sockaddr_in loopback(const std::string& host, uint16_t port) {
  auto out = sockaddr_in{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &out.sin_addr);
  return out;
}

std::shared_ptr<tls_material> bare_client() {
  auto out = std::make_shared<tls_material>();
  out->ssl = {SSL_CTX_new(TLS_method()), SSL_CTX_free};
  SSL_CTX_set_mode(out->ssl.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return out;
}

} // namespace

raw_peer::raw_peer(uint16_t port, const std::string& from)
  : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  auto own = loopback(from, 0);
  auto to = loopback("127.0.0.1", port);
  auto size = static_cast<socklen_t>(sizeof own);
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&own), size) != 0
      || ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), size) != 0) {
    fd_.reset();
    return;
  }
  auto on = 1;
  ::ioctl(fd_.get(), FIONBIO, &on);
}

bool raw_peer::wait(short events, std::chrono::milliseconds limit) const {
  auto what = pollfd{fd_.get(), events, 0};
  return ::poll(&what, 1, static_cast<int>(limit.count())) == 1;
}

bool raw_peer::secure(const std::shared_ptr<const tls_material>& as) {
  tls_ = std::make_unique<tls_session>(as, fd_.get(), tls_session::role::client,
                                       [](const auto&) { return std::nullopt; });
  for (;;)
    switch (tls_->handshake()) {
      case tls_session::step::done: return true;
      case tls_session::step::failed: return false;
      case tls_session::step::wants_write:
      case tls_session::step::wants_read:
        if (!wait(POLLIN, std::chrono::seconds{2}))
          return false;
    }
}

bool raw_peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto put = tls_ ? tls_->write(bytes.data(), bytes.size())
                    : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (!tls_ && put < 0 && errno == EAGAIN)
      put = 0;
    if (put < 0 || (put == 0 && !wait(POLLOUT, std::chrono::seconds{1})))
      return false;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return true;
}

/// Returns -1 at the end, 0 if nothing is there.
ssize_t raw_peer::read_some(char* into, size_t size) {
  if (tls_)
    return tls_->read(into, size);
  auto got = ::recv(fd_.get(), into, size, 0);
  if (got < 0 && errno == EAGAIN)
    return 0;
  return got == 0 ? -1 : got;
}

bool raw_peer::ends_within(std::chrono::milliseconds limit) {
  auto end = clock_type::now() + limit;
  auto bytes = std::array<char, 4096>{};
  for (;;) {
    auto got = read_some(bytes.data(), bytes.size());
    if (got < 0)
      return true;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock_type::now());
    if (left.count() <= 0 || (got == 0 && !wait(POLLIN, left)))
      return false;
  }
}

std::string raw_peer::read(size_t size) {
  auto out = std::string{};
  auto bytes = std::array<char, 4096>{};
  while (out.size() < size) {
    auto got = read_some(bytes.data(), std::min(bytes.size(), size - out.size()));
    if (got < 0 || (got == 0 && !wait(POLLIN, std::chrono::seconds{1})))
      break;
    out.append(bytes.data(), static_cast<size_t>(got));
  }
  return out;
}

std::shared_ptr<const tls_material> without_certificate(const tls_files& like) {
  auto out = bare_client();
  SSL_CTX_load_verify_file(out->ssl.get(), like.authority.c_str());
  return out;
}

std::shared_ptr<const tls_material> unchecked(const tls_files& files) {
  auto out = bare_client();
  // It trusts the authority of the server for the test's sake, whoever signed its own.
  SSL_CTX_load_verify_file(out->ssl.get(), files.authority.c_str());
  SSL_CTX_use_certificate_chain_file(out->ssl.get(), files.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(out->ssl.get(), files.key.c_str(), SSL_FILETYPE_PEM);
  return out;
}

} // namespace troupe::tests
