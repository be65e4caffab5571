#include "config/printable.hpp"
#include "messages/time.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <ostream>

/// The letters that the bridge to RabbitMQ could not deliver.
namespace troupe::cli {

namespace {

struct queue_orders {
  std::string name;
  uint32_t max = 0;
  bool yes = false;
};

std::string path_of(const std::string& queue) {
  return "/queues/dead/" + escaped_path(queue);
}

/// Calls `f` with the path of the dead-letter queue that is meant: the named one, or the only one.
template <class F>
void with_queue(program& p, const queue_orders& in, F f) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto name = in.name;
  if (name.empty()) {
    auto all = server->get<dead_letter_queues>("/queues/dead");
    if (!all)
      return p.fail(all.error());
    if (all->queues.size() != 1)
      return p.fail(fault_at(ec::invalid_argument, "QUEUE", "there are several: name one"));
    name = all->queues.front().queue;
  }
  f(*server, path_of(name));
}

void list(program& p) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = json{};
  auto all = server->get<dead_letter_queues>("/queues/dead", &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw["queues"]));
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& x : all->queues)
    rows.push_back({{x.queue},
                    {std::to_string(x.messages), x.messages > 0 ? color::yellow : color::none},
                    {x.trouble}});
  p.io.out << table_text(p.io, {"QUEUE", "LETTERS", "TROUBLE"}, rows);
}

void peek(program& p, const queue_orders& in) {
  with_queue(p, in, [&](session& server, const std::string& path) {
    auto raw = json{};
    auto max = in.max == 0 ? std::string{} : std::to_string(std::min<uint32_t>(in.max, 100));
    auto got = server.get<dead_letter_list>(target(path, {{"max", max}}), &raw);
    if (!got)
      return p.fail(got.error());
    if (p.options.json)
      return write_line(p.io, json_text(raw["letters"]));
    for (const auto& x : got->letters) {
      auto from = x.queue.empty() ? "to " + x.exchange : "from " + x.queue;
      p.io.out << to_iso8601(x.died) << ' ' << printable(x.reason) << ' ' << printable(from)
               << " key=" << printable(x.routing_key) << " id=" << printable(x.message_id) << '\n'
               << "  " << printable(x.text) << '\n'
               << "  " << printable(cut_to(x.body, 2'000)) << '\n';
    }
  });
}

void say(program& p, const dead_letters_moved& moved, const char* what) {
  if (p.options.json)
    return write_line(p.io, json_text(write_json(moved)));
  p.io.out << moved.moved << ' ' << what;
  if (moved.stayed > 0)
    p.io.out << ", " << moved.stayed << " found no queue and stayed";
  p.io.out << '\n';
}

/// Returns how many letters are there; those that come back meanwhile are not to go again.
caf::expected<uint64_t> count_letters(session& server, const std::string& path) {
  auto all = server.get<dead_letter_queues>("/queues/dead");
  if (!all)
    return std::move(all.error());
  for (const auto& x : all->queues)
    if (path == path_of(x.queue))
      return x.messages;
  return uint64_t{0};
}

/// One call sends letters for a few seconds only; this goes on where it ended, until all have
/// had their turn that were there at first. Says how far it came, whatever ends it.
void replay(program& p, const queue_orders& in) {
  with_queue(p, in, [&](session& server, const std::string& path) {
    auto count = count_letters(server, path);
    if (!count)
      return p.fail(count.error());
    auto turns = in.max == 0 ? *count : std::min<uint64_t>(in.max, *count);
    auto sum = dead_letters_moved{};
    while (true) {
      auto got = server.post(path + "/replay", {{"max", turns}});
      auto step = got ? session::as<dead_letters_moved>(*got)
                      : caf::expected<dead_letters_moved>{got.error()};
      if (!step) {
        if (sum.moved + sum.stayed > 0)
          say(p, sum, "replayed before it broke; the rest is where it was");
        return p.fail(step.error());
      }
      sum.queue = step->queue;
      sum.moved += step->moved;
      sum.stayed += step->stayed;
      auto done = step->moved + step->stayed;
      turns -= std::min(turns, done);
      if (done == 0 || turns == 0)
        return say(p, sum, "replayed");
      if (!p.options.json)
        p.io.err << sum.moved << " replayed, " << turns << " to go\n";
    }
  });
}

void purge(program& p, const queue_orders& in) {
  if (!in.yes)
    return p.fail(fault_at(ec::invalid_argument, "--yes", "letters are gone for good: say --yes"));
  with_queue(p, in, [&](session& server, const std::string& path) {
    auto got = server.post(path + "/purge", json{});
    if (!got)
      return p.fail(got.error());
    auto moved = session::as<dead_letters_moved>(*got);
    if (!moved)
      return p.fail(moved.error());
    say(p, *moved, "thrown away");
  });
}

} // namespace

void add_queue(program& p) {
  auto verb = p.verb("queue", "Look at dead letters of RabbitMQ, replay or purge them",
                     "  troupe queue ls\n"
                     "  troupe queue peek --max 3\n"
                     "  troupe queue replay troupe.dead\n"
                     "  troupe queue purge troupe.dead --yes\n");
  verb->require_subcommand(1);
  auto in = std::make_shared<queue_orders>();
  verb->callback([in] {});
  auto add = [&](const char* name, const char* what) {
    auto out = verb->add_subcommand(name, what);
    out->add_option("QUEUE", in->name, "Dead-letter queue (default: the only one)");
    return out;
  };
  verb->add_subcommand("ls", "List the dead-letter queues")->callback([&p] { list(p); });
  auto shown = add("peek", "Show the oldest letters; they stay there");
  shown->add_option("--max", in->max, "Letters at most (default: 10)")->check(CLI::Range(1, 100));
  shown->callback([&p, in] { peek(p, *in); });
  auto replayed = add("replay", "Send letters to where they were bound, oldest first");
  replayed->add_option("--max", in->max, "Letters at most (default: all that are there)");
  replayed->callback([&p, in] { replay(p, *in); });
  auto purged = add("purge", "Throw all letters away");
  purged->add_flag("--yes", in->yes, "They are gone for good");
  purged->callback([&p, in] { purge(p, *in); });
}

} // namespace troupe::cli
