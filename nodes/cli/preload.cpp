#include "messages/machine.hpp"
#include "nodes/cli/machine_file.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/redis_hashes.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

/// What goes into one request; each is stored whole or not at all.
constexpr auto machines_a_request = size_t{5000};

struct preload_options {
  std::string file;
  std::string redis;
  bool force = false;
};

/// The server counts from the begin of its request.
caf::error with_range(const caf::error& why, size_t begin, size_t end, size_t all) {
  if (all <= machines_a_request)
    return why;
  auto parts = explain(why);
  auto range = "machines " + std::to_string(begin) + ".." + std::to_string(end - 1);
  return fault_at(parts.code, range, one_line(why));
}

void preload(program& p, const preload_options& in) {
  auto list = in.redis.empty() ? read_machine_list(in.file) : read_redis(in.redis);
  if (!list)
    return p.fail(list.error());
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto sum = machines_imported{};
  for (auto begin = size_t{0}; begin < list->size(); begin += machines_a_request) {
    auto end = std::min(begin + machines_a_request, list->size());
    auto part = json::array();
    for (auto i = begin; i < end; ++i)
      part.push_back(std::move((*list)[i]));
    auto got = server->post(target("/machines", {{"force", in.force ? "true" : ""}}), part);
    if (!got)
      return p.fail(with_range(got.error(), begin, end, list->size()));
    auto one = session::as<machines_imported>(*got);
    if (!one)
      return p.fail(one.error());
    sum.taken += one->taken;
    sum.older += one->older;
  }
  if (p.options.json)
    return write_line(p.io, json_text(write_json(sum)));
  p.io.out << list->size() << " machines: " << sum.taken << " taken, " << sum.older
           << " not newer than what is known\n";
}

} // namespace

void add_preload(program& p) {
  auto in = std::make_shared<preload_options>();
  auto verb =
    p.verb("preload", "Import machines and when they were last seen; the newer time wins",
           "  troupe preload machines.json\n"
           "  curl -s http://old-tracker.example/machines | troupe preload\n"
           "  troupe preload --force machines.json   also times before those that are known\n"
           "  troupe preload --redis redis://127.0.0.1:6379\n"
           "  troupe machines export | troupe preload --server http://new.example:8000\n");
  auto file = verb->add_option("FILE", in->file,
                               "A list as GET /machines answers it (default: standard input)");
  verb
    ->add_option("--redis", in->redis,
                 "The original's store instead: redis://[:PASSWORD@]HOST[:PORT][/DATABASE], or "
                 "\"env\" for that in REDIS_URL")
    ->excludes(file);
  verb->add_flag("--force", in->force, "Overwrite, even by an older time");
  verb->callback([&p, in] { preload(p, *in); });
}

} // namespace troupe::cli
