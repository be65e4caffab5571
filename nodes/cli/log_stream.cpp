#include "nodes/cli/log_stream.hpp"

#include "nodes/cli/patience.hpp"

namespace troupe::cli {

namespace {

/// What one connection to the live log brought.
struct log_reader {
  const log_choice& what;
  const log_callback& on_piece;
  std::string last_id;
  bool over = false;
  caf::error broken;

  bool take(const server_event& event) {
    if (event.name == "end") {
      over = what.run.has_value() || is_final(event.text);
      return false;
    }
    if (event.name != "log" && event.name != "stage")
      return true;
    auto piece = parse_json<log_piece>(event.text);
    if (!piece) {
      broken = fault(ec::corrupt, "unexpected event: " + one_line(piece.error()));
      return false;
    }
    // A piece that was shown is not asked for again, so the id counts from here.
    if (!event.id.empty())
      last_id = event.id;
    over = !on_piece(*piece);
    return !over;
  }

  static bool is_final(const std::string& text) {
    auto in = parse_json_text(text);
    return in && in->is_object() && in->value("state", "") == "finished";
  }
};

std::string log_path(const job_id& job, const log_choice& what, bool follow) {
  return target("/jobs/" + to_string(job) + "/log",
                {{"stage", what.stage},
                 {"run", what.run ? std::to_string(*what.run) : ""},
                 {"follow", follow ? "1" : ""}});
}

} // namespace

caf::error follow_log(const settings& in, session& server, const job_id& job,
                      const log_choice& what, const log_callback& on_piece) {
  auto reader = log_reader{what, on_piece, {}, false, {}};
  auto calm = patience{in.timeout};
  while (true) {
    auto before = reader.last_id;
    auto headers = http_headers{};
    if (!before.empty())
      headers.emplace("Last-Event-ID", before);
    auto why = server.follow(log_path(job, what, true), headers,
                             [&](const server_event& event) { return reader.take(event); });
    if (reader.over)
      return caf::none;
    if (reader.broken)
      return reader.broken;
    if (reader.last_id != before)
      calm.answered();
    if (!why)
      why = fault(ec::unavailable, "the stream ended early");
    if (!calm.wait_after(why))
      return why;
  }
}

caf::expected<std::string> read_log(session& server, const job_id& job, const log_choice& what) {
  return server.get_bytes(log_path(job, what, false));
}

} // namespace troupe::cli
