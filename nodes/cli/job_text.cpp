#include "nodes/cli/job_text.hpp"

#include "config/printable.hpp"
#include "messages/time.hpp"
#include "nodes/cli/table.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cli {

namespace {

std::string upper(std::string_view text) {
  auto out = std::string{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

/// Returns " reason: note" with what is set.
std::string why_text(reason why, const std::string& note) {
  auto out = why == reason::none ? std::string{} : std::string{name_of(why)};
  if (!note.empty())
    out += (out.empty() ? "" : ": ") + printable(note);
  return out;
}

color color_of_state(const job_view& job) {
  return job.state == job_state::finished  ? color_of(job.result)
         : job.state == job_state::running ? color::blue
                                           : color::none;
}

std::string pair_line(const terminal& io, std::string_view name, std::string_view value) {
  if (value.empty())
    return {};
  auto padded = std::string{name};
  padded.resize(std::max<size_t>(padded.size() + 1, 10), ' ');
  return io.paint(color::grey, padded) + printable(value) + '\n';
}

} // namespace

color color_of(verdict result) {
  switch (result) {
    case verdict::pass: return color::green;
    case verdict::fail:
    case verdict::error: return color::red;
    case verdict::timeout:
    case verdict::canceled: return color::yellow;
    case verdict::none:
    case verdict::neutral: break;
  }
  return color::none;
}

std::string state_word(const job_view& job) {
  return std::string{job.state == job_state::finished ? name_of(job.result) : name_of(job.state)};
}

std::string time_between(caf::timestamp from, caf::timestamp to) {
  if (from == caf::timestamp{} || to == caf::timestamp{})
    return {};
  return to_short_text(std::max(to - from, caf::timespan{0}));
}

std::string stage_line(const terminal& io, const stage& what) {
  auto mark = !what.finished ? "  .. " : what.success ? "  ok " : "FAIL ";
  auto tint = !what.finished ? color::none : what.success ? color::green : color::red;
  auto name = printable(what.name);
  name.resize(std::max<size_t>(name.size() + 1, 34), ' ');
  auto line = io.paint(tint, mark) + ' ' + name + time_between(what.started_at, what.finished_at);
  if (auto why = why_text(what.why, what.note); !why.empty())
    line += "  " + why;
  else if (what.finished && !what.success && what.exit_code != 0)
    line += "  exit code " + std::to_string(what.exit_code);
  return line;
}

std::string run_title(const run& what) {
  return "run " + std::to_string(what.run_id) + " on " + printable(what.runner);
}

std::string verdict_line(const terminal& io, const job_view& job) {
  auto line =
    io.paint(color_of(job.result), upper(state_word(job))) + "  " + printable(job.subject);
  if (auto took = time_between(job.created_at, job.finished_at); !took.empty())
    line += "  in " + took;
  if (auto why = why_text(job.why, job.note); !why.empty())
    line += "  " + why;
  return line;
}

std::string jobs_table(const terminal& io, const std::vector<job_view>& jobs, caf::timestamp now) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& j : jobs) {
    auto age = time_between(j.created_at, now);
    auto started = j.runs.empty() ? caf::timestamp{} : j.runs.back().started_at;
    auto took = time_between(started, j.finished_at == caf::timestamp{} ? now : j.finished_at);
    rows.push_back({{to_string(j.job)},
                    {state_word(j), color_of_state(j)},
                    {j.subject},
                    {j.queue},
                    {age},
                    {j.state == job_state::queued ? "" : took},
                    {why_text(j.why, j.note)}});
  }
  return table_text(io, {"JOB", "STATE", "SUBJECT", "QUEUE", "AGE", "TIME", "REASON"}, rows);
}

