#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

constexpr auto largest_page = uint32_t{1000};

struct ls_options {
  std::string state;
  std::string result;
  std::string package;
  std::string dist;
  std::string queue;
  std::string owner;
  uint32_t limit = 50;
  bool all = false;
  bool quiet = false;
};

/// Returns "debian-12" for "debian:12": the form of the label.
std::string dist_label(std::string text) {
  std::replace(text.begin(), text.end(), ':', '-');
  return text;
}

void show(program& p, const ls_options& in, const job_page& page) {
  if (in.quiet)
    for (const auto& j : page.jobs)
      p.io.out << to_string(j.job) << '\n';
  else
    p.io.out << jobs_table(p.io, page.jobs, now());
}

void ls(program& p, const ls_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto found = job_page{};
  auto raw = json::array();
  auto cursor = std::string{};
  auto wanted = in.all ? UINT32_MAX : in.limit;
  do {
    auto left = wanted - static_cast<uint32_t>(found.jobs.size());
    auto page_raw = json{};
    auto page = server->get<job_page>(
      target("/jobs", {{"state", in.state},
                       {"result", in.result},
                       {"package", in.package},
                       {"tag.dist", dist_label(in.dist)},
                       {"queue", in.queue},
                       {"owner", in.owner},
                       {"cursor", cursor},
                       {"limit", std::to_string(std::min(left, largest_page))}}),
      &page_raw);
    if (!page)
      return p.fail(page.error());
    for (auto& j : page_raw["jobs"])
      raw.push_back(std::move(j));
    std::move(page->jobs.begin(), page->jobs.end(), std::back_inserter(found.jobs));
    cursor = page->next;
  } while (!cursor.empty() && found.jobs.size() < wanted);
  if (p.options.json)
    return write_line(p.io, json_text(raw));
  show(p, in, found);
  if (!cursor.empty() && !in.quiet)
    p.io.err << "There are more; --all shows them.\n";
}

} // namespace

void add_ls(program& p) {
  auto in = std::make_shared<ls_options>();
  auto verb = p.verb("ls", "List jobs, newest first",
                     "  troupe ls --state running\n"
                     "  troupe ls --package bash --dist debian:12 --result fail\n"
                     "  troupe ls --all --json | jq '.[].job_id'\n");
  verb->add_option("--state", in->state, "Only in this state")
    ->check(CLI::IsMember({"queued", "running", "finished"}));
  verb->add_option("--result", in->result, "Only with this verdict")
    ->check(CLI::IsMember({"pass", "fail", "neutral", "error", "timeout", "canceled"}));
  verb->add_option("--package", in->package, "Only of this package");
  verb->add_option("--dist", in->dist, "Only on this distribution, as \"debian:12\"");
  verb->add_option("--queue", in->queue, "Only of this queue");
  verb->add_option("--owner", in->owner, "Only of this owner");
  auto limit = verb->add_option("--limit", in->limit, "At most so many")
                 ->check(CLI::Range(1, 1'000'000))
                 ->capture_default_str();
  verb->add_flag("--all", in->all, "All of them, however many")->excludes(limit);
  verb->add_flag("-q,--quiet", in->quiet, "Only ids");
  verb->callback([&p, in] { ls(p, *in); });
}

} // namespace troupe::cli
