#include "nodes/cluster/handshake.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

constexpr auto tls_handshake_record = char{0x16};

} // namespace

handshake handshake::of_caller(const transport_core& core, owned_fd fd,
                               const socket_address& from) {
  return handshake{core, std::move(fd), from, {}};
}

handshake handshake::of_callee(const transport_core& core, owned_fd fd, const socket_address& to,
                               std::string name) {
  return handshake{core, std::move(fd), to, std::move(name)};
}

void handshake::make_session(tls_session::role as) {
  auto material = core_->tls->current();
  auto judge_peer = [material, policy = core_->policy(),
                     expected = expected_](const certificate_facts& who) {
    return judge(*policy, material->revoked, who, expected);
  };
  tls_ = std::make_unique<tls_session>(material, fd_.get(), as, std::move(judge_peer));
}

std::optional<handshake::step> handshake::first_byte() {
  auto byte = char{0};
  auto got = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return step::wants_read;
  if (got != 1 || byte != tls_handshake_record) {
    early_ = got == 1 ? refusal::no_tls : refusal::hung_up;
    return step::failed;
  }
  make_session(tls_session::role::server);
  return std::nullopt;
}

std::optional<handshake::step> handshake::begin() {
  if (expected_.empty())
    return first_byte();
  connect_fault_ = connect_fault(fd_.get());
  if (connect_fault_ != 0)
    return step::failed;
  auto peer = sockaddr_storage{};
  auto size = static_cast<socklen_t>(sizeof peer);
  if (::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0)
    return step::wants_write;
  make_session(tls_session::role::client);
  return std::nullopt;
}

handshake::step handshake::advance() {
  if (!tls_)
    if (auto waits = begin())
      return *waits;
  return tls_->handshake();
}

std::optional<refusal> handshake::why() const {
  if (connect_fault_ != 0)
    return std::nullopt;
  return tls_ ? tls_->why() : early_.value_or(refusal::hung_up);
}

std::string handshake::detail() const {
  if (connect_fault_ != 0)
    return std::strerror(connect_fault_);
  return tls_ ? tls_->detail() : std::string{};
}

std::string handshake::name() const {
  return tls_ && !tls_->peer().names.empty() ? tls_->peer().names.front() : std::string{};
}

settled_peer handshake::settle() {
  return {std::move(fd_), std::move(tls_), at_};
}

} // namespace troupe
