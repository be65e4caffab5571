#include "actors/jobs/history_index.hpp"

#include "actors/jobs/history_keys.hpp"
#include "actors/jobs/job_fold.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <unordered_set>

namespace troupe {

using namespace history_keys;

namespace {

/// Rows of unwanted jobs that are stepped over before seeking is cheaper.
constexpr auto most_steps = 32;

} // namespace

caf::error history_index::open() {
  auto got = table_->get(mark_key);
  if (!got)
    return std::move(got.error());
  if (!*got)
    return {};
  auto read = decode<history_mark>(**got);
  if (!read)
    return std::move(read.error());
  mark_ = *read;
  return {};
}

caf::error history_index::keep_mark() {
  return table_->write({{mark_key, encode(mark_)}});
}

void history_index::skip_to(uint64_t sequence) {
  mark_.sequence = std::max(mark_.sequence, sequence - 1);
}

caf::expected<std::vector<job_id>> history_index::apply(const event_batch& batch) {
  auto changes = table_changes{};
  auto next = mark_;
  auto changed = std::vector<job_id>{};
  auto seen = std::unordered_set<job_id>{};
  for (const auto& x : batch.events) {
    if (x.sequence <= next.sequence)
      continue;
    next.sequence = x.sequence;
    if (!x.what.topic.starts_with("job."))
      continue;
    apply_event(x, changes, next);
    if (auto job = job_of(x.what.payload); job && seen.insert(*job).second)
      changed.push_back(*job);
  }
  next.sequence = std::max(next.sequence, batch.next - 1);
  // Events of others move the mark only; it is written along with the next job event.
  if (!changes.empty()) {
    changes.emplace_back(mark_key, encode(next));
    if (auto why = table_->write(changes))
      return why;
  }
  mark_ = next;
  return changed;
}

void history_index::apply_event(const stored_event& x, table_changes& changes,
                                history_mark& mark) const {
  if (x.what.topic == ledger_opened::topic) {
    if (auto opened = unpack<ledger_opened>(x.what.payload))
      mark.epoch = std::max(mark.epoch, opened->epoch);
    changes.emplace_back(mark_key, std::string{}); // overwritten by the caller
    return;
  }
  if (x.epoch < mark.epoch)
    return;
  auto job = job_of(x.what.payload);
  if (!job) {
    log(log_level::error, "job_history", "job event cannot be read",
        {{"sequence", x.sequence}, {"topic", x.what.topic}});
    return;
  }
  changes.emplace_back(row(*job, x.sequence), encode(x));
  auto finished = [&](verdict result) {
    changes.emplace_back(live_key(*job), std::nullopt);
    changes.emplace_back(by_verdict(result, *job), std::string{});
    ++mark.finished;
  };
  if (x.what.topic == job_queued::topic) {
    changes.emplace_back(live_key(*job), std::string{});
    if (auto read = unpack<job_queued>(x.what.payload))
      changes.emplace_back(by_subject(read->what.subject, *job), std::string{});
  } else if (x.what.topic == run_finished::topic) {
    if (auto read = unpack<run_finished>(x.what.payload); read && read->final)
      finished(read->result);
  } else if (x.what.topic == job_closed::topic) {
    if (auto read = unpack<job_closed>(x.what.payload))
      finished(read->result);
  }
}

/// Visits the rows of `jobs` (ascending): one walk where they lie close together,
/// a seek where they do not.
caf::error history_index::visit_rows(std::span<const job_id> jobs, const visit_row& visit) const {
  auto at = jobs.begin();
  auto going_on = true;
  auto why = caf::error{};
  while (at != jobs.end() && going_on && !why) {
    auto steps = 0;
    auto step = [&](std::string_view key, std::string_view value) {
      auto job = job_in_row(key);
      while (at != jobs.end() && *at < job)
        ++at;
      if (at == jobs.end())
        return false;
      if (*at != job)
        return ++steps < most_steps;
      steps = 0;
      auto x = decode<stored_event>(value);
      if (!x) {
        why = std::move(x.error());
        return false;
      }
      going_on = visit(job, std::move(*x));
      return going_on;
    };
    auto last = rows_end(jobs.back());
    if (auto fault = table_->scan({row(*at, 0), last, false}, step))
      return fault;
    // The walk ended early at a gap (go on there), or at the end of all rows.
    if (at != jobs.end() && steps < most_steps)
      at = jobs.end();
  }
  return why;
}

caf::expected<job_view> history_index::fold(const job_id& job) const {
  auto out = job_view{};
  auto why = caf::error{};
  auto fault_of_scan = visit_rows(std::span{&job, 1}, [&](const job_id&, stored_event&& x) {
    why = troupe::apply(out, x);
    return !why;
  });
  if (fault_of_scan)
    return fault_of_scan;
  if (why)
    return why;
  if (!out.job)
    return fault(ec::not_found, "there is no job " + to_string(job));
  return out;
}

caf::expected<job_view> history_index::find(const job_id& job) const {
  return fold(job);
}

caf::expected<live_jobs> history_index::live(const read_live_jobs& query) const {
  constexpr auto most_jobs = uint32_t{4096};
  constexpr auto most_bytes = size_t{4} << 20;
  auto limit = std::clamp(query.max_jobs, uint32_t{1}, most_jobs);
  auto ids = std::vector<job_id>{};
  auto from = live_key(query.after) + '\0';
  if (auto why = table_->scan({from, live_end, false}, [&](std::string_view key, std::string_view) {
        ids.push_back(job_at_end(key));
        return ids.size() < limit;
      }))
    return why;
  auto out = live_jobs{};
  auto bytes = size_t{0};
  auto why = visit_rows(ids, [&](const job_id& job, stored_event&& x) {
    if (out.jobs.empty() || out.jobs.back().job != job) {
      if (bytes >= most_bytes)
        return false;
      out.jobs.push_back({job, {}});
    }
    if (x.what.topic != run_progressed::topic) {
      bytes += x.what.payload.size();
      out.jobs.back().events.push_back(std::move(x));
    }
    return true;
  });
  if (why)
    return why;
  return out;
}

caf::expected<size_t> history_index::retire(caf::timestamp before, uint64_t keep, size_t most) {
  auto ids = std::vector<job_id>{};
  auto from = retired_ ? rows_end(retired_) : row({}, 0);
  if (auto why =
        table_->scan({from, rows_last, false}, [&](std::string_view key, std::string_view) {
          auto job = job_in_row(key);
          if (ids.empty() || ids.back() != job) {
            if (ids.size() == most)
              return false;
            ids.push_back(job);
          }
          return true;
        }))
    return why;
  retired_ = ids.size() < most ? job_id{} : ids.back();
  auto next = mark_;
  auto changes = table_changes{};
  auto forgotten = size_t{0};
  for (const auto& id : ids) {
    auto sequences = std::vector<uint64_t>{};
    auto view = job_view{};
    if (auto why = visit_rows(std::span{&id, 1}, [&](const job_id&, stored_event&& x) {
          sequences.push_back(x.sequence);
          return !troupe::apply(view, x);
        }))
      return why;
    if (view.state != job_state::finished)
      continue; // an unfinished job stays, however old
    if (view.finished_at >= before && next.finished <= keep) {
      retired_ = {}; // what follows is younger
      break;
    }
    for (auto x : sequences)
      changes.emplace_back(row(id, x), std::nullopt);
    changes.emplace_back(by_subject(view.subject, id), std::nullopt);
    changes.emplace_back(by_verdict(view.result, id), std::nullopt);
    next.finished -= next.finished > 0 ? 1 : 0;
    ++forgotten;
  }
  if (forgotten == 0)
    return size_t{0};
  changes.emplace_back(mark_key, encode(next));
  if (auto why = table_->write(changes))
    return why;
  mark_ = next;
  return forgotten;
}

} // namespace troupe
