#include "actors/machines/machine_fold.hpp"

#include <algorithm>
#include <tuple>

namespace troupe {

namespace {

caf::timestamp first_said(caf::timestamp a, caf::timestamp b) {
  return a != never ? a : b;
}

/// The queue or a person ended the run; the worker need not have been there.
bool says_nothing_of_worker(std::string_view reason) {
  return reason == "deadline-exceeded" || reason == "canceled" || reason == "superseded";
}

/// The worker itself says so. A reason that is not known says nothing.
bool said_by_worker(std::string_view reason) {
  return reason == "malformed-payload" || reason == "internal-error"
         || reason == "resource-unavailable" || reason == "intermittent-task";
}

void raise(caf::timestamp& to, caf::timestamp x) {
  to = std::max(to, x);
}

/// Takes the word about a run with the greatest (time, rank, task, run, text).
void fold_status(machine_row& row, word_list& words, const machine_seen& x) {
  auto rank = static_cast<uint8_t>(x.kind);
  auto imported = x.kind >= machine_sign::imported;
  if (imported) {
    rank = 0;
    if (x.state.empty() && x.task.empty())
      return;
  }
  if (x.at < row.status_at)
    return;
  auto status = status_of(x);
  if (x.at == row.status_at
      && std::tuple{rank, std::string_view{x.task}, x.run, std::string_view{status}} <= std::tuple{
           row.status_rank, row.task.view(), row.run, std::string_view{words.text(row.status)}})
    return;
  row.status_at = x.at;
  row.status_rank = rank;
  row.status = words.of(status);
  row.task.assign(x.task);
  row.run = x.run;
}

/// Takes the latest run, and all that is said of it.
void fold_run(machine_row& row, const machine_seen& x, const sign_meaning& what) {
  auto key = run_digest(x.task, x.run);
  auto is = std::tie(what.begin, key);
  auto known = std::tie(row.run_begin, row.run_key);
  if (row.phase != run_phase::none && is < known)
    return;
  if (row.phase == run_phase::none || known < is) {
    row.run_begin = what.begin;
    row.run_key = key;
    row.phase = run_phase::none;
    row.run_signs = 0;
    row.taken_until = row.deadline = never;
    if (row.more().lost_since != never)
      row.change_more().lost_since = never;
  }
  row.phase = std::max(row.phase, what.phase);
  row.run_signs = static_cast<uint16_t>(row.run_signs | 1U << static_cast<unsigned>(x.kind));
  raise(row.taken_until, x.taken_until);
  raise(row.deadline, x.deadline);
  if (what.lost_since > row.more().lost_since)
    row.change_more().lost_since = what.lost_since;
}

/// Keeps the latest types; one that had to go cannot come back with an older time.
void fold_type(machine_row& row, word_list& words, const machine_seen& x) {
  if ((x.worker_type.empty() && x.provisioner.empty()) || x.at == never)
    return;
  auto is = served_type{words.of(x.worker_type), words.of(x.provisioner), x.at};
  auto same = [&](const served_type& y) {
    return y.type == is.type && y.provisioner == is.provisioner;
  };
  if (row.type.at == never) {
    row.type = is;
    return;
  }
  if (same(row.type)) {
    raise(row.type.at, is.at);
    return;
  }
  auto order = [&](const served_type& y) {
    return std::tuple{y.at, std::string_view{words.text(y.type)},
                      std::string_view{words.text(y.provisioner)}};
  };
  auto& all = row.change_more().types;
  auto i = std::find_if(all.begin(), all.end(), same);
  if (i == all.end())
    i = all.insert(all.end(), is);
  raise(i->at, is.at);
  if (order(row.type) < order(*i))
    std::swap(row.type, *i);
  std::sort(all.begin(), all.end(),
            [&](const auto& a, const auto& b) { return order(b) < order(a); });
  if (all.size() >= most_types)
    all.resize(most_types - 1);
}

std::string_view outcome_reason(const run_finished& x) {
  return name_of(x.why);
}

/// Host part of a runner's id: a colon ends the datacenter.
std::string host_of(std::string name) {
  std::replace_if(
    name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == ':' || c == 0x7f; },
    '-');
  return name;
}

template <class Run>
machine_seen own_sign(const Run& x, caf::timestamp at, std::string_view datacenter) {
  auto out = machine_seen{};
  out.machine = to_machine_id(datacenter, host_of(x.runner));
  out.at = at;
  out.task = to_string(x.job);
  out.run = x.run_id;
  out.provisioner = datacenter;
  out.worker_type = x.queue;
  out.source = "jobs";
  return out;
}

} // namespace

sign_meaning meaning_of(const machine_seen& x) {
  auto out = sign_meaning{};
  switch (x.kind) {
    case machine_sign::running:
      out.alive = x.at;
      out.phase = run_phase::running;
      break;
    case machine_sign::completed:
    case machine_sign::failed:
      out.alive = x.at;
      out.phase = run_phase::ended;
      break;
    case machine_sign::exception:
      out.phase = run_phase::ended;
      if (x.reason == "claim-expired") {
        out.phase = run_phase::lost;
        out.lost_since = first_said(x.taken_until, x.at);
      } else if (x.reason == "worker-shutdown") {
        out.phase = run_phase::stopped;
        out.alive = out.down = x.at;
      } else if (said_by_worker(x.reason)) {
        out.alive = x.at;
      }
      break;
    case machine_sign::worker_running: out.alive = out.up = x.at; break;
    case machine_sign::worker_stopped:
    case machine_sign::worker_removed: out.down = x.at; break;
    case machine_sign::imported:
    case machine_sign::forced_import: out.alive = x.at; break;
    case machine_sign::worker_requested:
    case machine_sign::worker_error:
    default: break;
  }
  out.of_run = out.phase != run_phase::none && !x.task.empty();
  if (out.of_run)
    out.begin = first_said(x.started, x.at);
  return out;
}

