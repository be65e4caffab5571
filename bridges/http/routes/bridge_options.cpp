#include "bridges/http/routes/bridge_options.hpp"

#include "messages/text_rule.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto most_bytes = int64_t{1} << 40;

void read_server(section& in, http_options& out) {
  in.read("address", out.address);
  in.read("port", out.port, 0, 65535);
  in.read("max_connections", out.max_connections, 1, 1'000'000);
  in.read("max_connections_per_address", out.max_connections_per_address, 1, 1'000'000);
  in.read("max_streams", out.max_streams, 0, 1'000'000);
  auto size = [&](const char* key, size_t& bytes) {
    auto wide = uint64_t{bytes};
    in.read_size(key, wide);
    if (wide == 0 || wide > static_cast<uint64_t>(most_bytes))
      return in.complain(key, "is out of range");
    bytes = static_cast<size_t>(wide);
  };
  size("max_buffered", out.max_buffered);
  size("max_header_bytes", out.max_header_bytes);
  in.read("max_header_lines", out.max_header_lines, 1, 10'000);
  size("max_header_line", out.max_header_line);
  size("max_body", out.max_body);
  size("min_body_rate", out.min_body_rate);
  in.read("header_time", out.header_time);
  in.read("idle_time", out.idle_time);
  in.read("write_time", out.write_time);
  in.read("request_deadline", out.request_deadline);
  in.read("workers", out.workers, 1, 4096);
  in.read("queue", out.queue, 1, 1'000'000);
  in.read("rate_per_subject", out.rate_per_subject, 0, 1e9);
  in.read("rate_per_address", out.rate_per_address, 0, 1e9);
  in.read("failures_per_address", out.failures_per_address, 0, 1e9);
  size("max_unsent", out.max_unsent);
  in.read("linger_time", out.linger_time);
  in.read("worker_idle", out.worker_idle);
}

void read_submission(section in, submission_options& out) {
  in.read("default_runner", out.default_runner);
  in.read("runners", out.runners);
  in.read("retries", out.retries, 0, 49);
  in.read("queue_deadline", out.queue_deadline);
  in.read("run_deadline", out.run_deadline);
  const auto& may = out.runners;
  if (!out.default_runner.empty()
      && std::find(may.begin(), may.end(), out.default_runner) == may.end())
    in.complain("default_runner", "is not one of runners");
  for (const auto& name : may)
    if (!obeys("word", name))
      in.complain("runners", "\"" + name + "\" is not a name");
}

void read_compat(section in, compat_options& out) {
  in.read("alts_missing_token_403", out.alts_missing_token_403);
  in.read("alts_unknown_pending", out.alts_unknown_pending);
  in.read("machines_open", out.machines_open);
  in.read("ebs_open", out.ebs_open);
  in.read("ebs_validation", out.ebs_validation);
}

void read_metrics(section in, metrics_options& out) {
  auto access = std::string{name_of(out.access)};
  in.read("access", access);
  if (auto known = enum_of<metrics_access>(access))
    out.access = *known;
  else
    in.complain("access", "must be token, loopback or open");
  in.read("celery_names", out.celery_names);
}

} // namespace

void read_options(section& in, http_bridge_options& out) {
  read_server(in, out.server);
  in.read("heartbeat", out.routes.heartbeat);
  if (out.routes.heartbeat < std::chrono::milliseconds{10}
      || out.routes.heartbeat > std::chrono::seconds{30})
    in.complain("heartbeat", "must be between 10ms and 30s");
  read_submission(in.child("submission"), out.routes.submission);
  read_compat(in.child("compat"), out.routes.compat);
  read_metrics(in.child("metrics"), out.routes.metrics);
}

} // namespace troupe
