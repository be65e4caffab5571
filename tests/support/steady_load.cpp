#include "tests/support/steady_load.hpp"

namespace troupe::tests {

steady_load::steady_load(const node_process& to, promises& book) : to_{to}, book_{book} {
  for (auto i = 0; i < 3; ++i)
    threads_.emplace_back([this] {
      while (!stop_) {
        submit("key-" + std::to_string(next_++));
        std::this_thread::sleep_for(std::chrono::milliseconds{25}); // less than runners can do
      }
    });
}

steady_load::~steady_load() {
  stop();
}

void steady_load::stop() {
  stop_ = true;
  for (auto& x : threads_)
    if (x.joinable())
      x.join();
}

std::map<std::string, std::string> steady_load::promised() const {
  auto guard = std::lock_guard{mutex_};
  return promised_;
}

json steady_load::job_of(const std::string& key) {
  // One in ten takes long enough to be caught by a fault.
  return fake_job({{"FAKE_RUN_FOR", key.back() == '0' ? "300ms" : "5ms"}});
}

void steady_load::submit(const std::string& key) {
  auto job = job_of(key);
  while (!stop_) {
    auto answer = submit_as(to_, key, job);
    if (answer.status == 201) {
      auto id = answer.document().at("job_id").get<std::string>();
      auto guard = std::lock_guard{mutex_};
      book_.note(key, id);
      promised_.emplace(key, id);
      return;
    }
    breathe();
  }
}

} // namespace troupe::tests