std::string status_of(const machine_seen& x) {
  if (x.kind >= machine_sign::imported)
    return x.state;
  auto out = x.state.empty() ? std::string{"missing-state"} : x.state;
  out += '_';
  return out += x.reason.empty() ? "unresolved" : x.reason;
}

bool blames_machine(std::string_view reason) {
  return !says_nothing_of_worker(reason);
}

uint64_t run_digest(std::string_view task, uint32_t run) {
  // FNV-1a; std::hash may differ between nodes.
  auto out = uint64_t{14695981039346656037U};
  auto add = [&](unsigned char c) { out = (out ^ c) * 1099511628211U; };
  for (unsigned char c : task)
    add(c);
  for (auto i = 0; i < 4; ++i)
    add(static_cast<unsigned char>(run >> (8 * i)));
  return out;
}

bool surely_new(const machine_row& row, const machine_seen& x, const sign_meaning& what) {
  if (row.phase == run_phase::none || what.begin > row.run_begin)
    return true;
  return what.begin == row.run_begin && run_digest(x.task, x.run) == row.run_key
         && (row.run_signs & 1U << static_cast<unsigned>(x.kind)) == 0;
}

void fold(machine_row& row, word_list& words, const machine_seen& x, const sign_meaning& what) {
  if (what.alive != never) {
    row.first = row.first == never ? what.alive : std::min(row.first, what.alive);
    raise(row.seen, what.alive);
  }
  if (x.kind == machine_sign::forced_import) {
    row.seen = x.at;
    row.status_at = never;
  }
  if (x.kind < machine_sign::imported)
    raise(row.message, x.at);
  if (what.up > row.more().up_at)
    row.change_more().up_at = what.up;
  if (what.down > row.more().down_at)
    row.change_more().down_at = what.down;
  fold_type(row, words, x);
  if (what.of_run)
    fold_run(row, x, what);
  if (what.of_run || x.kind >= machine_sign::imported)
    fold_status(row, words, x);
}

void count(machine_row& row, word_list& words, machine_sign kind, std::string_view reason,
           int32_t by) {
  auto add = [by](uint32_t& to) { to = static_cast<uint32_t>(static_cast<int64_t>(to) + by); };
  if (kind == machine_sign::running)
    return add(row.running);
  if (kind == machine_sign::completed)
    return add(row.completed);
  if (kind == machine_sign::failed)
    return add(row.failed);
  auto which = words.of(reason.empty() ? "unknown" : reason);
  auto& all = row.change_more().exceptions;
  auto i = std::find_if(all.begin(), all.end(), [&](const auto& y) { return y.reason == which; });
  if (i == all.end())
    i = all.insert(all.end(), {which, 0});
  add(i->runs);
  if (i->runs == 0)
    all.erase(i);
}

machine_condition condition_of(const machine_row& row, caf::timestamp now,
                               const machine_ages& ages) {
  auto out = machine_condition{};
  const auto& more = row.more();
  auto lived_since = [&](caf::timestamp then) { return row.seen > then || more.up_at > then; };
  if (more.down_at != never && !lived_since(more.down_at))
    out.state = machine_state::shutdown;
  else if (row.phase == run_phase::lost && !lived_since(more.lost_since))
    out.state = machine_state::lost;
  else if (row.phase == run_phase::running)
    out.state = machine_state::busy;
  else if ((row.phase != run_phase::none && row.seen != never) || more.up_at != never)
    out.state = machine_state::idle;
  out.overdue =
    out.state == machine_state::busy && row.taken_until != never && now > row.taken_until;
  out.suspect =
    out.overdue
    && ((row.deadline != never && now > row.deadline) || row.run_begin < now - ages.longest_run);
  out.stale = row.heard() && first_said(row.seen, row.message) < now - ages.stale_after;
  out.quarantined = more.quarantine_until > now;
  out.missing = row.expected && !row.heard();
  return out;
}

machine_seen sign_of(const run_started& x, caf::timestamp at, std::string_view datacenter) {
  auto out = own_sign(x, at, datacenter);
  out.kind = machine_sign::running;
  out.state = "running";
  out.started = at;
  return out;
}

machine_seen sign_of(const run_finished& x, caf::timestamp at, std::string_view datacenter) {
  auto out = own_sign(x, at, datacenter);
  out.started = x.started_at;
  out.resolved = at;
  if (x.result == verdict::pass || x.result == verdict::neutral)
    out.kind = machine_sign::completed;
  else if (x.result == verdict::fail)
    out.kind = machine_sign::failed;
  else
    out.kind = machine_sign::exception;
  out.state = name_of(out.kind);
  out.reason = out.kind == machine_sign::exception ? std::string{outcome_reason(x)} : out.state;
  return out;
}

} // namespace troupe
