#include "bench/raw_amqp.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto window = 1000;
constexpr auto acked_at_once = 500;

amqp_bytes_t bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

void must(bool good, const char* what) {
  if (good)
    return;
  std::fprintf(stderr, "amqp_bench: the bare client failed: %s\n", what);
  std::exit(1);
}

struct connection {
  explicit connection(uint16_t port) {
    auto socket = amqp_tcp_socket_new(it);
    must(amqp_socket_open(socket, "127.0.0.1", port) == 0, "connect");
    auto login = amqp_login(it, "/", 0, 131'072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    must(login.reply_type == AMQP_RESPONSE_NORMAL, "login");
    amqp_channel_open(it, 1);
    check("channel");
  }
  ~connection() {
    amqp_connection_close(it, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(it);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void check(const char* what) const {
    must(amqp_get_rpc_reply(it).reply_type == AMQP_RESPONSE_NORMAL, what);
  }
  amqp_connection_state_t it = amqp_new_connection();
};

double rate(int n, steady::time_point start) {
  return n / std::chrono::duration<double>(steady::now() - start).count();
}

} // namespace

double publish_bare(uint16_t port, const std::string& exchange, const std::string& key, int n,
                    const std::string& body) {
  auto to = connection{port};
  amqp_confirm_select(to.it, 1);
  to.check("confirm");
  auto properties = amqp_basic_properties_t{};
  properties._flags =
    AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG
    | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
  properties.delivery_mode = 2;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.type = bytes(key);
  properties.app_id = amqp_cstring_bytes("bench/00000000000000000000000000000000");
  properties.timestamp = static_cast<uint64_t>(std::time(nullptr));
  auto start = steady::now();
  auto sent = 0;
  auto done = uint64_t{0};
  while (done < static_cast<uint64_t>(n)) {
    for (; sent < n && static_cast<uint64_t>(sent) < done + window; ++sent) {
      auto id = "00000000000000000000000000000000-" + std::to_string(sent) + "-0";
      properties.message_id = bytes(id);
      must(
        amqp_basic_publish(to.it, 1, bytes(exchange), bytes(key), 1, 0, &properties, bytes(body))
          == 0,
        "publish");
    }
    auto in = amqp_frame_t{};
    must(amqp_simple_wait_frame(to.it, &in) == 0, "confirm");
    // The broker confirms in order here: one queue, one channel.
    if (in.frame_type == AMQP_FRAME_METHOD && in.payload.method.id == AMQP_BASIC_ACK_METHOD) {
      auto what = static_cast<const amqp_basic_ack_t*>(in.payload.method.decoded);
      done = what->multiple != 0 ? std::max(done, what->delivery_tag) : done + 1;
    }
    amqp_maybe_release_buffers(to.it);
  }
  return rate(n, start);
}

double consume_bare(uint16_t port, const std::string& queue, int n) {
  auto from = connection{port};
  amqp_basic_qos(from.it, 1, 0, window, 0);
  from.check("qos");
  auto start = steady::now();
  amqp_basic_consume(from.it, 1, bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  from.check("consume");
  for (auto i = 1; i <= n; ++i) {
    amqp_maybe_release_buffers(from.it);
    auto in = amqp_envelope_t{};
    auto reply = amqp_consume_message(from.it, &in, nullptr, 0);
    must(reply.reply_type == AMQP_RESPONSE_NORMAL, "delivery");
    if (i % acked_at_once == 0 || i == n)
      must(amqp_basic_ack(from.it, 1, in.delivery_tag, 1) == 0, "ack");
    amqp_destroy_envelope(&in);
  }
  return rate(n, start);
}

} // namespace troupe::bench
