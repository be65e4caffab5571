/// What our side adds to a container run: the whole run minus the time that the
/// engine had the word (creating, executing, copying, removing).
#include "actors/runners/docker/docker_driver.hpp"
#include "bench/spine_jobs.hpp"
#include "tests/support/private_engine.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

/// Adds the time of a scope to a total.
class stopwatch {
public:
  explicit stopwatch(double& total) : total_{total} {}
  ~stopwatch() {
    total_ += std::chrono::duration<double>(steady::now() - began_).count();
  }
  stopwatch(const stopwatch&) = delete;
  stopwatch& operator=(const stopwatch&) = delete;

private:
  double& total_;
  steady::time_point began_ = steady::now();
};

class timed_environment final : public environment {
public:
  timed_environment(environment_ptr inner, double& total)
    : inner_{std::move(inner)}, total_{total} {}

  command_result exec(const command& what, std::stop_token stop,
                      const std::function<void(int, std::string_view)>& out) override {
    auto watch = stopwatch{total_};
    return inner_->exec(what, stop, out);
  }
  caf::error put(const std::vector<environment_file>& files) override {
    auto watch = stopwatch{total_};
    return inner_->put(files);
  }
  caf::error get(const std::string& path, uint64_t bytes_per_file,
                 const std::function<bool(const archive_entry&)>& each) override {
    auto watch = stopwatch{total_};
    return inner_->get(path, bytes_per_file, each);
  }
  caf::error destroy() override {
    auto watch = stopwatch{total_};
    return inner_->destroy();
  }

private:
  environment_ptr inner_;
  double& total_;
};

class silent_sink final : public run_sink {
public:
  void stage_started(std::string_view) override {}
  void output(std::string_view) override {}
  void stage_finished(stage) override {}
  void mask(std::string_view) override {}
  void artifact(std::string_view, std::string_view) override {}
};

} // namespace

std::vector<double> measure_container_overhead(size_t runs) {
  auto options = docker_options{};
  auto own = std::unique_ptr<tests::private_engine>{};
  if (std::getenv("DOCKER_HOST") == nullptr) {
    // Not whatever engine this machine may have: that one's load is not ours.
    own = std::make_unique<tests::private_engine>();
    options.socket = own->socket();
  }
  auto driver = docker_driver{options, "bench"};
  if (auto why = driver.check())
    throw std::runtime_error{"no container engine: " + one_line(why)};
  auto spec = test_spec{};
  spec.runner_type = "docker";
  spec.dist_name = "debian";
  spec.dist_version = "12";
  spec.dist_arch = "x86_64";
  spec.package_name = "hello";
  auto out = std::vector<double>{};
  for (auto i = size_t{0}; i < runs; ++i) {
    auto order = run_order{};
    order.job = new_job_id();
    order.kind = "test";
    order.spec = pack(spec);
    order.deadline = std::chrono::minutes{10};
    auto engine = 0.0;
    auto start = [&]() -> caf::expected<environment_ptr> {
      auto watch = stopwatch{engine};
      auto made = driver.start(spec, order, {});
      if (!made)
        return std::move(made.error());
      return environment_ptr{std::make_unique<timed_environment>(std::move(*made), engine)};
    };
    auto sink = silent_sink{};
    auto whole = 0.0;
    auto outcome = run_outcome{};
    {
      auto watch = stopwatch{whole};
      outcome = run_package_test(spec, order, start, sink, {}, options.test);
    }
    if (outcome.result != verdict::pass)
      throw std::runtime_error{"container run: " + std::string{name_of(outcome.why)} + ' '
                               + outcome.note};
    out.push_back(whole - engine);
  }
  return out;
}

} // namespace troupe::bench
