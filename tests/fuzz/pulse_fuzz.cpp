/// Any bytes as a message of each exchange that tells of machines.
#include "bridges/amqp/pulse_feed.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto feed = troupe::pulse_feed{};
  auto in = troupe::inbound_message{};
  in.body.assign(reinterpret_cast<const char*>(bytes), size);
  for (auto kind : {"task-running", "task-exception", "worker-removed", "worker-pool-error"}) {
    in.exchange = kind;
    auto news = troupe::read_pulse(feed, in);
    if (!news || !news->ignored.empty())
      continue;
    const auto& what = news->what;
    if (!troupe::split_machine_id(what.machine) || what.at == caf::timestamp{}
        || what.reason.size() > troupe::machine_word_size
        || what.task.size() > troupe::machine_word_size)
      std::abort();
  }
  return 0;
}
