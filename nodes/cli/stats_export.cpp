#include "nodes/cli/stats_export.hpp"

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <sqlite3.h>

#include <cstdio>
#include <memory>
#include <variant>

namespace troupe::cli {

namespace {

using column = std::variant<int64_t, double, std::string>;
using row = std::vector<column>;

constexpr auto work_columns =
  "distributed INTEGER, started INTEGER, processed INTEGER, failed INTEGER, retried INTEGER, "
  "dead INTEGER, canceled INTEGER, in_progress INTEGER, waiting INTEGER, spend_count INTEGER, "
  "spend_sum_s REAL, spend_min_s REAL, spend_max_s REAL, spend_avg_s REAL, spend_p50_s REAL, "
  "spend_p90_s REAL, spend_p99_s REAL, wait_avg_s REAL, wait_p50_s REAL, wait_p99_s REAL, "
  "last_seen TEXT";

/// One database file while it is written.
class export_file {
public:
  explicit export_file(std::string path) : path_{std::move(path)} {}
  ~export_file() {
    close();
    if (!kept_)
      std::remove(part_.c_str());
  }
  export_file(const export_file&) = delete;
  export_file& operator=(const export_file&) = delete;

  caf::error open() {
    if (sqlite3_open_v2(part_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr)
        != SQLITE_OK)
      return trouble();
    return run("BEGIN");
  }

  caf::error run(const std::string& sql) {
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? caf::error{}
                                                                                  : trouble();
  }

  caf::error insert(const std::string& table, const std::vector<row>& rows) {
    if (rows.empty())
      return {};
    auto sql = "INSERT INTO " + table + " VALUES (?";
    for (auto i = size_t{1}; i < rows[0].size(); ++i)
      sql += ",?";
    auto raw = static_cast<sqlite3_stmt*>(nullptr);
    if (sqlite3_prepare_v2(db_, (sql + ")").c_str(), -1, &raw, nullptr) != SQLITE_OK)
      return trouble();
    auto statement =
      std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>{raw, sqlite3_finalize};
    for (const auto& x : rows) {
      for (auto i = size_t{0}; i < x.size(); ++i)
        bind(raw, static_cast<int>(i) + 1, x[i]);
      if (sqlite3_step(raw) != SQLITE_DONE)
        return trouble();
      sqlite3_reset(raw);
    }
    return {};
  }

