#include "actors/objects/lorem.hpp"
#include "actors/objects/objects_core.hpp"
#include "messages/text_rule.hpp"
#include "messages/time.hpp"

#include <algorithm>

/// Ids, and objects with their tasks in one append.
namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto owner_name = "objects";
constexpr auto least_claim_backoff = caf::timespan{10ms};
constexpr auto most_claim_backoff = caf::timespan{1s};
constexpr auto longest_name = size_t{256};
constexpr auto longest_content = size_t{64} << 10;

append_events message_of(uint64_t epoch, event what) {
  auto out = append_events{owner_name, epoch, {}};
  out.groups.emplace_back().events.push_back(std::move(what));
  return out;
}

caf::error check_object(const std::string& name, const std::string& content) {
  if (name.size() > longest_name || !obeys("line", name))
    return fault_at(ec::invalid_argument, "name", "must be one line of at most 256 bytes");
  if (content.size() > longest_content)
    return fault_at(ec::too_large, "content", "must be at most 64 KiB");
  return {};
}

} // namespace

/// From here on no reservation of an earlier actor counts; when all events up to this one
/// are applied, all its blocks are known.
void objects_core::claim_epoch() {
  auto journal = role<journal_actor>("journal");
  if (!journal)
    return claim_again(fault(ec::unavailable, "there is no journal"));
  self_->request(journal, options_.request_timeout, status_atom_v)
    .then(
      [this](const journal_status& got) {
        epoch_ = got.next;
        append_reservation(0, [this] {
          pump_.when_current([this](const caf::error& why) {
            if (why)
              return claim_again(why);
            next_id_ = ids_below_ = std::max(table_.mark().ids_below, first_own_id);
            ready_ = true;
            reserve();
          });
        });
      },
      [this](const caf::error& why) { claim_again(why); });
}

void objects_core::claim_again(const caf::error& why) {
  if (explain(why).code == ec::disk_full)
    why_closed_ = why;
  backoff_ = std::clamp(backoff_ * 2, least_claim_backoff, most_claim_backoff);
  claim_later_ = true;
  arm(now() + backoff_);
}

void objects_core::append_reservation(uint64_t below, std::function<void()> then) {
  auto journal = role<journal_actor>("journal");
  auto failed = [this](const caf::error& why) {
    reserving_ = false;
    if (!ready_)
      return claim_again(why);
    // Another one has taken over: whatever this one reserves is refused.
    if (explain(why).code == ec::conflict)
      self_->quit(why);
    else
      refuse_creations(why);
  };
  if (!journal)
    return failed(fault(ec::unavailable, "there is no journal"));
  self_
    ->request(journal, options_.request_timeout,
              message_of(epoch_, make_event(object_ids_reserved{below}, troupe::now())))
    .then([then](const append_results&) { then(); }, failed);
}

/// Reserves the block after the present one, while that still has ids.
void objects_core::reserve() {
  if (reserving_ || next_block_below_ != 0)
    return;
  reserving_ = true;
  auto from = ids_below_;
  auto below = from + options_.id_block;
  append_reservation(below, [this, from, below] {
    reserving_ = false;
    next_block_ = from;
    next_block_below_ = below;
    serve_creations();
  });
}

uint64_t objects_core::id_for(const create_object& what) {
  if (what.given_id && *what.given_id < first_own_id && !given_.contains(*what.given_id)) {
    auto taken = table_.has(*what.given_id);
    if (taken && !*taken) {
      given_.insert(*what.given_id);
      return *what.given_id;
    }
  }
  return next_id_++;
}

void objects_core::serve_creations() {
  while (!waiting_.empty()) {
    if (next_id_ == ids_below_) {
      if (next_block_below_ == 0)
        return reserve();
      next_id_ = next_block_;
      ids_below_ = std::exchange(next_block_below_, 0);
    }
    auto x = std::move(waiting_.front());
    waiting_.pop_front();
    distribute(std::move(x));
  }
  if (ids_below_ - next_id_ < options_.id_block / 2)
    reserve();
}

void objects_core::refuse_creations(const caf::error& why) {
  for (auto& x : std::exchange(waiting_, {}))
    x.reply.deliver(why);
}

caf::result<object_view> objects_core::create(create_object what) {
  if (auto why = closed())
    return why;
  if (auto why = check_object(what.name, what.content))
    return why;
  if (waiting_.size() + open_ >= options_.most_open)
    return fault(ec::saturated, "too many objects wait to be stored");
  if (what.name.empty())
    what.name = lorem(chance_, 1);
  if (what.content.empty())
    what.content = lorem(chance_, 3);
  auto reply = self_->make_response_promise<object_view>();
  waiting_.push_back({std::move(what), reply});
  serve_creations();
  return reply;
}

