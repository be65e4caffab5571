#pragma once

#include "actors/statistics/statistics_fold.hpp"
#include "messages/job_events.hpp"

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe::tests {

/// What a script has made happen, counted by itself and each thing once.
struct work_truth {
  uint64_t distributed = 0;
  uint64_t started = 0;
  uint64_t processed = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t dead = 0;
  uint64_t canceled = 0;
  std::vector<int64_t> spend_us;
};

/// Writes a journal of objects, tasks and tests as a ledger would, at random by a
/// seed; tells some events again, late. Times are simulated.
class work_script {
public:
  /// `repeats` of a thousand events are told again.
  explicit work_script(unsigned seed, unsigned repeats = 125) : random_{seed}, repeats_{repeats} {}

  /// Returns the next event; its sequence goes on from the one before.
  stored_event next();

  std::map<std::string, work_truth> kinds; ///< By kind.
  uint64_t objects = 0;
  uint64_t repeated = 0;
  uint64_t events = 0;

  /// Whether everything that was decided has been told.
  bool settled() const {
    return due_.empty();
  }
  /// Returns the next events, of all that `count` of them decide.
  std::vector<stored_event> take(size_t count);

  /// Returns how many targets of a kind run now.
  uint64_t running(const std::string& kind) const;
  uint64_t waiting(const std::string& kind) const;
  uint64_t open_objects() const;
  caf::timestamp now() const {
    return now_;
  }

private:
  struct job {
    job_id id;
    std::string kind;
    std::string queue;
    std::string subject;
    uint32_t run = 0;
    bool running = false;
    std::string runner;
    caf::timestamp ready_at{};
    caf::timestamp started_at{};
  };

  template <class T>
  void tell(const T& x) {
    due_.push_back(make_event(x, now_));
  }
  void make_object();
  void make_test();
  void queue(const std::string& kind, const std::string& subject);
  void start(job& x);
  void finish(size_t at);
  void close(size_t at);
  void end(size_t at, verdict result);

  std::mt19937_64 random_;
  unsigned repeats_;
  caf::timestamp now_{std::chrono::seconds{1'700'000'000}};
  uint64_t sequence_ = 0;
  std::deque<event> due_;
  std::deque<event> told_; ///< Lately.
  std::vector<job> jobs_;
  std::map<uint64_t, uint32_t> tasks_left_;
};

/// Returns every key and value of a table, in order.
std::string dump(const projection_table& table);

} // namespace troupe::tests
