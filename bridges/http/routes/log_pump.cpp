#include "bridges/http/routes/log_pump.hpp"

#include "messages/log_names.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

/// Bytes of one event.
constexpr auto chunk_bytes = uint32_t{65536};

/// How long a read waits for an open log before the job is looked at again.
constexpr auto read_wait = caf::timespan{std::chrono::seconds{5}};

/// How long to wait for a log that has not begun.
constexpr auto begin_wait = caf::timespan{std::chrono::seconds{1}};

/// Returns how many bytes at the end are the beginning of a UTF-8 character.
size_t unfinished_tail(std::string_view text) {
  for (auto n = size_t{1}; n <= 3 && n <= text.size(); ++n) {
    auto c = static_cast<unsigned char>(text[text.size() - n]);
    if (c < 0x80)
      return 0;
    if (c >= 0xC0) {
      auto wanted = c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u;
      return n < wanted ? n : 0;
    }
  }
  return 0;
}

template <class Int>
bool parse_number(std::string_view text, Int& out) {
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), out);
  return err == std::errc{} && end == text.data() + text.size() && !text.empty();
}

} // namespace

std::string to_string(const log_place& place) {
  return std::to_string(place.run) + ':' + place.log + ':' + std::to_string(place.offset);
}

std::optional<log_place> parse_log_place(std::string_view text) {
  auto first = text.find(':');
  auto last = text.rfind(':');
  if (first == std::string_view::npos || first == last)
    return std::nullopt;
  auto out = log_place{};
  out.log = text.substr(first + 1, last - first - 1);
  if (!parse_number(text.substr(0, first), out.run)
      || !parse_number(text.substr(last + 1), out.offset) || !obeys("path", out.log))
    return std::nullopt;
  return out;
}

std::vector<std::string> places_of(const run& one) {
  auto out = log_names(one.stages);
  for (auto& name : out)
    if (name.ends_with(".log"))
      name.resize(name.size() - 4);
  return out;
}

log_pump::log_pump(caf::actor_config& cfg, stream_writer out, std::shared_ptr<route_context> shared,
                   log_request what)
  : stream_pump{cfg, std::move(out), std::move(shared)}, what_{std::move(what)}, at_{what_.from} {}

std::string log_pump::heartbeat() const {
  return what_.follow ? stream_pump::heartbeat() : std::string{};
}

void log_pump::next() {
  if (!job_)
    refresh(caf::timespan{0});
  else if (at_.log.empty())
    move_on();
  else
    read();
}

void log_pump::refresh(caf::timespan wait) {
  auto version = job_ ? job_->version : 0;
  ask<job_view>(
    shared_->roles.history, wait, get_job{what_.job, wait.count() > 0 ? version : 0, wait},
    [this, version, waited = wait.count() > 0](job_view& job) {
      auto changed = job.version > version;
      job_ = std::move(job);
      count_logs();
      if (waited && !changed)
        beat();
      else
        next();
    },
    [this](caf::error&) { finish(end_mark()); });
}

void log_pump::wait_for_change() {
  if (what_.follow)
    refresh(caf::timespan{shared_->options.heartbeat});
  else
    finish(end_mark());
}

void log_pump::move_on() {
  while (true) {
    if (auto following = stage_after_last()) {
      at_.log = logs_[*following];
      at_.offset = 0;
      stage_ = current_run()->stages[*following].name;
      return send(marker());
    }
    auto more_runs = !what_.only_run && !job_->runs.empty() && at_.run < job_->runs.back().run_id;
    if (!more_runs) {
      auto over = job_->state == job_state::finished || (what_.only_run && !run_is_live());
      return over ? finish(end_mark()) : wait_for_change();
    }
    ++at_.run;
    last_.clear();
    count_logs();
  }
}

void log_pump::leave_stage() {
  last_ = std::exchange(at_.log, {});
  next();
}