submit_job objects_core::job_for(const process_spec& spec) const {
  auto inside = options_.processors == processors_where::inside;
  auto out = submit_job{};
  out.kind = process_kind;
  out.queue = inside ? inside_queue : outside_queue;
  out.priority = options_.priority;
  out.subject = to_subject({spec.what.id, spec.task});
  out.spec = pack(spec);
  out.retries = options_.max_attempts - 1;
  out.retry_on_timeout = true;
  out.retry_base = options_.retry_base;
  out.queue_deadline = options_.queue_deadline;
  out.run_deadline = options_.task_deadline;
  return out;
}

/// Makes an object and its tasks in one append.
void objects_core::distribute(creation x) {
  auto& what = x.what;
  auto made = object_created{};
  made.what = {id_for(what), std::move(what.name), std::move(what.content)};
  made.tasks = options_.distribution;
  made.source = what.source;
  made.owner = what.owner;
  made.given_id = what.given_id;
  auto at = troupe::now();
  auto order = submit_jobs{};
  for (auto i = uint32_t{0}; i < options_.distribution; ++i) {
    auto& job = order.jobs.emplace_back(job_for({made.what, i, options_.distribution, {}}));
    job.owner = what.owner;
  }
  order.request_id = std::move(what.request_id);
  order.request_digest = what.request_digest;
  order.events.push_back(make_event(made, at));
  auto ledger = role<job_ledger_actor>("jobs");
  if (!ledger) {
    given_.erase(made.what.id);
    x.reply.deliver(fault(ec::unavailable, "there is no job ledger"));
    return;
  }
  began();
  auto forget = [this, id = made.what.id] {
    // The projection knows it when it has read on.
    if (id < first_own_id)
      pump_.when_current([this, id](const caf::error&) { given_.erase(id); });
    ended();
  };
  self_->request(ledger, options_.request_timeout, std::move(order))
    .then(
      [this, made, at, reply = x.reply, forget](const jobs_accepted& got) mutable {
        forget();
        if (got.jobs.front().repeated)
          return answer_repeated(got.jobs.front().job, reply);
        auto view = object_view{};
        fold(view, made, at);
        for (auto i = uint32_t{0}; i < got.jobs.size(); ++i) {
          auto& task = view.tasks.emplace_back();
          task.job = got.jobs[i].job;
          task.id = to_task_id(task.job);
          task.object = view.id;
          task.index = i;
          task.created_at = at;
        }
        reply.deliver(std::move(view));
      },
      [reply = x.reply, forget](const caf::error& why) mutable {
        forget();
        reply.deliver(why);
      });
}

/// The id of this request came before: answers what was made then.
void objects_core::answer_repeated(const job_id& job, promise<object_view> reply) {
  auto history = role<job_history_actor>("history");
  if (!history) {
    reply.deliver(fault(ec::unavailable, "there is no job history"));
    return;
  }
  auto query = get_job{};
  query.job = job;
  began();
  self_->request(history, options_.request_timeout, query)
    .then(
      [this, reply](const job_view& got) mutable {
        ended();
        auto about = parse_task_subject(got.subject);
        pump_.when_current([this, reply, about](const caf::error& why) mutable {
          auto object = about ? table_.find(about->object)
                              : caf::expected<object_view>{fault(ec::not_found, "no such object")};
          if (why)
            reply.deliver(why);
          else if (object)
            reply.deliver(std::move(*object));
          else
            reply.deliver(std::move(object.error()));
        });
      },
      [this, reply](const caf::error& why) mutable {
        ended();
        reply.deliver(why);
      });
}

caf::result<job_accepted> objects_core::take(take_task what) {
  if (auto why = closed())
    return why;
  if (auto why = check_object(what.what.name, what.what.content))
    return why;
  if (!obeys("word", what.task))
    return fault_at(ec::invalid_argument, "id", "must be a word of letters and digits");
  auto ledger = role<job_ledger_actor>("jobs");
  if (!ledger)
    return fault(ec::unavailable, "there is no job ledger");
  if (open_ >= options_.most_open)
    return fault(ec::saturated, "too many objects wait to be stored");
  auto job = job_for({std::move(what.what), 0, 0, std::move(what.task)});
  job.request_id = std::move(what.request_id);
  job.request_digest = what.request_digest;
  auto reply = self_->make_response_promise<job_accepted>();
  began();
  self_->request(ledger, options_.request_timeout, std::move(job))
    .then(
      [this, reply](const job_accepted& got) mutable {
        ended();
        reply.deliver(got);
      },
      [this, reply](const caf::error& why) mutable {
        ended();
        reply.deliver(why);
      });
  return reply;
}

} // namespace troupe
