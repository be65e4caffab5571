#include "bridges/amqp/inbound_handler.hpp"

#include <cstdlib>

using namespace troupe;

/// Bodies of the services of EBS: whatever comes, it is taken or refused with a reason.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto message = inbound_message{};
  message.id = "amqp/q/1";
  message.body.assign(reinterpret_cast<const char*>(data), size);
  for (auto read : {read_ebs_object, read_ebs_task, read_ebs_report}) {
    auto got = read(message);
    if (got ? !got->ask : one_line(got.error()).empty())
      std::abort();
  }
  return 0;
}
