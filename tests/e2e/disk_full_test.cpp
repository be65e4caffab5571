/// A full disk under a running node: new work is refused, what was accepted is done
/// when there is room again. Source: spec/reliability_security.md R13.
#include "bridges/http/client.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/job_audit.hpp"
#include "tests/support/node_token.hpp"
#include "tests/support/small_disk.hpp"

#include <catch2/catch.hpp>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <random>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// A disk of its own under a folder, for as long as it lives; declare it after the node.
class own_disk {
public:
  own_disk(std::string folder, uint64_t bytes) : folder_{std::move(folder)} {
    std::filesystem::create_directories(folder_);
    if (auto why = mount_small_disk(folder_, bytes); !why.empty())
      FAIL(why);
  }
  ~own_disk() {
    umount2(folder_.c_str(), MNT_DETACH);
  }
  own_disk(const own_disk&) = delete;
  own_disk& operator=(const own_disk&) = delete;

private:
  std::string folder_;
};

std::string small_roles(const std::string& fake_options) {
  return R"(
  journal:
    disk: {reserve_percent: 0, reserve_bytes: 4MiB, ballast_bytes: 1MiB}
    store: {write_buffer: 512KiB, all_write_buffers: 1MiB, log_size: 1MiB}
  jobs: {lease: 2s, first_backoff: 100ms, avoid_grace: 100ms, run_grace: 1s}
  artifacts: {}
  tests:
    runners:
      fake: {driver: fake, slots: 2, fake: {)"
         + fake_options + R"(}}
  http: {port: 0}
)";
}

/// A job that needs about 60 kB of disk: noise, or it would be compressed to nothing.
json large_job(unsigned number) {
  auto random = std::minstd_rand{number + 1};
  auto noise = std::map<std::string, std::string>{};
  for (auto i = 0; i < 8; ++i)
    for (auto& text = noise["NOISE_" + std::to_string(i)]; text.size() < 8000;)
      text += static_cast<char>('0' + random() % 75);
  return fake_job(noise);
}

/// Submits under fresh keys until one is refused; returns how many were taken.
size_t submit_until_refused(const node_process& node,
                            std::map<std::string, std::string>& promised) {
  for (auto taken = size_t{0};; ++taken) {
    auto number = static_cast<unsigned>(promised.size());
    auto key = "key-" + std::to_string(number);
    auto answer = submit_as(node, key, large_job(number));
    INFO(answer.body);
    if (answer.status == 503)
      return taken;
    REQUIRE(answer.status == 201);
    REQUIRE(taken < 5000);
    promised[key] = answer.document().at("job_id").get<std::string>();
  }
}