void log_pump::read() {
  auto key = artifact_key{what_.job, at_.run, at_.log + ".log"};
  auto wait = what_.follow && run_is_live()
                ? std::min(read_wait, caf::timespan{shared_->options.heartbeat})
                : caf::timespan{0};
  ask<artifact_chunk>(
    shared_->roles.artifacts, wait, read_artifact{std::move(key), at_.offset, chunk_bytes, wait},
    [this](artifact_chunk& chunk) { take(chunk); },
    [this](caf::error& why) {
      if (explain(why).code == ec::not_found)
        return no_log();
      last_ = std::exchange(at_.log, {});
      send(text_of("[" + one_line(why) + "]\n"));
    });
}

void log_pump::take(artifact_chunk& chunk) {
  auto tail = what_.follow && !chunk.complete ? unfinished_tail(chunk.bytes) : 0;
  if (tail < chunk.bytes.size()) {
    auto skipped = chunk.from > at_.offset ? chunk.from - at_.offset : 0;
    at_.offset = chunk.next - tail;
    auto text = chunk.bytes.substr(0, chunk.bytes.size() - tail);
    if (skipped > 0)
      text = "[" + std::to_string(skipped) + " bytes are not kept]\n" + text;
    auto bytes = text_of(text);
    if (chunk.complete)
      last_ = std::exchange(at_.log, {});
    return send(std::move(bytes));
  }
  // A run that is over writes no more, even if its runner never closed the log.
  if (chunk.complete || !what_.follow || !run_is_live())
    return leave_stage();
  job_.reset();
  // A read that finds the beginning of a character answers at once, again and again.
  if (tail > 0)
    pause();
  else
    beat();
}

void log_pump::no_log() {
  auto step = current_stage();
  if (!what_.follow || !run_is_live() || !step || step->finished)
    leave_stage();
  else
    refresh(begin_wait);
}

const run* log_pump::current_run() const {
  for (const auto& one : job_->runs)
    if (one.run_id == at_.run)
      return &one;
  return nullptr;
}

void log_pump::count_logs() {
  auto one = current_run();
  logs_ = one ? places_of(*one) : std::vector<std::string>{};
  if (auto step = current_stage())
    stage_ = step->name;
}

const stage* log_pump::current_stage() const {
  auto i = std::find(logs_.begin(), logs_.end(), at_.log);
  return i == logs_.end() ? nullptr : &current_run()->stages[static_cast<size_t>(i - logs_.begin())];
}

std::optional<size_t> log_pump::stage_after_last() const {
  auto begin = size_t{0};
  if (!last_.empty())
    begin = static_cast<size_t>(std::find(logs_.begin(), logs_.end(), last_) - logs_.begin()) + 1;
  for (auto i = begin; i < logs_.size(); ++i)
    if (what_.only_stage.empty() || current_run()->stages[i].name == what_.only_stage)
      return i;
  return std::nullopt;
}

bool log_pump::run_is_live() const {
  auto one = current_run();
  return job_->state != job_state::finished && (!one || one->finished_at == caf::timestamp{});
}

std::string log_pump::marker() const {
  if (what_.follow)
    return sse_event("stage", to_string(at_), {{"run", at_.run}, {"stage", stage_}});
  return what_.only_stage.empty() ? "==> " + stage_ + " <==\n" : std::string{};
}

std::string log_pump::text_of(std::string_view bytes) const {
  if (!what_.follow)
    return std::string{bytes};
  return sse_event("log", at_.log.empty() ? std::string{} : to_string(at_),
                   {{"run", at_.run}, {"stage", stage_}, {"text", std::string{bytes}}});
}

std::string log_pump::end_mark() const {
  if (!what_.follow || !job_)
    return {};
  return sse_event("end", {},
                   {{"state", name_of(job_->state)},
                    {"result", name_of(job_->result)},
                    {"reason", name_of(job_->why)}});
}

} // namespace troupe
