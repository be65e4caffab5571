#include "actors/run_recorder.hpp"

#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto batch_size = size_t{64} << 10;
constexpr auto stage_output_limit = size_t{64} << 10;
// All outputs of a run travel in one event.
constexpr auto run_output_limit = size_t{256} << 10;
constexpr auto note_limit = size_t{4} << 10;
constexpr auto stage_limit = size_t{1000};

std::string cut(std::string text, size_t limit) {
  if (text.size() > limit)
    text.resize(limit);
  return text;
}

} // namespace

run_recorder::run_recorder(run_key run, std::shared_ptr<artifact_writer> store,
                           std::shared_ptr<log_flusher> flusher,
                           std::function<void(stage_report)> on_stage, std::stop_token stop)
  : run_{run}, store_{std::move(store)}, flusher_{std::move(flusher)},
    on_stage_{std::move(on_stage)}, stop_{std::move(stop)} {}

void run_recorder::stage_started(std::string_view name) {
  cut_off(reason::internal_error);
  auto started = stage_report{run_.job, run_.run_id, {}};
  {
    auto guard = std::lock_guard{mutex_};
    if (stages_.size() >= stage_limit)
      return;
    started.step.name = cut(mask_.apply(name), longest_stage_name);
    started.step.started_at = now();
    stages_.push_back(started.step);
    is_open_ = true;
    log_name_ = log_namer_.next(started.step.name);
    offset_ = 0;
  }
  on_stage_(std::move(started));
}

void run_recorder::output(std::string_view bytes) {
  auto guard = std::lock_guard{mutex_};
  if (is_open_)
    keep(mask_.feed(bytes));
}

void run_recorder::stage_finished(stage what) {
  auto ended = stage_report{run_.job, run_.run_id, {}};
  {
    auto guard = std::lock_guard{mutex_};
    if (!is_open_)
      return;
    keep(mask_.flush());
    auto& open = stages_.back();
    what.name = open.name;
    what.finished = true;
    what.started_at = open.started_at;
    what.finished_at = now();
    what.note = cut(mask_.apply(what.note), note_limit);
    what.output =
      cut(mask_.apply(what.output), std::min(stage_output_limit, run_output_limit - output_kept_));
    output_kept_ += what.output.size();
    close_log(what);
    open = std::move(what);
    is_open_ = false;
    ended.step = open;
  }
  on_stage_(std::move(ended));
}

void run_recorder::mask(std::string_view secret) {
  auto guard = std::lock_guard{mutex_};
  mask_.add(secret);
}

void run_recorder::artifact(std::string_view name, std::string_view bytes) {
  auto guard = std::lock_guard{mutex_};
  // Names like those of logs are moved out of their way.
  auto own = std::string{name};
  if (own.find('/') == std::string::npos && own.size() > 4 && own.substr(own.size() - 4) == ".log")
    own = "files/" + own;
  // A store that has refused once is not waited for again, file after file.
  if (!lost_.empty() || names_.size() >= 2 * stage_limit || !names_.insert(own).second)
    return;
  auto fault = store_file(key_of(own), bytes);
  if (!fault)
    return;
  auto code = explain(fault).code;
  if (code != ec::too_large && code != ec::invalid_argument)
    return lose(fault);
  log(log_level::info, "run_recorder", "an artifact was refused",
      {{"job", to_string(run_.job)}, {"artifact", own}, {"why", one_line(fault)}});
}

void run_recorder::flush_now() {
  auto guard = std::lock_guard{mutex_};
  is_watched_ = false;
  write_buffer();
}

run_report run_recorder::finish(run_outcome outcome) {
  cut_off(outcome.why == reason::none ? reason::internal_error : outcome.why);
  auto guard = std::lock_guard{mutex_};
  auto out = run_report{run_.job, run_.run_id, outcome.result, outcome.why, {}, {}};
  out.note = cut(mask_.apply(outcome.note), note_limit);
  // A verdict without its log is worth a repetition; what ended for another reason is not.
  auto is_verdict =
    out.result == verdict::pass || out.result == verdict::fail || out.result == verdict::neutral;
  if (!lost_.empty() && is_verdict) {
    out.result = verdict::error;
    out.why = reason::exec_infra;
    out.note = "the log could not be stored: " + lost_;
  }
  out.stages = std::move(stages_);
  out.spend = outcome.spend;
  out.data = mask_.apply(outcome.data);
  return out;
}

void run_recorder::cut_off(reason why) {
  if (!is_open_)
    return;
  auto end = stage{};
  end.why = why;
  stage_finished(std::move(end));
}

void run_recorder::keep(std::string_view shown) {
  while (!shown.empty()) {
    auto n = std::min(batch_size - buffer_.size(), shown.size());
    buffer_.append(shown.substr(0, n));
    shown.remove_prefix(n);
    if (buffer_.size() >= batch_size)
      write_buffer();
  }
  if (!buffer_.empty() && !std::exchange(is_watched_, true))
    flusher_->flush_later(weak_from_this());
}

void run_recorder::write_buffer() {
  if (buffer_.empty())
    return;
  auto what = write_artifact{key_of(log_name_), offset_, std::exchange(buffer_, {}), true};
  if (!lost_.empty())
    return;
  auto next = store_->write(what, stop_);
  if (next)
    offset_ = *next;
  else
    lose(next.error());
}

void run_recorder::close_log(stage& of) {
  write_buffer();
  if (offset_ == 0 || !lost_.empty())
    return;
  auto ref = store_->close({key_of(log_name_)}, stop_);
  if (ref)
    of.log = std::move(*ref);
  else
    lose(ref.error());
}

void run_recorder::lose(const caf::error& why) {
  if (!lost_.empty())
    return;
  lost_ = one_line(why);
  log(log_level::warning, "run_recorder", "bytes of a run could not be stored",
      {{"job", to_string(run_.job)}, {"run", run_.run_id}, {"why", lost_}});
}

caf::error run_recorder::store_file(const artifact_key& key, std::string_view bytes) {
  constexpr auto piece = size_t{256} << 10;
  auto offset = uint64_t{0};
  do {
    auto next =
      store_->write({key, offset, std::string{bytes.substr(offset, piece)}, false}, stop_);
    if (!next)
      return std::move(next.error());
    offset = *next;
  } while (offset < bytes.size());
  auto ref = store_->close({key}, stop_);
  return ref ? caf::error{} : std::move(ref.error());
}

artifact_key run_recorder::key_of(std::string name) const {
  return {run_.job, run_.run_id, std::move(name)};
}

} // namespace troupe
