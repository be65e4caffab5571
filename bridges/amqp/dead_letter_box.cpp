#include "bridges/amqp/dead_letter_box.hpp"

#include "bridges/amqp/content_reader.hpp"
#include "bridges/amqp/letter_headers.hpp"
#include "bridges/amqp/publish_message.hpp"
#include "bridges/amqp/table.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto look_channel = uint16_t{1};
constexpr auto take_channel = uint16_t{2};
constexpr auto send_channel = uint16_t{3};
constexpr auto answer_limit = std::chrono::milliseconds{10'000};
constexpr auto most_name = size_t{255}; ///< Bytes of a short text of AMQP.
constexpr auto most_shown = size_t{64} << 10;

std::string header(const inbound_message& in, const char* name) {
  return header_text(in.headers, name).value_or("");
}

void keep_properties(publication& out, const inbound_message& letter) {
  out.body = letter.body;
  out.type = letter.type;
  out.content_type = letter.content_type;
  out.content_encoding = letter.content_encoding;
  out.correlation_id = letter.correlation_id;
  out.reply_to = letter.reply_to;
  out.message_id = letter.message_id;
  out.app_id = letter.app_id;
  out.time = letter.sent;
  out.kept_headers = letter.headers;
}

} // namespace

publication copy_of_letter(const inbound_message& letter, const std::string& queue) {
  auto out = publication{};
  out.routing_key = queue;
  keep_properties(out, letter);
  // Of what was kept these are left out, since to others they would be forged.
  for (auto name : {letter_reason, letter_text, letter_queue, letter_exchange, letter_routing_key,
                    letter_time})
    if (auto text = header_text(letter.headers, name))
      out.headers.emplace_back(name, std::move(*text));
  return out;
}

std::optional<publication> message_of_letter(const inbound_message& letter) {
  auto out = publication{};
  auto queue = header(letter, letter_queue);
  out.exchange = header(letter, letter_exchange);
  out.routing_key = header(letter, letter_routing_key);
  if (!queue.empty()) {
    // Only the queue that refused it gets it again, and still knows how it came.
    out.headers = {{letter_exchange, out.exchange}, {letter_routing_key, out.routing_key}};
    out.exchange.clear();
    out.routing_key = queue;
  } else if (out.routing_key.empty() && out.exchange.empty()) {
    return std::nullopt;
  }
  // A frame has no room for more, and the library would end the connection.
  if (out.routing_key.size() > most_name || out.exchange.size() > most_name)
    return std::nullopt;
  keep_properties(out, letter);
  return out;
}

dead_letter read_letter(const inbound_message& in) {
  auto out = dead_letter{};
  out.reason = header(in, letter_reason);
  out.text = header(in, letter_text);
  out.queue = header(in, letter_queue);
  out.exchange = header(in, letter_exchange);
  out.routing_key = header(in, letter_routing_key);
  out.message_id = in.message_id;
  if (auto died = parse_iso8601(header(in, letter_time)))
    out.died = *died;
  out.size = in.body.size();
  out.body = in.body.substr(0, most_shown);
  return out;
}

caf::expected<dead_letter_box> dead_letter_box::open(const link_options& options) {
  auto why = fault(ec::unavailable, "no broker is configured");
  for (const auto& to : options.brokers) {
    auto at = session::open(to, options.how);
    if (at)
      why = (*at)->open_channel(look_channel);
    else
      why = std::move(at.error());
    if (!why)
      return dead_letter_box{std::move(*at)};
  }
  // To a caller a broker that refuses us is a broker that is away.
  return retryable(why) ? why : fault(ec::unavailable, one_line(why));
}

caf::expected<dead_letter_queue> dead_letter_box::look(const std::string& queue) {
  auto out = dead_letter_queue{};
  out.queue = queue;
  auto why = at_->call(look_channel, [&](amqp_connection_state_t to) {
    if (auto ok =
          amqp_queue_declare(to, look_channel, bytes_of(queue), 1, 0, 0, 0, amqp_empty_table)) {
      out.messages = ok->message_count;
      out.consumers = ok->consumer_count;
    }
  });
  if (!why)
    return out;
  if (!at_->alive())
    return why;
  out.trouble = one_line(why);
  if (auto failed = at_->open_channel(look_channel))
    return failed;
  return out;
}

