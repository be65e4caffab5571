#include "bench/figure.hpp"
#include "bench/native_codec.hpp"
#include "messages/codec.hpp"
#include "messages/job_events.hpp"
#include "messages/json.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <cstdlib>

/// Size and speed of the stored form of records beside nlohmann JSON and CAF's
/// own binary form. Source of the numbers in docs/adr/0003.
namespace troupe::bench {

namespace {

submit_job sample_submission() {
  auto x = submit_job{};
  x.kind = "test";
  x.queue = "docker-x86_64-0";
  x.subject = "hello";
  x.tags = {{"arch", "x86_64"}, {"dist_name", "debian"}, {"dist_version", "12"}};
  x.owner = "builder@example.org";
  x.spec = std::string(180, 's');
  return x;
}

run_report sample_report() {
  auto x = run_report{};
  x.job = new_job_id();
  x.result = verdict::pass;
  for (const auto* name :
       {"start_environment", "initial_provision", "system_info", "install_package",
        "tests.package_integrity_tests", "uninstall_package", "stop_environment"}) {
    auto& step = x.stages.emplace_back();
    step.name = name;
    step.finished = step.success = true;
    step.started_at = step.finished_at = now();
    step.log = artifact_ref{};
  }
  return x;
}

/// Returns calls per second of `work`.
template <class F>
double rate(int calls, F&& work) {
  auto start = std::chrono::steady_clock::now();
  for (auto i = 0; i < calls; ++i)
    work();
  auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start);
  return calls / took.count();
}

struct forms {
  std::string ours;
  std::string json_form;
  std::vector<char> native_form;
};

template <class T>
void measure(const std::string& name, T x, caf::actor_system& sys, bool quick) {
  auto made = forms{};
  auto encode_ours = [&] { made.ours = pack(x); };
  auto encode_json = [&] { made.json_form = write_json(x).dump(); };
  auto encode_native = [&] {
    made.native_form.clear();
    auto to = caf::binary_serializer{sys, made.native_form};
    if (native(to, x))
      std::abort();
  };
  auto decode_ours = [&] {
    if (!unpack<T>(made.ours))
      std::abort();
  };
  auto decode_json = [&] {
    auto reader = json_reader{};
    auto y = T{};
    reader.read(json::parse(made.json_form), y, "");
  };
  auto decode_native = [&] {
    auto from = caf::binary_deserializer{sys, made.native_form};
    auto y = T{};
    if (native(from, y))
      std::abort();
  };
  auto series = [&](auto work) {
    auto out = std::vector<double>{};
    for (auto i = 0; i < (quick ? 1 : 5); ++i)
      out.push_back(rate(quick ? 5'000 : 50'000, work));
    return out;
  };
  auto ours = series(encode_ours);
  print_figure(name + "_encodes_per_s", "1/s", ours, {"nlohmann JSON", series(encode_json)});
  print_figure(name + "_encodes_per_s", "1/s", ours, {"CAF binary", series(encode_native)});
  ours = series(decode_ours);
  print_figure(name + "_decodes_per_s", "1/s", ours, {"nlohmann JSON", series(decode_json)});
  print_figure(name + "_decodes_per_s", "1/s", ours, {"CAF binary", series(decode_native)});
  auto size = [](const auto& bytes) { return std::vector{static_cast<double>(bytes.size())}; };
  print_figure(name + "_bytes", "B", size(made.ours), {"nlohmann JSON", size(made.json_form)});
  print_figure(name + "_bytes", "B", size(made.ours), {"CAF binary", size(made.native_form)});
}

} // namespace

} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe;
  auto config = caf::actor_system_config{};
  auto sys = caf::actor_system{config};
  auto quick = bench::is_quick(argc, argv);
  bench::measure("job_queued", job_queued{new_job_id(), bench::sample_submission()}, sys, quick);
  bench::measure("run_report", bench::sample_report(), sys, quick);
  return 0;
}
