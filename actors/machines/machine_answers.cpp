#include "actors/machines/machine_table.hpp"

#include <algorithm>
#include <charconv>
#include <queue>

/// What the table answers.
namespace troupe {

namespace {

constexpr auto most_sightings = uint32_t{1'000'000};
constexpr auto most_on_page = uint32_t{1000};
constexpr auto most_tallies = size_t{256};

caf::error bad_token() {
  return fault_at(ec::invalid_argument, "continuationToken", "was not given out by this list");
}

caf::expected<uint32_t> checked_limit(uint32_t limit) {
  if (limit < 1 || limit > most_on_page)
    return fault_at(ec::invalid_argument, "limit", "must be from 1 to 1000");
  return limit;
}

/// Where a page ended: "<ns>,<id>".
struct page_end {
  int64_t seen = 0;
  std::string_view id;
};

std::string to_token(int64_t seen, std::string_view id) {
  return std::to_string(seen) + ',' + std::string{id};
}

std::optional<page_end> parse_token(std::string_view token) {
  auto out = page_end{};
  const auto* last = token.data() + token.size();
  auto [end, why] = std::from_chars(token.data(), last, out.seen);
  if (why != std::errc{} || end == last || *end != ',')
    return std::nullopt;
  out.id = token.substr(static_cast<size_t>(end - token.data()) + 1);
  return split_machine_id(out.id) ? std::optional{out} : std::nullopt;
}

std::string to_hex(std::string_view bytes) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto out = std::string{};
  for (unsigned char c : bytes)
    out.append(1, digits[c >> 4]).append(1, digits[c & 15]);
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  auto out = std::string{};
  if (text.size() % 2 != 0)
    return std::nullopt;
  for (auto i = size_t{0}; i < text.size(); i += 2) {
    auto byte = uint8_t{0};
    auto [end, why] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (why != std::errc{} || end != text.data() + i + 2)
      return std::nullopt;
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

bool is_in(const machine_row& row, std::string_view datacenter) {
  return row.id.size() > datacenter.size() && row.id[datacenter.size()] == ':'
         && row.id.starts_with(datacenter);
}

bool fits(machine_filter wanted, const machine_condition& is) {
  switch (wanted) {
    case machine_filter::any: return true;
    case machine_filter::busy: return is.state == machine_state::busy;
    case machine_filter::idle: return is.state == machine_state::idle;
    case machine_filter::lost: return is.state == machine_state::lost;
    case machine_filter::shutdown: return is.state == machine_state::shutdown;
    case machine_filter::unknown: return is.state == machine_state::unknown;
    case machine_filter::quarantined: return is.quarantined;
    case machine_filter::stale: return is.stale;
    case machine_filter::overdue: return is.overdue;
    case machine_filter::suspect: return is.suspect;
    case machine_filter::missing: return is.missing;
  }
  return false;
}

/// What a list asks for, ready to be asked of each row.
struct row_filter {
  const list_machines& what;
  caf::timestamp now;
  machine_ages ages;
  shared_word type;
  shared_word provisioner;

  bool operator()(const machine_row& row) const {
    auto missing = what.state == machine_filter::missing;
    if (!missing && !row.heard() && row.more().quarantine_at == never)
      return false; // one that is only expected
    if (!what.datacenter.empty() && !is_in(row, what.datacenter))
      return false;
    if (!what.worker_type.empty() || !what.provisioner.empty()) {
      auto served = [&](const served_type& x) {
        return (what.worker_type.empty() || x.type == type)
               && (what.provisioner.empty() || x.provisioner == provisioner);
      };
      const auto& others = row.more().types;
      if (!served(row.type) && std::none_of(others.begin(), others.end(), served))
        return false;
    }
    if (what.seen_before != never && !(row.seen < what.seen_before))
      return false;
    if (what.seen_after != never && !(row.seen > what.seen_after))
      return false;
    if (what.state == machine_filter::any && !what.quarantined && what.stale_for.count() == 0)
      return true;
    auto is = condition_of(row, now, ages);
    return fits(what.state, is) && (!what.quarantined || *what.quarantined == is.quarantined)
           && (what.stale_for.count() == 0 || is.stale);
  }
};

void add(machine_tally& to, const machine_condition& is) {
  if (is.missing) {
    ++to.missing;
    return;
  }
  ++to.total;
  to.busy += is.state == machine_state::busy;
  to.idle += is.state == machine_state::idle;
  to.lost += is.state == machine_state::lost;
  to.shutdown += is.state == machine_state::shutdown;
  to.unknown += is.state == machine_state::unknown;
  to.stale += is.stale;
  to.overdue += is.overdue;
  to.suspect += is.suspect;
  to.quarantined += is.quarantined;
}

void add(machine_tally& to, const machine_tally& x) {
  for (auto member : {&machine_tally::total, &machine_tally::busy, &machine_tally::idle,
                      &machine_tally::lost, &machine_tally::shutdown, &machine_tally::unknown,
                      &machine_tally::stale, &machine_tally::overdue, &machine_tally::suspect,
                      &machine_tally::quarantined, &machine_tally::missing})
    to.*member += x.*member;
}

} // namespace

sighting_list machine_table::sightings(const list_sightings& what) const {
  auto out = sighting_list{};
  auto most = std::clamp(what.limit, uint32_t{1}, most_sightings);
  const auto& all = rows_.by_id();
  out.machines.reserve(std::min<size_t>(most, all.size()));
  for (auto i = all.upper_bound(what.after); i != all.end(); ++i) {
    const auto& row = rows_.at(i->second);
    if (row.seen == never)
      continue;
    if (out.machines.size() == most) {
      out.next = out.machines.back().id;
      break;
    }
    out.machines.push_back(
      {std::string{row.id}, row.seen, words_.text(row.status), std::string{row.task.view()}});
  }
  return out;
}

caf::expected<machine_page> machine_table::list(const list_machines& what,
                                                caf::timestamp now) const {
  auto limit = checked_limit(what.limit);
  if (!limit)
    return std::move(limit.error());
  auto ages = limits_.ages;
  if (what.stale_for.count() > 0)
    ages.stale_after = what.stale_for;
  auto filter =
    row_filter{what, now, ages, words_.find(what.worker_type), words_.find(what.provisioner)};
  auto found = std::vector<machine_rows::place>{};
  auto most = size_t{*limit} + 1; // one more tells whether there is a next page
  if (what.order == machine_order::id) {
    const auto& all = rows_.by_id();
    for (auto i = all.upper_bound(what.after); i != all.end() && found.size() < most; ++i)
      if (filter(rows_.at(i->second)))
        found.push_back(i->second);
  } else {
    auto from = std::optional<page_end>{};
    if (!what.after.empty() && !(from = parse_token(what.after)))
      return bad_token();
    const auto& seen = rows_.seen();
    auto newest = what.order == machine_order::newest;
    // By age, of equal age by id.
    auto before = [&](int64_t a, std::string_view a_id, int64_t b, std::string_view b_id) {
      return a != b ? (newest ? a > b : a < b) : a_id < b_id;
    };
    auto earlier = [&](machine_rows::place a, machine_rows::place b) {
      return before(seen[a], rows_.at(a).id, seen[b], rows_.at(b).id);
    };
    for (auto x = machine_rows::place{0}; x < seen.size(); ++x) {
      // Most do not pass these two, which look at nothing else.
      if (from && (newest ? seen[x] > from->seen : seen[x] < from->seen))
        continue;
      if (found.size() == most
          && (newest ? seen[x] < seen[found.front()] : seen[x] > seen[found.front()]))
        continue;
      const auto& row = rows_.at(x);
      if (row.empty() || (from && !before(from->seen, from->id, seen[x], row.id))
          || (found.size() == most && !earlier(x, found.front())) || !filter(row))
        continue;
      if (found.size() == most) {
        std::pop_heap(found.begin(), found.end(), earlier);
        found.pop_back();
      }
      found.push_back(x);
      std::push_heap(found.begin(), found.end(), earlier);
    }
    std::sort_heap(found.begin(), found.end(), earlier);
  }
  auto out = machine_page{};
  if (found.size() == most) {
    found.pop_back();
    const auto& last = rows_.at(found.back());
    out.next = what.order == machine_order::id
                 ? std::string{last.id}
                 : to_token(last.seen.time_since_epoch().count(), last.id);
  }
  auto recent = std::min<size_t>(what.recent, recent_machine_tasks);
  for (auto x : found) {
    auto view = view_of(rows_.at(x), now, ages, recent);
    if (!view)
      return std::move(view.error());
    out.machines.push_back(std::move(*view));
  }
  return out;
}

caf::expected<machine_view> machine_table::find(std::string_view id, caf::timestamp now) const {
  auto where = rows_.find(id);
  if (where == machine_rows::nowhere
      || (!rows_.at(where).heard() && rows_.at(where).more().quarantine_at == never))
    return fault(ec::not_found, "unknown machine");
  return view(id, now);
}

caf::expected<machine_view> machine_table::view(std::string_view id, caf::timestamp now) const {
  auto where = rows_.find(id);
  if (where == machine_rows::nowhere)
    return fault(ec::not_found, "unknown machine");
  auto out = view_of(rows_.at(where), now, limits_.ages, recent_machine_tasks);
  if (!out)
    return out;
  auto stored = table_->get(machine_keys::details(id));
  if (!stored)
    return std::move(stored.error());
  if (*stored)
    if (auto read = decode<quarantine_history>(**stored))
      out->quarantine_details = std::move(read->details);
  return out;
}

caf::expected<machine_view> machine_table::view_of(const machine_row& row, caf::timestamp now,
                                                   const machine_ages& ages, size_t recent) const {
  auto out = machine_view{};
  auto parts = split_machine_id(row.id);
  out.id = row.id;
  out.datacenter = parts->first;
  out.machine = parts->second;
  auto add_type = [&](const served_type& x) {
    const auto& type = words_.text(x.type);
    auto& all = out.worker_types;
    if (!type.empty() && std::find(all.begin(), all.end(), type) == all.end())
      all.push_back(type);
    if (out.provisioner.empty())
      out.provisioner = words_.text(x.provisioner);
  };
  add_type(row.type);
  for (const auto& x : row.more().types)
    add_type(x);
  out.firstseen = row.first;
  out.lastseen = row.seen;
  out.lastmessage = row.message;
  auto is = condition_of(row, now, ages);
  out.state = is.state;
  out.stale = is.stale;
  out.overdue = is.overdue;
  out.suspect = is.suspect;
  out.quarantined = is.quarantined;
  out.missing = is.missing;
  out.expected = row.expected;
  out.laststatus = words_.text(row.status);
  out.lasttaskid = row.task.view();
  if (!row.task.empty() && row.status_rank > 0)
    out.lastrunid = row.run;
  out.takenuntil = row.taken_until;
  out.counts.running = row.running;
  out.counts.completed = row.completed;
  out.counts.failed = row.failed;
  auto ended = uint64_t{row.completed} + row.failed;
  for (const auto& x : row.more().exceptions) {
    const auto& reason = words_.text(x.reason);
    out.counts.exception[reason] = x.runs;
    if (blames_machine(reason))
      ended += x.runs;
  }
  if (ended > 0)
    out.success_rate = static_cast<double>(row.completed) / static_cast<double>(ended);
  out.quarantine_until = row.more().quarantine_until;
  auto last = std::max(row.seen, row.message);
  if (limits_.keep_for > caf::timespan{0} && last != never && !row.expected)
    out.expires = last < far_future - limits_.keep_for ? last + limits_.keep_for : far_future;
  if (!row.has_history())
    return out;
  if (row.failed > 0 || !row.more().exceptions.empty()) {
    auto streaks = read_streaks(*table_, row.id);
    if (!streaks)
      return std::move(streaks.error());
    out.consecutive_failures = streaks->failures;
    out.consecutive_exceptions = streaks->exceptions;
  }
  if (recent > 0) {
    auto runs = read_runs(*table_, row.id, {}, recent);
    if (!runs)
      return std::move(runs.error());
    out.recent = std::move(runs->tasks);
  }
  return out;
}

caf::expected<machine_task_page> machine_table::tasks(const list_machine_tasks& what) const {
  auto limit = checked_limit(what.limit);
  if (!limit)
    return std::move(limit.error());
  auto after = from_hex(what.after);
  if (!after)
    return bad_token();
  if (auto x = rows_.find(what.id); x == machine_rows::nowhere || !rows_.at(x).heard())
    return fault(ec::not_found, "unknown machine");
  auto runs = read_runs(*table_, what.id, *after, *limit);
  if (!runs)
    return std::move(runs.error());
  return machine_task_page{std::move(runs->tasks), to_hex(runs->next)};
}

machine_summary machine_table::summary(const summarize_machines& what, caf::timestamp now) const {
  auto ages = limits_.ages;
  if (what.stale_for.count() > 0)
    ages.stale_after = what.stale_for;
  auto out = machine_summary{};
  auto at = std::map<std::pair<std::string_view, shared_word>, size_t>{};
  for (const auto& [id, where] : rows_.by_id()) {
    const auto& row = rows_.at(where);
    auto is = condition_of(row, now, ages);
    auto datacenter = id.substr(0, id.find(':'));
    auto type = row.type.type;
    auto [i, fresh] = at.try_emplace({datacenter, type}, out.rows.size());
    if (fresh) {
      auto& tally = out.rows.emplace_back();
      tally.datacenter = datacenter;
      tally.worker_type = words_.text(type);
    }
    add(out.rows[i->second], is);
  }
  for (const auto& x : out.rows)
    add(out.total, x);
  std::sort(out.rows.begin(), out.rows.end(), [](const auto& a, const auto& b) {
    return std::tie(a.datacenter, a.worker_type) < std::tie(b.datacenter, b.worker_type);
  });
  return out;
}

machine_counters machine_table::counters(caf::timestamp now) const {
  auto out = counts_;
  out.machines = rows_.size();
  out.sequence = mark_.sequence;
  out.rows = std::move(summary({}, now).rows);
  if (out.rows.size() <= most_tallies)
    return out;
  auto other = machine_tally{};
  other.datacenter = other.worker_type = "other";
  for (auto i = most_tallies - 1; i < out.rows.size(); ++i)
    add(other, out.rows[i]);
  out.rows.resize(most_tallies - 1);
  out.rows.push_back(std::move(other));
  return out;
}

} // namespace troupe
