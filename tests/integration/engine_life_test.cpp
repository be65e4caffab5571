#include "actors/runners/docker/docker_driver.hpp"
#include "actors/runners/docker/reaper.hpp"
#include "tests/integration/engine_fixture.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

using end = command_result::end;

namespace {

engine_client engine() {
  return engine_client{private_engine::shared().socket()};
}

json inspected(const std::string& id) {
  auto reply = engine().call({"GET", "/containers/" + id + "/json", {}}, within(30s));
  REQUIRE(reply);
  REQUIRE(reply->status == 200);
  auto parsed = engine_json(*reply);
  REQUIRE(parsed);
  return *parsed;
}

bool exists(const std::string& id) {
  auto reply = engine().call({"GET", "/containers/" + id + "/json", {}}, within(30s));
  return reply && reply->status == 200;
}

docker_options driver_options() {
  auto out = docker_options{};
  out.socket = private_engine::shared().socket();
  out.min_free_disk = 0;
  return out;
}

test_spec debian_spec() {
  auto out = test_spec{};
  out.dist_name = "debian";
  out.dist_version = "12";
  out.dist_arch = "x86_64";
  return out;
}

} // namespace

TEST_CASE("the engine has set every limit that was asked for") {
  auto order = some_order();
  order.limits.cpus = 1.5;
  order.limits.pids = 100;
  auto box = started_container(order);
  auto seen = inspected(box->id());
  const auto& host = seen["HostConfig"];
  CHECK(host["Memory"] == 256 << 20);
  CHECK(host["MemorySwap"] == 256 << 20);
  CHECK(host["NanoCpus"] == 1'500'000'000);
  CHECK(host["PidsLimit"] == 100);
  CHECK(host["Privileged"] == false);
  CHECK(host["NetworkMode"] == "none");
  CHECK(host["SecurityOpt"].dump().find("no-new-privileges") != std::string::npos);
  CHECK(host["Binds"].empty());
  auto status = run_in(*box, {"cat", "/proc/self/status"}).out;
  CHECK(status.find("NoNewPrivs:\t1") != std::string::npos);
  // NET_RAW is capability 13.
  auto bits = std::stoull(status.substr(status.find("CapBnd:") + 8, 16), nullptr, 16);
  CHECK((bits >> 13 & 1) == 0);
  CHECK(run_in(*box, {"sh", "-c", "ulimit -n"}).out == "1024\n");
  CHECK(run_in(*box, {"sh", "-c", "read -r name </proc/1/comm; echo $name"}).out != "sleep\n");
  CHECK(run_in(*box, {"sh", "-c", "ls /sys/class/net"}).out == "lo\n");
}

TEST_CASE(
  "a container of the host's reach does not open: mount, device, raw socket, kernel knobs") {
  auto box = started_container();
  for (const auto* attempt :
       {"mount -t tmpfs none /mnt", "mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk",
        "perl -e 'use Socket; socket(my $s, PF_INET, SOCK_RAW, 1) or exit 1'",
        "echo 1 >/proc/sys/kernel/sysrq", "echo b >/proc/sysrq-trigger",
        "chroot /proc/1/root true && ls /dev/sda",
        "test -S /run/docker.sock || test -S /run/podman/podman.sock", "unshare -m true",
        "hostname changed"}) {
    INFO(attempt);
    CHECK(run_in(*box, {"sh", "-c", attempt}).result.exit_code != 0);
  }
}

TEST_CASE("destroying a container twice is the same as once, and its commands are lost") {
  auto box = started_container();
  auto id = box->id();
  CHECK_FALSE(box->destroy());
  CHECK_FALSE(box->destroy());
  CHECK_FALSE(exists(id));
  CHECK(run_in(*box, {"true"}).result.how == end::lost);
}

TEST_CASE("a container that others remove is lost, and removing it again is fine") {
  auto box = started_container();
  auto other = engine();
  CHECK_FALSE(remove_container(other, box->id(), within(60s)));
  CHECK(run_in(*box, {"true"}).result.how == end::lost);
  CHECK_FALSE(box->destroy());
}

TEST_CASE("a container that dies during a command is lost") {
  auto box = started_container();
  auto got = run_in(*box, {"sh", "-c", "kill -KILL $(cat /run/troupe-main.pid); sleep 100"});
  CHECK(got.result.how == end::lost);
}

TEST_CASE("a leftover of the same run gives way to the new container") {
  auto order = some_order();
  auto old = started_container(order);
  auto fresh = started_container(order);
  CHECK(fresh->id() != old->id());
  CHECK_FALSE(exists(old->id()));
  CHECK(run_in(*fresh, {"true"}).result.exit_code == 0);
}

TEST_CASE("a failed start leaves no container") {
  auto order = some_order();
  order.limits.open_files = 1'000'000'000;
  auto made = container::start(engine(), order, {});
  REQUIRE_FALSE(made);
  CHECK(code_of(made.error()) == ec::invalid_config);
  CHECK(one_line(made.error()).find("open_files") != std::string::npos);
  CHECK_FALSE(exists(container_name(order.run)));
}

TEST_CASE("the sweep removes orphans of its runner alone") {
  auto mine = unique_runner();
  auto alive = some_order(mine);
  auto dead = some_order(mine);
  auto late = some_order(mine);
  late.deadline = std::chrono::system_clock::now() - 1s;
  auto foreign = some_order();
  auto kept = started_container(alive);
  auto orphan = started_container(dead);
  auto overdue = started_container(late);
  auto other = started_container(foreign);
  auto driver = docker_driver{driver_options(), mine};
  driver.sweep({alive.run, late.run});
  CHECK(exists(kept->id()));
  CHECK(exists(other->id()));
  CHECK_FALSE(exists(orphan->id()));
  CHECK_FALSE(exists(overdue->id()));
}

TEST_CASE("without the image the answer names it; another architecture is unsupported") {
  auto options = driver_options();
  options.images.policy = image_policy::never;
  options.images.images = {{"suse-1-x86_64", "localhost/nowhere:1"}};
  auto driver = docker_driver{options, unique_runner()};
  auto order = run_order{};
  order.job = new_job_id();
  auto spec = debian_spec();
  spec.dist_name = "suse";
  spec.dist_version = "1";
  auto missing = driver.start(spec, order, {});
  REQUIRE_FALSE(missing);
  CHECK(code_of(missing.error()) == ec::not_found);
  CHECK(one_line(missing.error()).find("localhost/nowhere:1") != std::string::npos);
  spec = debian_spec();
  spec.dist_arch = "s390x";
  auto foreign = driver.start(spec, order, {});
  REQUIRE_FALSE(foreign);
  CHECK(code_of(foreign.error()) == ec::unsupported);
}

TEST_CASE("a failed pull is a missing image that says why") {
  auto options = driver_options();
  // Nothing listens on port 9 of this host.
  options.images.pattern = "127.0.0.1:9/nowhere:1";
  auto driver = docker_driver{options, unique_runner()};
  auto made = driver.start(debian_spec(), run_order{}, {});
  REQUIRE_FALSE(made);
  CHECK(code_of(made.error()) == ec::not_found);
  CHECK(one_line(made.error()).find("refused") != std::string::npos);
}

TEST_CASE("a stop request abandons a pull at once") {
  auto options = driver_options();
  options.images.policy = image_policy::always;
  auto driver = docker_driver{options, unique_runner()};
  auto stop = std::stop_source{};
  stop.request_stop();
  auto made = driver.start(debian_spec(), run_order{}, stop.get_token());
  REQUIRE_FALSE(made);
  CHECK(code_of(made.error()) == ec::canceled);
}

TEST_CASE(
  "an engine that stops makes the driver broken and its containers lost, until it is back") {
  auto& service = private_engine::shared();
  auto driver = docker_driver{driver_options(), unique_runner()};
  CHECK_FALSE(driver.check());
  auto box = started_container();
  auto id = box->id();
  service.stop();
  CHECK(code_of(driver.check()) == ec::unavailable);
  auto got = run_in(*box, {"true"});
  CHECK((got.result.how == end::lost || got.result.how == end::infra));
  CHECK(code_of(box->destroy()) == ec::unavailable);
  CHECK(code_of(driver.start(debian_spec(), run_order{}, {}).error()) == ec::unavailable);
  service.start();
  CHECK_FALSE(driver.check());
  CHECK_FALSE(box->destroy());
  CHECK_FALSE(exists(id));
}

TEST_CASE("an engine that stops in the middle of a command loses it") {
  auto& service = private_engine::shared();
  auto box = started_container();
  auto result = box->exec({.argv = {"sh", "-c", "echo on; sleep 600"}, .variables = {}}, {},
                          [&service](int, std::string_view) { service.stop(); });
  CHECK(result.how == end::lost);
  service.start();
  CHECK_FALSE(box->destroy());
}

TEST_CASE("too little free disk makes the driver broken") {
  auto options = driver_options();
  options.min_free_disk = uint64_t{1} << 60;
  CHECK(code_of(docker_driver{options, unique_runner()}.check()) == ec::unavailable);
}