std::string job_text(const terminal& io, const job_view& job, caf::timestamp now) {
  auto out = std::string{};
  auto add = [&](std::string_view name, std::string_view value) {
    out += pair_line(io, name, value);
  };
  add("job", to_string(job.job));
  out += io.paint(color::grey, "state     ") + io.paint(color_of_state(job), state_word(job))
         + (job.cancel_requested && job.state != job_state::finished ? ", cancel requested" : "")
         + '\n';
  add("reason", why_text(job.why, job.note));
  add("subject", job.subject);
  add("kind", job.kind);
  add("queue", job.queue + ", priority " + std::to_string(job.priority));
  add("owner", job.owner);
  for (const auto& [k, v] : job.tags)
    add("label", k + '=' + v);
  for (const auto& c : job.capabilities)
    add("needs", c);
  add("created", to_iso8601(job.created_at));
  add("finished", to_iso8601(job.finished_at));
  if (job.retry_of)
    add("retry of", to_string(*job.retry_of));
  for (const auto& r : job.runs) {
    auto end = r.finished_at == caf::timestamp{} ? now : r.finished_at;
    out += '\n' + run_title(r) + ", " + time_between(r.started_at, end);
    if (r.result != verdict::none)
      out += ", " + io.paint(color_of(r.result), name_of(r.result));
    if (auto why = why_text(r.why, r.note); !why.empty())
      out += ": " + why;
    out += '\n';
    for (const auto& s : r.stages)
      out += stage_line(io, s) + '\n';
  }
  return out;
}

std::string runners_table(const terminal& io, const runner_list& all, caf::timestamp now) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& r : all.runners) {
    auto queues = std::string{};
    for (const auto& q : r.queues)
      queues += (queues.empty() ? "" : ",") + q;
    auto ready = r.live && r.broken.empty() && !r.draining;
    auto word = !r.live ? "gone" : r.draining ? "draining" : r.broken.empty() ? "ready" : "broken";
    rows.push_back({{r.runner},
                    {word, ready ? color::green : color::red},
                    {r.driver},
                    {std::to_string(r.busy) + '/' + std::to_string(r.slots)},
                    {time_between(r.seen_at, now)},
                    {queues},
                    {r.broken}});
  }
  return table_text(io, {"RUNNER", "STATE", "DRIVER", "BUSY", "SEEN", "QUEUES", "WHY"}, rows);
}

std::string queues_table(const terminal& io, const queue_list& all) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& q : all.queues)
    rows.push_back(
      {{q.queue},
       {std::to_string(q.queued), q.queued > 0 && q.slots == 0 ? color::yellow : color::none},
       {std::to_string(q.running)},
       {std::to_string(q.slots)}});
  return table_text(io, {"QUEUE", "QUEUED", "RUNNING", "SLOTS"}, rows);
}

std::string artifacts_table(const terminal& io, const artifact_list& all) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& a : all.artifacts)
    rows.push_back({{a.name},
                    {std::to_string(a.length)},
                    {std::to_string(a.stored)},
                    {a.truncated ? "cut" : ""},
                    {a.sha256.empty() ? "open" : a.sha256}});
  return table_text(io, {"NAME", "BYTES", "STORED", "", "SHA256"}, rows);
}

std::string log_text(std::string_view bytes) {
  // Programs end lines with CR LF on a pseudo terminal; that is no attack.
  auto text = std::string{};
  for (auto i = size_t{0}; i < bytes.size(); ++i)
    if (bytes[i] != '\r' || i + 1 == bytes.size() || bytes[i + 1] != '\n')
      text += bytes[i];
  return printable(text, "\n\t");
}

std::string log_printer::text_of(const log_piece& piece) {
  if (piece.text.empty())
    return end_line() + io_.paint(color::grey, "==> " + printable(piece.stage) + " <==") + '\n';
  at_start_ = piece.text.ends_with('\n');
  return raw_ ? piece.text : log_text(piece.text);
}

std::string log_printer::end_line() {
  return std::exchange(at_start_, true) ? "" : "\n";
}

} // namespace troupe::cli
