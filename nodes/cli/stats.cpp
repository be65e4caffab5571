#include "config/printable.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/stats_export.hpp"
#include "nodes/cli/stats_text.hpp"

#include <CLI/CLI.hpp>

#include <ostream>
#include <thread>

namespace troupe::cli {

namespace {

struct stats_options {
  double watch_s = 0;
  bool console = false;
  std::string file;
};

/// Shows what is counted now; false if it cannot.
bool show_once(program& p, const stats_options& in, session& server) {
  auto raw = json{};
  auto got = server.get<statistics_report>("/statistics", &raw);
  if (!got) {
    p.fail(got.error());
    return false;
  }
  if (p.options.json) {
    write_line(p.io, json_text(raw));
    return true;
  }
  // On a terminal the new one takes the place of the old one, as watch(1) does it.
  if (in.watch_s > 0 && p.io.live)
    p.io.out << "\x1b[H\x1b[2J";
  p.io.out << (in.console ? console_block(*got) : stats_text(p.io, *got)) << std::flush;
  return p.io.out.good();
}

void stats(program& p, const stats_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  while (show_once(p, in, *server) && in.watch_s > 0)
    std::this_thread::sleep_for(std::chrono::duration<double>{in.watch_s});
}

void save_stats(program& p, const stats_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto all = server->get<statistics_report>("/statistics?packages=4096");
  if (!all)
    return p.fail(all.error());
  auto cursor = std::string{};
  auto more = true;
  auto objects = uint64_t{0};
  auto next = [&]() -> caf::expected<std::vector<object_progress>> {
    if (!more)
      return std::vector<object_progress>{};
    auto page = server->get<object_progress_page>(
      target("/statistics/objects", {{"cursor", cursor}, {"limit", "1000"}}));
    if (!page)
      return std::move(page.error());
    cursor = page->next;
    more = !cursor.empty();
    objects += page->objects.size();
    return std::move(page->objects);
  };
  if (auto why = export_statistics(in.file, *all, next))
    return p.fail(why);
  if (p.options.json)
    return write_line(p.io, json_text({{"file", in.file}, {"objects", objects}}));
  p.io.out << printable(in.file) << ": " << objects << " objects, " << all->packages.size()
           << " packages\n";
}

} // namespace

void add_stats(program& p) {
  auto in = std::make_shared<stats_options>();
  auto verb = p.verb("stats", "Show how many, how long, how fast",
                     "  troupe stats\n"
                     "  troupe stats --watch 0.5\n"
                     "  troupe stats --console             the block that EBS printed\n"
                     "  troupe stats export stats.db       an SQLite database\n"
                     "  sqlite3 stats.db \"select * from statistics\"\n");
  verb->require_subcommand(0, 1);
  verb->add_option("--watch", in->watch_s, "Show it again every so many seconds")
    ->check(CLI::Range(0.1, 86400.0));
  verb->add_flag("--console", in->console, "Only the four counters, as EBS printed them");
  auto save = verb->add_subcommand("export", "Write an SQLite database, whole or not at all");
  save->add_option("FILE", in->file, "Where to; a file that is there is replaced")->required();
  save->callback([&p, in] { save_stats(p, *in); });
  verb->callback([&p, in, save] {
    if (!save->parsed())
      stats(p, *in);
  });
}

} // namespace troupe::cli
