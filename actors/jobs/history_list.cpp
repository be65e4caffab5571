#include "actors/jobs/history_index.hpp"
#include "actors/jobs/history_keys.hpp"

#include <algorithm>

/// Lists of jobs: the narrowest index gives candidates, the filters decide.
namespace troupe {

using namespace history_keys;

namespace {

constexpr auto most_limit = uint32_t{1000};
constexpr auto most_looks = size_t{4000}; ///< Jobs looked at for one page.
constexpr auto most_page_bytes = size_t{4} << 20;

bool matches(const job_view& job, const list_jobs& query) {
  auto same = [](const std::string& asked, const std::string& is) {
    return asked.empty() || asked == is;
  };
  return (!query.state || *query.state == job.state)
         && (!query.result || *query.result == job.result) && same(query.kind, job.kind)
         && same(query.queue, job.queue) && same(query.subject, job.subject)
         && same(query.owner, job.owner)
         && std::all_of(query.tags.begin(), query.tags.end(), [&](const auto& tag) {
              auto i = job.tags.find(tag.first);
              return i != job.tags.end() && i->second == tag.second;
            });
}

/// The part of the table whose keys end with (or, for rows, hold) the candidates.
struct candidates {
  std::string prefix;
  bool rows = false;
};

candidates candidates_for(const list_jobs& query) {
  if (!query.subject.empty())
    return {"s" + query.subject + '\0', false};
  if (query.result)
    return {std::string{'v', static_cast<char>(*query.result)}, false};
  if (query.state && *query.state != job_state::finished)
    return {"l", false};
  return {"e", true};
}

} // namespace

/// Visits the candidates older than the cursor, newest first, each once.
caf::error history_index::visit_newest(const list_jobs& query, const std::string& cursor,
                                       const std::function<bool(const job_id&)>& visit) const {
  auto from = candidates_for(query);
  auto to = from.prefix + (cursor.empty() ? std::string(17, '\xFF') : cursor);
  auto last = job_id{};
  return table_->scan({from.prefix, to, true}, [&](std::string_view key, std::string_view) {
    auto job = from.rows ? job_in_row(key) : job_at_end(key);
    if (job == last)
      return true;
    last = job;
    return visit(job);
  });
}

caf::expected<job_page> history_index::list(const list_jobs& query) const {
  auto cursor = std::string{};
  if (!query.cursor.empty()) {
    auto id = parse_job_id(query.cursor);
    if (!id)
      return fault_at(ec::invalid_argument, "cursor", "must be one that a page was answered with");
    cursor = bytes_of(*id);
  }
  if (query.limit < 1 || query.limit > most_limit)
    return fault_at(ec::invalid_argument, "limit", "must be within 1..1000");
  auto out = job_page{};
  auto why = caf::error{};
  auto last = job_id{};
  auto more = false;
  auto looks = size_t{0};
  auto bytes = size_t{0};
  auto scan_fault = visit_newest(query, cursor, [&](const job_id& id) {
    more = out.jobs.size() >= query.limit || looks >= most_looks || bytes >= most_page_bytes;
    if (more)
      return false;
    ++looks;
    last = id;
    auto job = fold(id);
    if (!job) {
      why = std::move(job.error());
      return explain(why).code == ec::not_found;
    }
    if (!matches(*job, query))
      return true;
    for (auto& x : job->runs)
      x.stages.clear();
    bytes += job->spec.size() + 512;
    out.jobs.push_back(std::move(*job));
    return true;
  });
  if (scan_fault)
    return scan_fault;
  if (why && explain(why).code != ec::not_found)
    return why;
  if (more)
    out.next = to_string(last);
  return out;
}

} // namespace troupe
