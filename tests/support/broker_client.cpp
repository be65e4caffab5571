#include "tests/support/broker_client.hpp"

#include "bridges/amqp/content_reader.hpp"
#include "bridges/amqp/publish_message.hpp"
#include "bridges/amqp/table.hpp"

#include <set>
#include <stdexcept>

namespace troupe::tests {

namespace {

using namespace std::chrono_literals;

constexpr auto work_channel = uint16_t{1};
constexpr auto send_channel = uint16_t{2};

void must(const caf::error& why) {
  if (why)
    throw std::runtime_error{"the broker refuses: " + one_line(why)};
}

} // namespace

broker_client::broker_client(uint16_t port) {
  auto to = amqp_endpoint{};
  to.port = port;
  auto how = session_options{};
  how.name = "a test";
  how.heartbeat = 60s;
  how.connect_limit = 20s;
  how.call_limit = 30s;
  auto at = session::open(to, how);
  if (!at)
    must(at.error());
  at_ = std::move(*at);
  must(at_->open_channel(work_channel));
  must(at_->open_channel(send_channel));
  must(at_->call(send_channel,
                 [](amqp_connection_state_t c) { amqp_confirm_select(c, send_channel); }));
}

void broker_client::declare_queue(const std::string& name, bool durable, const std::string& type) {
  auto arguments = table_builder{};
  if (type != "classic")
    arguments.add_text("x-queue-type", type);
  must(at_->call(work_channel, [&](amqp_connection_state_t c) {
    amqp_queue_declare(c, work_channel, bytes_of(name), 0, durable, 0, 0, arguments.get());
  }));
}

void broker_client::declare_exchange(const std::string& name, bool durable) {
  must(at_->call(work_channel, [&](amqp_connection_state_t c) {
    amqp_exchange_declare(c, work_channel, bytes_of(name), bytes_of("topic"), 0, durable, 0, 0,
                          amqp_empty_table);
  }));
}

void broker_client::bind(const std::string& queue, const std::string& exchange,
                         const std::string& key) {
  must(at_->call(work_channel, [&](amqp_connection_state_t c) {
    amqp_queue_bind(c, work_channel, bytes_of(queue), bytes_of(exchange), bytes_of(key),
                    amqp_empty_table);
  }));
}

void broker_client::delete_queue(const std::string& name) {
  must(at_->call(work_channel, [&](amqp_connection_state_t c) {
    amqp_queue_delete(c, work_channel, bytes_of(name), 0, 0);
  }));
}

void broker_client::delete_exchange(const std::string& name) {
  must(at_->call(work_channel, [&](amqp_connection_state_t c) {
    amqp_exchange_delete(c, work_channel, bytes_of(name), 0);
  }));
}

size_t broker_client::publish(const std::vector<publication>& messages) {
  auto returned = size_t{0};
  auto open = std::set<uint64_t>{};
  auto next = size_t{0};
  while (next < messages.size() || !open.empty()) {
    for (; next < messages.size() && open.size() < 500; ++next) {
      must(publish_message(*at_, send_channel, messages[next]));
      open.insert(open.end(), ++last_tag_);
    }
    auto in = amqp_frame_t{};
    auto got = at_->next(in, 30s);
    if (!got)
      must(got.error());
    if (!*got)
      throw std::runtime_error{"the broker confirms nothing"};
    if (in.frame_type != AMQP_FRAME_METHOD)
      continue;
    if (in.payload.method.id == AMQP_BASIC_RETURN_METHOD) {
      ++returned;
    } else if (in.payload.method.id == AMQP_BASIC_ACK_METHOD) {
      auto what = static_cast<const amqp_basic_ack_t*>(in.payload.method.decoded);
      open.erase(what->multiple != 0 ? open.begin() : open.find(what->delivery_tag),
                 open.upper_bound(what->delivery_tag));
    } else if (in.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD) {
      must(at_->closed_by(in));
    }
    amqp_maybe_release_buffers(at_->get());
  }
  return messages.size() - returned;
}

void broker_client::put(const std::string& queue, std::string body, std::string id,
                        const std::string& content_type) {
  auto what = publication{};
  what.routing_key = queue;
  what.body = std::move(body);
  what.message_id = std::move(id);
  what.content_type = content_type;
  publish({what});
}

std::optional<uint32_t> broker_client::ready(const std::string& queue) {
  auto out = std::optional<uint32_t>{};
  auto why = at_->call(work_channel, [&](amqp_connection_state_t c) {
    if (auto ok =
          amqp_queue_declare(c, work_channel, bytes_of(queue), 1, 0, 0, 0, amqp_empty_table))
      out = ok->message_count;
  });
  if (why)
    must(at_->open_channel(work_channel));
  return out;
}

std::optional<inbound_message> broker_client::take(const std::string& queue) {
  amqp_maybe_release_buffers(at_->get());
  auto reply = amqp_basic_get(at_->get(), work_channel, bytes_of(queue), 1);
  must(at_->judge(work_channel, reply));
  if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD)
    return std::nullopt;
  auto reader = content_reader{};
  reader.begin(*static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded));
  while (true) {
    auto in = amqp_frame_t{};
    auto got = at_->next(in, 30s);
    if (!got || !*got)
      throw std::runtime_error{"the broker sends half a message"};
    if (in.channel == work_channel)
      if (auto message = reader.take(in))
        return message;
  }
}

std::vector<inbound_message> broker_client::take_all(const std::string& queue) {
  auto out = std::vector<inbound_message>{};
  while (auto x = take(queue))
    out.push_back(std::move(*x));
  return out;
}

} // namespace troupe::tests
