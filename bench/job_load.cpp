#include "bench/job_load.hpp"

#include "messages/test.hpp"

#include <caf/scoped_actor.hpp>

#include <stdexcept>

namespace troupe::bench {

namespace {

constexpr auto window = size_t{16};

} // namespace

submit_job hello_job(size_t spec_bytes) {
  auto spec = test_spec{};
  spec.runner_type = "fake";
  spec.dist_name = "debian";
  spec.dist_version = "12";
  spec.dist_arch = "x86_64";
  spec.package_name = "hello";
  if (auto bare = pack(spec).size(); bare < spec_bytes)
    spec.callback_href.assign(spec_bytes - bare, 'x');
  auto out = submit_job{};
  out.kind = "test";
  out.queue = "fake-x86_64-0";
  out.subject = "hello";
  out.tags = {{"dist", "debian-12"}, {"arch", "x86_64"}};
  out.owner = "bench";
  out.spec = pack(spec);
  return out;
}

void submit_all(caf::actor_system& sys, const job_ledger_actor& ledger, size_t jobs,
                size_t spec_bytes) {
  auto self = caf::scoped_actor{sys};
  auto batch = submit_jobs{std::vector<submit_job>(job_batch, hello_job(spec_bytes))};
  auto sent = size_t{0};
  auto pending = size_t{0};
  auto send = [&] {
    self->send(caf::actor_cast<caf::actor>(ledger), batch);
    sent += job_batch;
    ++pending;
  };
  while (sent < jobs || pending > 0) {
    while (sent < jobs && pending < window)
      send();
    self->receive([&](const jobs_accepted&) { --pending; },
                  [&](caf::error& why) { throw std::runtime_error{one_line(why)}; });
  }
}

uint64_t jobs_left(caf::actor_system& sys, const job_ledger_actor& ledger) {
  auto left = UINT64_MAX;
  caf::scoped_actor {
    sys
    } -> request(ledger, std::chrono::seconds{10}, queues_atom_v)
      .receive(
        [&](const queue_list& list) {
          left = 0;
          for (const auto& queue : list.queues)
            left += queue.queued + queue.running;
        },
        [](const caf::error&) {});
  return left;
}

} // namespace troupe::bench
