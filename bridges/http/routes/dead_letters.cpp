#include "bridges/http/routes/call.hpp"

/// The bridge to RabbitMQ: how it is, and what it could not deliver.
namespace troupe {

namespace {

http_response status(call& c) {
  return answer(c, c.ask<amqp_status>(c.shared.roles.amqp, status_atom_v));
}

http_response list(call& c) {
  return answer(c, c.ask<dead_letter_queues>(c.shared.roles.amqp, list_dead_letters{}));
}

http_response peek(call& c) {
  auto what = peek_dead_letters{c.path("queue"), 10};
  if (auto max = c.whole("max"))
    what.max = static_cast<uint32_t>(*max);
  return answer(c, c.ask<dead_letter_list>(c.shared.roles.amqp, std::move(what)));
}

/// The body is a mapping with the number, or absent.
http_response replay(call& c) {
  auto what = replay_dead_letters{c.path("queue"), 0};
  if (!c.in.body.empty()) {
    auto body = c.document();
    if (!body)
      return syntax_response(c.at.words, body.error());
    auto wish = replay_dead_letters{};
    auto reader = json_reader{};
    reader.strict = true;
    reader.read(*body, wish, "");
    if (reader.faults.empty() && !wish.queue.empty() && wish.queue != what.queue)
      reader.complain("queue", "is not the one of the path");
    if (!reader.faults.empty())
      return c.fail(reader.faults);
    what.max = wish.max;
  }
  auto moved = c.ask<dead_letters_moved>(c.shared.roles.amqp, what);
  if (!moved)
    return c.fail(moved.error());
  auto out = write_json(*moved);
  // It may have stopped before the end; whoever asks learns how many are there now.
  auto all = c.ask<dead_letter_queues>(c.shared.roles.amqp, list_dead_letters{});
  if (all)
    for (const auto& x : all->queues)
      if (x.queue == moved->queue)
        out["left"] = x.messages;
  return json_response(200, out);
}

http_response purge(call& c) {
  return answer(
    c, c.ask<dead_letters_moved>(c.shared.roles.amqp, purge_dead_letters{c.path("queue")}));
}

} // namespace

std::vector<route> dead_letter_routes() {
  return {
    {.method = "GET",
     .path = "/amqp",
     .least = token_level::read,
     .tag = "amqp",
     .summary = "Tells how the bridge to RabbitMQ is: connections, queues, outbox, counts",
     .answers = {{200, "What it is now.", schema_of<amqp_status>()}},
     .run = status},
    {.method = "GET",
     .path = "/queues/dead",
     .least = token_level::read,
     .tag = "amqp",
     .summary = "Lists the dead-letter queues at the broker",
     .answers = {{200, "Ordered by name.", schema_of<dead_letter_queues>()}},
     .run = list},
    {.method = "GET",
     .path = "/queues/dead/{queue}",
     .least = token_level::admin,
     .tag = "amqp",
     .summary = "Shows the oldest letters of a dead-letter queue; they stay there",
     .query = {{"max", "Letters at most.", parameter_type::whole, {}, 1, 100}},
     .answers = {{200, "Oldest first.", schema_of<dead_letter_list>()}},
     .run = peek},
    {.method = "POST",
     .path = "/queues/dead/{queue}/replay",
     .least = token_level::admin,
     .tag = "amqp",
     .summary = "Sends letters to where they were bound, oldest first, for a few seconds; the next "
                "call goes on",
     .request = schema_of<replay_dead_letters>(),
     .answers = {{200, "How many went, how many found no queue, and in `left` how many are there.",
                  schema_of<dead_letters_moved>()}},
     .max_body = 1024,
     .run = replay},
    {.method = "POST",
     .path = "/queues/dead/{queue}/purge",
     .least = token_level::admin,
     .tag = "amqp",
     .summary = "Throws all letters of a dead-letter queue away",
     .answers = {{200, "How many there were.", schema_of<dead_letters_moved>()}},
     .run = purge},
  };
}

} // namespace troupe
