#pragma once

#include "actors/objects/object_table.hpp"
#include "actors/objects/objects.hpp"
#include "actors/projection/projection_pump.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What the actor of the role "objects" does with its messages.
class objects_core {
public:
  using self_pointer = objects_inside::base*;
  template <class T>
  using promise = caf::typed_response_promise<T>;

  objects_core(self_pointer self, const directory* roles, std::shared_ptr<projection_table> table,
               objects_options options);

  // objects_core.cpp
  void start();
  caf::result<object_view> get(const get_object& what);
  caf::result<object_page> list(const list_objects& what);
  caf::result<uint32_t> drain();
  void tick();
  void flush();

  // objects_create.cpp
  caf::result<object_view> create(create_object what);
  caf::result<job_accepted> take(take_task what);

  // objects_tasks.cpp
  caf::result<report_answer> report(task_report what);
  caf::result<dead_task_page> list_dead(const list_dead_tasks& what);
  caf::result<changed_tasks> retry(retry_dead_tasks what);
  caf::result<changed_tasks> purge(purge_dead_tasks what);

private:
  /// An object that waits for an id.
  struct creation {
    create_object what;
    promise<object_view> reply;
  };
  struct retrial;

  caf::timespan now() const;
  caf::error closed() const;
  template <class Handle>
  Handle role(std::string_view name) const {
    return roles_->find<Handle>(name);
  }
  void began() {
    ++open_;
  }
  void ended();
  void arm(caf::timespan at);

  // objects_create.cpp
  void claim_epoch();
  void claim_again(const caf::error& why);
  void append_reservation(uint64_t below, std::function<void()> then);
  void reserve();
  void serve_creations();
  void refuse_creations(const caf::error& why);
  void distribute(creation x);
  uint64_t id_for(const create_object& what);
  submit_job job_for(const process_spec& spec) const;
  void answer_repeated(const job_id& job, promise<object_view> reply);

  // objects_tasks.cpp
  void pass_on(const task_report& what, const job_id& job, promise<report_answer> reply);
  caf::expected<std::vector<job_id>> dead_among(const std::vector<std::string>& tasks) const;
  caf::expected<std::optional<job_id>> job_of_task(const std::string& task) const;
  void append_purge(std::vector<job_id> jobs, std::string by, promise<changed_tasks> reply);

  self_pointer self_;
  const directory* roles_;
  objects_options options_;
  object_table table_;
  projection_pump<objects_inside::base> pump_;
  std::minstd_rand chance_{std::random_device{}()};
  uint64_t epoch_ = 0; ///< 0 = the journal does not know this actor yet.
  bool ready_ = false; ///< The blocks of earlier ones are known.
  bool claiming_ = false;
  bool claim_later_ = false;
  caf::timespan backoff_{};
  caf::error why_closed_;
  uint64_t next_id_ = 0;
  uint64_t ids_below_ = 0;        ///< The present block ends here.
  uint64_t next_block_ = 0;       ///< The block after it, if there is one ...
  uint64_t next_block_below_ = 0; ///< ... ends here; 0 = none.
  bool reserving_ = false;
  std::deque<creation> waiting_;
  std::set<uint64_t> given_; ///< Ids of outside producers that are being made.
  size_t open_ = 0;          ///< Requests to other roles without an answer.
  bool draining_ = false;
  std::vector<promise<uint32_t>> drains_;
  caf::timespan next_retire_{};
};

} // namespace troupe
