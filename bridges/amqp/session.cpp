#include "bridges/amqp/session.hpp"

#include "bridges/amqp/table.hpp"
#include "messages/error.hpp"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe {

namespace {

timeval to_timeval(std::chrono::milliseconds x) {
  return {static_cast<time_t>(x.count() / 1000), static_cast<suseconds_t>(x.count() % 1000) * 1000};
}

caf::error status_error(int status) {
  auto text = std::string{amqp_error_string2(status)};
  switch (status) {
    case AMQP_STATUS_TIMEOUT: return fault(ec::timeout, "the broker does not answer");
    case AMQP_STATUS_HEARTBEAT_TIMEOUT:
      return fault(ec::timeout, "the broker has fallen silent: no heartbeat");
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
      return fault(ec::forbidden, "the broker's certificate is not to be trusted: " + text);
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
    case AMQP_STATUS_SSL_ERROR: return fault(ec::forbidden, "no TLS connection: " + text);
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
      return fault(ec::unavailable, "the broker's name is not known");
    default: return fault(ec::unavailable, text);
  }
}

void send_at_once(int fd) {
  auto on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

} // namespace

caf::error broker_error(int code, std::string text) {
  text = std::to_string(code) + ' ' + text;
  switch (code) {
    case AMQP_ACCESS_REFUSED:
    case AMQP_NOT_ALLOWED: return fault(ec::forbidden, std::move(text));
    case AMQP_NOT_FOUND: return fault(ec::not_found, std::move(text));
    case AMQP_RESOURCE_LOCKED:
    case AMQP_PRECONDITION_FAILED: return fault(ec::conflict, std::move(text));
    case AMQP_NOT_IMPLEMENTED: return fault(ec::unsupported, std::move(text));
    default: return fault(ec::unavailable, std::move(text));
  }
}

caf::expected<std::unique_ptr<session>> session::open(const amqp_endpoint& to,
                                                      const session_options& how) {
  auto out = std::unique_ptr<session>{new session};
  if (auto why = out->connect(to, how))
    return why;
  if (auto why = out->login(to, how))
    return why;
  return out;
}

session::~session() {
  if (state_)
    amqp_destroy_connection(state_);
}

caf::error session::connect(const amqp_endpoint& to, const session_options& how) {
  state_ = amqp_new_connection();
  if (!state_)
    return fault(ec::unavailable, "no memory for a connection");
  auto socket = to.tls ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
  if (!socket)
    return fault(ec::unavailable, "no socket for a connection");
  if (to.tls) {
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    if (auto status = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST))
      return status_error(status);
    auto authority =
      how.ca_file.empty() ? std::string{"/etc/ssl/certs/ca-certificates.crt"} : how.ca_file;
    if (amqp_ssl_socket_set_cacert(socket, authority.c_str()) != AMQP_STATUS_OK)
      return fault(ec::invalid_config, authority + ": no authorities can be read");
    if (!how.certificate_file.empty()
        && amqp_ssl_socket_set_key(socket, how.certificate_file.c_str(), how.key_file.c_str())
             != AMQP_STATUS_OK)
      return fault(ec::invalid_config, how.certificate_file + ": certificate or key is not usable");
  }
  auto limit = to_timeval(how.connect_limit);
  if (auto status = amqp_socket_open_noblock(socket, to.host.c_str(), to.port, &limit))
    return status_error(status);
  fd_ = amqp_get_sockfd(state_);
  send_at_once(fd_);
  amqp_set_handshake_timeout(state_, &limit);
  auto call = to_timeval(how.call_limit);
  amqp_set_rpc_timeout(state_, &call);
  return {};
}

caf::error session::login(const amqp_endpoint& to, const session_options& how) {
  auto able = table_builder{};
  for (auto what :
       {"publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked",
        "exchange_exchange_bindings", "authentication_failure_close"})
    able.add_flag(what, true);
  auto client = table_builder{};
  client.add_table("capabilities", able);
  client.add_text("connection_name", how.name);
  auto properties = client.get();
  constexpr auto frame_max = 131'072;
  auto reply = amqp_login_with_properties(
    state_, to.vhost.c_str(), 0, frame_max, static_cast<int>(how.heartbeat.count()), &properties,
    AMQP_SASL_METHOD_PLAIN, to.user.c_str(), to.password.c_str());
  alive_ = true;
  return judge(0, reply);
}

caf::error session::gone() const {
  return fault(ec::unavailable, "the connection has ended");
}

caf::error session::judge(int status) {
  if (status == AMQP_STATUS_OK)
    return {};
  alive_ = false;
  return status_error(status);
}

caf::error session::judge(uint16_t channel, const amqp_rpc_reply_t& reply) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return {};
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return judge(reply.library_error);
    case AMQP_RESPONSE_SERVER_EXCEPTION: {
      auto frame = amqp_frame_t{};
      frame.frame_type = AMQP_FRAME_METHOD;
      frame.channel = channel;
      frame.payload.method = reply.reply;
      return closed_by(frame);
    }
    default: alive_ = false; return fault(ec::unavailable, "the broker broke the protocol");
  }
}

caf::error session::closed_by(const amqp_frame_t& frame) {
  const auto& method = frame.payload.method;
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    auto what = static_cast<const amqp_channel_close_t*>(method.decoded);
    auto why = broker_error(what->reply_code, text_of(what->reply_text));
    auto ok = amqp_channel_close_ok_t{};
    if (auto failed =
          judge(amqp_send_method(state_, frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok)))
      return failed;
    return why;
  }
  alive_ = false;
  if (method.id != AMQP_CONNECTION_CLOSE_METHOD)
    return fault(ec::unavailable, "an unexpected answer of the broker");
  auto what = static_cast<const amqp_connection_close_t*>(method.decoded);
  auto why = broker_error(what->reply_code, text_of(what->reply_text));
  auto ok = amqp_connection_close_ok_t{};
  amqp_send_method(state_, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  return why;
}

caf::error session::open_channel(uint16_t channel) {
  return call(channel, [=](amqp_connection_state_t to) { amqp_channel_open(to, channel); });
}

caf::error session::close_channel(uint16_t channel) {
  if (!alive_)
    return gone();
  return judge(channel, amqp_channel_close(state_, channel, AMQP_REPLY_SUCCESS));
}

caf::expected<bool> session::next(amqp_frame_t& out, std::chrono::milliseconds wait) {
  auto limit = to_timeval(wait);
  auto status = amqp_simple_wait_frame_noblock(state_, &out, &limit);
  if (status == AMQP_STATUS_OK)
    return true;
  if (status == AMQP_STATUS_TIMEOUT)
    return false;
  return judge(status);
}

caf::error session::send_heartbeat() {
  auto frame = amqp_frame_t{};
  frame.frame_type = AMQP_FRAME_HEARTBEAT;
  return judge(amqp_send_frame(state_, &frame));
}

void session::gather(bool on) {
  auto value = on ? 1 : 0;
  setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

void session::close() {
  if (!std::exchange(alive_, false))
    return;
  auto limit = to_timeval(std::chrono::seconds{1});
  amqp_set_rpc_timeout(state_, &limit);
  amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

void session::cut(int fd) {
  ::shutdown(fd, SHUT_RDWR);
}

} // namespace troupe