  /// Puts the file in its place.
  caf::error finish() {
    if (auto why = run("COMMIT"))
      return why;
    close();
    kept_ = std::rename(part_.c_str(), path_.c_str()) == 0;
    return kept_ ? caf::error{} : fault_at(ec::invalid_argument, path_, "cannot be written");
  }

private:
  static void bind(sqlite3_stmt* to, int at, const column& x) {
    if (const auto* number = std::get_if<int64_t>(&x))
      sqlite3_bind_int64(to, at, *number);
    else if (const auto* real = std::get_if<double>(&x))
      sqlite3_bind_double(to, at, *real);
    else if (const auto& text = std::get<std::string>(x); text.empty())
      sqlite3_bind_null(to, at);
    else
      sqlite3_bind_text(to, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }

  caf::error trouble() const {
    return fault_at(ec::invalid_argument, path_, db_ ? sqlite3_errmsg(db_) : "cannot be written");
  }

  void close() {
    sqlite3_close(std::exchange(db_, nullptr));
  }

  std::string path_;
  std::string part_ = path_ + "." + random_token().substr(0, 8) + ".part";
  sqlite3* db_ = nullptr;
  bool kept_ = false;
};

int64_t whole(uint64_t x) {
  return static_cast<int64_t>(x);
}

row work_row_of(const std::string& name, const work_report& x) {
  return {name,
          whole(x.distributed),
          whole(x.started),
          whole(x.processed),
          whole(x.failed),
          whole(x.retried),
          whole(x.dead),
          whole(x.canceled),
          whole(x.in_progress),
          whole(x.waiting),
          whole(x.spend.count),
          x.spend.sum_s,
          x.spend.min_s,
          x.spend.max_s,
          x.spend.avg_s,
          x.spend.p50_s,
          x.spend.p90_s,
          x.spend.p99_s,
          x.wait.avg_s,
          x.wait.p50_s,
          x.wait.p99_s,
          to_iso8601(x.last_seen)};
}

std::vector<row> counter_rows(const statistics_report& x) {
  return {
    {"generated", whole(x.generated)},       {"distributed", whole(x.distributed)},
    {"started", whole(x.started)},           {"processed", whole(x.processed)},
    {"in_progress", whole(x.in_progress)},   {"failed", whole(x.failed)},
    {"retried", whole(x.retried)},           {"dead", whole(x.dead)},
    {"canceled", whole(x.canceled)},         {"spend_count", whole(x.spend.count)},
    {"spend_sum_s", x.spend.sum_s},          {"spend_min_s", x.spend.min_s},
    {"spend_max_s", x.spend.max_s},          {"spend_avg_s", x.spend.avg_s},
    {"spend_p50_s", x.spend.p50_s},          {"spend_p90_s", x.spend.p90_s},
    {"spend_p99_s", x.spend.p99_s},          {"objects_completed", whole(x.objects.completed)},
    {"objects_open", whole(x.objects.open)}, {"objects_wall_avg_s", x.objects.wall_avg_s},
    {"sequence", whole(x.sequence)},         {"since", to_iso8601(x.since)},
  };
}

caf::error write_groups(export_file& to, const statistics_report& what) {
  const auto all = std::vector<std::pair<std::string, const std::map<std::string, work_report>*>>{
    {"kinds", &what.kinds},
    {"queues", &what.queues},
    {"runners", &what.runners},
    {"packages", &what.packages}};
  for (const auto& [table, groups] : all) {
    auto rows = std::vector<row>{};
    for (const auto& [name, x] : *groups)
      rows.push_back(work_row_of(name, x));
    if (auto why =
          to.run("CREATE TABLE " + table + " (name TEXT PRIMARY KEY, " + work_columns + ")"))
      return why;
    if (auto why = to.insert(table, rows))
      return why;
  }
  return {};
}

/// Verdicts and reasons of kinds, one row each.
caf::error write_outcomes(export_file& to, const statistics_report& what) {
  auto rows = std::vector<row>{};
  for (const auto& [kind, x] : what.kinds) {
    for (const auto& [word, count] : x.results)
      rows.push_back({kind, std::string{"result"}, word, whole(count)});
    for (const auto& [word, count] : x.reasons)
      rows.push_back({kind, std::string{"reason"}, word, whole(count)});
  }
  if (auto why = to.run("CREATE TABLE outcomes (kind TEXT, what TEXT, word TEXT, count INTEGER)"))
    return why;
  return to.insert("outcomes", rows);
}

caf::error write_processors(export_file& to, const statistics_report& what) {
  auto rows = std::vector<row>{};
  for (const auto& [name, x] : what.processors)
    rows.push_back({name, whole(x.processed), whole(x.failed), x.busy_s, to_iso8601(x.last_seen)});
  if (auto why = to.run("CREATE TABLE processors (name TEXT PRIMARY KEY, processed INTEGER, "
                        "failed INTEGER, busy_s REAL, last_seen TEXT)"))
    return why;
  return to.insert("processors", rows);
}

caf::error write_objects(export_file& to, const next_objects& objects) {
  if (auto why = to.run("CREATE TABLE objects (id INTEGER PRIMARY KEY, created_at TEXT, "
                        "tasks_total INTEGER, tasks_done INTEGER, tasks_dead INTEGER, "
                        "completed_at TEXT, wall_s REAL)"))
    return why;
  for (;;) {
    auto page = objects();
    if (!page)
      return std::move(page.error());
    if (page->empty())
      return {};
    auto rows = std::vector<row>{};
    for (const auto& x : *page)
      rows.push_back({whole(x.id), to_iso8601(x.created_at), int64_t{x.tasks_total},
                      int64_t{x.tasks_done}, int64_t{x.tasks_dead}, to_iso8601(x.completed_at),
                      x.wall_s});
    if (auto why = to.insert("objects", rows))
      return why;
  }
}

} // namespace

caf::error export_statistics(const std::string& path, const statistics_report& what,
                             const next_objects& objects) {
  auto to = export_file{path};
  if (auto why = to.open())
    return why;
  if (auto why = to.run("CREATE TABLE statistics (name TEXT PRIMARY KEY, value)"))
    return why;
  if (auto why = to.insert("statistics", counter_rows(what)))
    return why;
  if (auto why = write_groups(to, what))
    return why;
  if (auto why = write_outcomes(to, what))
    return why;
  if (auto why = write_processors(to, what))
    return why;
  if (auto why = write_objects(to, objects))
    return why;
  return to.finish();
}

} // namespace troupe::cli