/// Checks what a node on a full disk still does, and what not.
void check_refusal(const node_process& node, const std::map<std::string, std::string>& promised) {
  auto options = http_client_options{};
  options.port = node.port();
  options.token = node_token(node.data());
  auto refused = http_client{options}.post("/jobs", json_text(large_job(99'999)));
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->header("retry-after") != "");
  CHECK(refused->body.find("disk") != std::string::npos);
  auto compatible = node.post("/tasks/schedule", json_text(fake_job()));
  CHECK(compatible.status == 503);
  CHECK(await(20s, [&] { return node.get("/healthz/ready").status == 503; }));
  CHECK(node.get("/healthz/live").status == 200);
  const auto& [key, job] = *promised.begin();
  CHECK(node.job(job).at("job_id") == job);
  CHECK(node.get("/jobs?limit=1000").status == 200);
  CHECK(node.get("/queues").status == 200);
}

/// Ends the node in any way it likes, but by an abort or a crash.
void check_ends_by_itself_or_serves(node_process& node) {
  auto code = std::optional<int>{};
  CHECK(await(30s, [&] {
    code = node.process().wait(0ms);
    return code || node.get("/healthz/live").status == 200;
  }));
  INFO(node.log());
  if (code)
    CHECK(*code == 3); // refused to start
  else
    node.crash();
}

void live_through_a_full_disk(uint64_t bytes) {
  auto folder = temp_folder{};
  auto broken = folder.path() + "/broken";
  std::ofstream{broken} << "yes";
  auto node = node_process{small_roles("broken_file: " + broken)};
  auto disk = own_disk{node.data(), bytes};
  node.start();
  auto promised = std::map<std::string, std::string>{};
  {
    // Another's file leaves little room, and we fill that: nothing runs meanwhile.
    auto half = space_eater{node.data() + "/eater", bytes / 2};
    CHECK(submit_until_refused(node, promised) > 10);
    check_refusal(node, promised);
  }
  REQUIRE(node.await_ready());
  {
    auto some = space_eater{node.data() + "/eater", bytes / 4};
    std::filesystem::remove(broken);
    submit_until_refused(node, promised);
    // The last byte is gone, with jobs under way.
    auto rest = space_eater{node.data() + "/rest"};
    check_refusal(node, promised);
    node.crash();
    node.launch();
    check_ends_by_itself_or_serves(node);
  }
  {
    // Below the reserve, but with room to open: it serves what it can.
    auto most = space_eater{node.data() + "/eater", 3 << 20};
    node.launch();
    check_ends_by_itself_or_serves(node);
  }
  node.start();
  await_all_finished(node);
  audit_jobs(node, promised, promised.size());
  auto again = submit_as(node, "key-0", large_job(0));
  CHECK(again.document().at("job_id") == promised.at("key-0"));
  CHECK(node.stop() == 0);
}

} // namespace

TEST_CASE("a node on a full disk refuses new work, answers reads and heals", "[e2e][disk]") {
  auto sizes = fault_count(1, 30);
  for (auto i = 0U; i < sizes; ++i) {
    auto bytes = (24ULL << 20) + i * (30ULL << 20) / sizes;
    INFO(bytes << " bytes");
    live_through_a_full_disk(bytes);
  }
}

TEST_CASE("a run whose log finds the disk full ends with a reason, or goes on when there is room",
          "[e2e][disk]") {
  auto node = node_process{small_roles("")};
  auto artifacts = node.data() + "/artifacts";
  auto disk = own_disk{artifacts, 16 << 20};
  node.start();
  auto hopeless = fake_job({{"FAKE_OUTPUT_BYTES", "12000000"}});
  hopeless["retries"] = 0;
  auto impatient = hopeless;
  impatient["run_deadline"] = 2;
  auto patient = fake_job({{"FAKE_OUTPUT_BYTES", "2000000"}});
  patient["retries"] = 0;
  auto waiting = std::string{};
  {
    auto eater = space_eater{artifacts + "/eater", 1 << 20};
    auto ended = node.await_job(node.submit(impatient));
    INFO(ended.dump(1) << node.log());
    CHECK(ended.at("result") == "timeout");
    CHECK(ended.at("reason") == "task-timeout");
    if (fault_count(0, 1) > 0) { // a minute's patience
      ended = node.await_job(node.submit(hopeless), 180s);
      CHECK(ended.at("result") == "error");
      CHECK(ended.at("reason") == "exec-infra");
      CHECK(ended.at("note").get<std::string>().find("No space left") != std::string::npos);
    }
    waiting = node.submit(patient);
    // What leaves no log is not held up.
    CHECK(node.await_job(node.submit(fake_job())).at("result") == "pass");
    CHECK(await(30s, [&] { return node.job(waiting).at("state") == "running"; }));
    CHECK(node.get("/healthz/ready").status == 200);
  }
  auto done = node.await_job(waiting);
  INFO(done.dump(1));
  CHECK(done.at("result") == "pass");
  CHECK(node.get("/jobs/" + waiting + "/log?stage=fake").body.size() == 2'000'000);
  CHECK(node.stop() == 0);
}