caf::expected<amqp_frame_t> dead_letter_box::await_frame(uint16_t channel) {
  auto until = std::chrono::steady_clock::now() + answer_limit;
  while (std::chrono::steady_clock::now() < until) {
    auto in = amqp_frame_t{};
    auto got = at_->next(in, std::chrono::milliseconds{200});
    if (!got)
      return std::move(got.error());
    if (!*got || in.channel != channel)
      continue;
    if (in.frame_type == AMQP_FRAME_METHOD && in.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD)
      return at_->closed_by(in);
    return in;
  }
  return fault(ec::timeout, "the broker does not answer");
}

caf::expected<std::optional<dead_letter_box::letter>>
dead_letter_box::next(const std::string& queue) {
  amqp_maybe_release_buffers(at_->get());
  auto reply = amqp_basic_get(at_->get(), take_channel, bytes_of(queue), 0);
  if (auto why = at_->judge(take_channel, reply))
    return why;
  if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD)
    return std::optional<letter>{};
  auto reader = content_reader{};
  reader.begin(*static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded));
  while (true) {
    auto in = await_frame(take_channel);
    if (!in)
      return std::move(in.error());
    if (auto message = reader.take(*in))
      return std::optional{letter{reader.tag(), std::move(*message)}};
  }
}

caf::expected<dead_letter_list> dead_letter_box::peek(const std::string& queue, uint32_t most) {
  if (auto why = at_->open_channel(take_channel))
    return why;
  auto out = dead_letter_list{queue, {}};
  for (most = std::clamp<uint32_t>(most, 1, 100); out.letters.size() < most;) {
    auto x = next(queue);
    if (!x)
      return std::move(x.error());
    if (!*x)
      break;
    out.letters.push_back(read_letter((*x)->message));
  }
  // What was taken and not acknowledged goes back to its place.
  at_->close();
  return out;
}

caf::expected<bool> dead_letter_box::publish(const publication& what) {
  if (auto why = publish_message(*at_, send_channel, what))
    return why;
  auto returned = false;
  while (true) {
    auto in = await_frame(send_channel);
    if (!in)
      return std::move(in.error());
    if (in->frame_type != AMQP_FRAME_METHOD)
      continue;
    switch (in->payload.method.id) {
      case AMQP_BASIC_RETURN_METHOD: returned = true; break;
      case AMQP_BASIC_ACK_METHOD: return !returned;
      case AMQP_BASIC_NACK_METHOD: return false;
      default: break;
    }
  }
}

caf::error dead_letter_box::open_sending() {
  if (auto why = at_->open_channel(send_channel))
    return why;
  return at_->call(send_channel,
                   [](amqp_connection_state_t to) { amqp_confirm_select(to, send_channel); });
}

caf::expected<bool> dead_letter_box::deliver(const std::optional<publication>& what) {
  if (!what)
    return false;
  auto sent = publish(*what);
  if (sent || !at_->alive() || sent.error() == ec::timeout)
    return sent;
  // The exchange is gone, and the channel with it.
  if (auto why = open_sending())
    return why;
  return false;
}

caf::expected<dead_letters_moved> dead_letter_box::replay(const std::string& queue, uint32_t most,
                                                          caf::timespan limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  auto there = look(queue);
  if (!there)
    return std::move(there.error());
  if (auto why = at_->open_channel(take_channel))
    return why;
  if (auto why = open_sending())
    return why;
  auto left = most == 0 ? there->messages : std::min<uint64_t>(most, there->messages);
  auto out = dead_letters_moved{queue, 0, 0};
  for (; left > 0 && std::chrono::steady_clock::now() < until; --left) {
    auto x = next(queue);
    if (!x)
      return std::move(x.error());
    if (!*x)
      break;
    const auto& dead = (*x)->message;
    auto sent = deliver(message_of_letter(dead));
    auto kept = sent && !*sent ? deliver(copy_of_letter(dead, queue)) : sent;
    if (!kept)
      return std::move(kept.error());
    ++(*sent ? out.moved : out.stayed);
    if (*kept)
      if (auto why = at_->judge(amqp_basic_ack(at_->get(), take_channel, (*x)->tag, 0)))
        return why;
  }
  // What was taken and not acknowledged goes back to its place.
  at_->close();
  return out;
}

caf::expected<dead_letters_moved> dead_letter_box::purge(const std::string& queue) {
  auto out = dead_letters_moved{queue, 0, 0};
  if (auto why = at_->call(look_channel, [&](amqp_connection_state_t to) {
        if (auto ok = amqp_queue_purge(to, look_channel, bytes_of(queue)))
          out.moved = ok->message_count;
      }))
    return why;
  return out;
}

} // namespace troupe
