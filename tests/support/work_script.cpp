#include "tests/support/work_script.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

/// As the object pipeline writes it.
struct made_object {
  uint64_t id = 0;
  std::string name;
  std::string content;

  static constexpr auto type_name = "troupe::object";
  static constexpr auto fields = std::tuple{
    field{"id", &made_object::id},
    field{"name", &made_object::name},
    field{"content", &made_object::content},
  };
};

struct object_created {
  static constexpr auto topic = "object.created";
  made_object what;
  uint32_t tasks = 0;

  static constexpr auto type_name = "troupe::object_created";
  static constexpr auto fields = std::tuple{
    field{"object", &object_created::what},
    field{"tasks", &object_created::tasks},
  };
};

} // namespace

std::vector<stored_event> work_script::take(size_t count) {
  auto out = std::vector<stored_event>{};
  while (out.size() < count || !settled())
    out.push_back(next());
  return out;
}

stored_event work_script::next() {
  now_ += std::chrono::microseconds{random_() % 3'000};
  // Now and then something is told again that was told up to 2000 events ago.
  if (!told_.empty() && random_() % 1'000 < repeats_) {
    ++repeated;
    ++events;
    return {++sequence_, 0, now_, told_[random_() % told_.size()]};
  }
  while (due_.empty()) {
    auto dice = random_() % 100;
    if (jobs_.size() < 50 || (dice < 12 && jobs_.size() < 400))
      dice % 3 == 0 ? make_test() : make_object();
    else if (auto at = random_() % jobs_.size(); dice < 60 && !jobs_[at].running)
      start(jobs_[at]);
    else if (jobs_[at].running)
      finish(at);
    else if (dice > 97)
      close(at);
  }
  auto out = std::move(due_.front());
  due_.pop_front();
  told_.push_back(out);
  if (told_.size() > 2'000)
    told_.pop_front();
  ++events;
  return {++sequence_, 0, now_, std::move(out)};
}

void work_script::make_object() {
  ++objects;
  auto made = object_created{{objects, "lorem", "ipsum"}, 3};
  tasks_left_[objects] = 3;
  tell(made);
  for (auto i = 0; i < 3; ++i)
    queue("process", std::to_string(objects));
}

void work_script::make_test() {
  queue("test", "package-" + std::to_string(random_() % 50));
}

void work_script::queue(const std::string& kind, const std::string& subject) {
  auto x = job{};
  x.id = new_job_id();
  x.kind = kind;
  x.queue = kind + "-" + std::to_string(random_() % 3);
  x.subject = subject;
  x.ready_at = now_;
  auto what = submit_job{};
  what.kind = x.kind;
  what.queue = x.queue;
  what.subject = x.subject;
  what.owner = "ann";
  what.spec = std::string(60, 's');
  tell(job_queued{x.id, what});
  ++kinds[kind].distributed;
  jobs_.push_back(std::move(x));
}

void work_script::start(job& x) {
  x.runner = "r" + std::to_string(random_() % 7);
  x.running = true;
  x.started_at = now_;
  auto what = run_started{};
  what.job = x.id;
  what.run_id = x.run;
  what.runner = x.runner;
  what.kind = x.kind;
  what.queue = x.queue;
  what.subject = x.subject;
  what.queued_at = x.ready_at;
  tell(what);
  ++kinds[x.kind].started;
}

void work_script::finish(size_t at) {
  auto& x = jobs_[at];
  auto& truth = kinds[x.kind];
  auto dice = random_() % 20;
  auto what = run_finished{};
  what.job = x.id;
  what.run_id = x.run;
  what.result = verdict::pass;
  if (dice == 0)
    what.result = verdict::canceled, what.why = reason::canceled;
  else if (dice < 5)
    what.result = verdict::error, what.why = reason::exec_infra;
  else if (dice < 7 && x.kind == "test")
    what.result = verdict::fail, what.why = reason::test_failed;
  what.final = what.result != verdict::error || x.run >= 2;
  what.kind = x.kind;
  what.queue = x.queue;
  what.subject = x.subject;
  what.runner = x.runner;
  what.started_at = x.started_at;
  tell(what);
  truth.spend_us.push_back((now_ - x.started_at).count() / 1000);
  truth.failed += what.result == verdict::error ? 1 : 0;
  if (what.final)
    return end(at, what.result);
  ++truth.retried;
  ++x.run;
  x.running = false;
  x.ready_at = now_;
}

void work_script::close(size_t at) {
  auto& x = jobs_[at];
  auto what = job_closed{};
  what.job = x.id;
  what.result = verdict::canceled;
  what.why = reason::canceled;
  what.kind = x.kind;
  what.queue = x.queue;
  what.subject = x.subject;
  tell(what);
  end(at, what.result);
}

void work_script::end(size_t at, verdict result) {
  auto& x = jobs_[at];
  auto& truth = kinds[x.kind];
  ++(result == verdict::error      ? truth.dead
     : result == verdict::canceled ? truth.canceled
                                   : truth.processed);
  if (x.kind == "process")
    if (auto i = tasks_left_.find(std::stoull(x.subject)); --i->second == 0)
      tasks_left_.erase(i);
  std::swap(x, jobs_.back());
  jobs_.pop_back();
}

uint64_t work_script::running(const std::string& kind) const {
  return static_cast<uint64_t>(std::count_if(
    jobs_.begin(), jobs_.end(), [&](const job& x) { return x.kind == kind && x.running; }));
}

uint64_t work_script::waiting(const std::string& kind) const {
  return static_cast<uint64_t>(std::count_if(
    jobs_.begin(), jobs_.end(), [&](const job& x) { return x.kind == kind && !x.running; }));
}

uint64_t work_script::open_objects() const {
  return tasks_left_.size();
}

std::string dump(const projection_table& table) {
  auto out = std::string{};
  auto to = encoder{out};
  auto why = table.scan({}, [&](std::string_view key, std::string_view value) {
    to.value(key);
    to.value(value);
    return true;
  });
  return why ? std::string{} : out;
}

} // namespace troupe::tests
