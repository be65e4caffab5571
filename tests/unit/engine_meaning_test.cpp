#include "actors/runners/docker/container_order.hpp"
#include "actors/runners/docker/engine_reply.hpp"
#include "actors/runners/docker/image.hpp"
#include "actors/runners/docker/reaper.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

using call = engine_call;
using meaning = engine_meaning;

TEST_CASE("both engines' answers mean the same") {
  struct sample {
    engine_call asked;
    int status;
    const char* body;
    engine_meaning expected;
  };
  // Podman's are as seen on 4.3.1, Docker's as documented for API 1.41.
  auto samples = {
    sample{call::create, 201, R"({"Id":"68e6","Warnings":[]})", meaning::ok},
    sample{
      call::create, 404,
      R"({"cause":"image not known","message":"no such image: x:1: image not known","response":404})",
      meaning::no_image},
    sample{call::create, 404, R"({"message":"No such image: x:1"})", meaning::no_image},
    sample{
      call::create, 500,
      R"({"cause":"that name is already in use","message":"creating container storage: the container name \"t\" is already in use by a1. You have to remove that container to be able to reuse that name.: that name is already in use","response":500})",
      meaning::name_taken},
    sample{
      call::create, 409,
      R"({"message":"Conflict. The container name \"/t\" is already in use by container \"a1\". You have to remove (or rename) that container to be able to reuse that name."})",
      meaning::name_taken},
    sample{call::create, 400, R"({"message":"invalid argument"})", meaning::bad_request},
    sample{call::create, 500, R"({"message":"no space left on device"})", meaning::failed},
    sample{call::start, 204, "", meaning::ok},
    sample{call::start, 304, "", meaning::ok},
    sample{call::start, 404, R"({"message":"No such container: t"})", meaning::no_container},
    sample{
      call::start, 500,
      R"({"message":"runc: error setting rlimit type 7: operation not permitted: OCI permission denied"})",
      meaning::refused_limits},
    sample{call::start, 500, R"({"message":"crun: cgroups in hybrid mode not supported"})",
           meaning::failed},
    sample{call::exec_create, 201, R"({"Id":"eed5"})", meaning::ok},
    sample{call::exec_create, 404, R"({"message":"No such container: t"})", meaning::no_container},
    sample{call::exec_create, 409, R"({"message":"Container a1 is not running"})",
           meaning::not_running},
    sample{call::exec_create, 409,
           R"({"message":"Container a1 is paused, unpause the container before exec"})",
           meaning::not_running},
    sample{
      call::exec_create, 500,
      R"({"cause":"container state improper","message":"can only create exec sessions on running containers: container state improper","response":500})",
      meaning::not_running},
    sample{call::exec_start, 200, "", meaning::ok},
    sample{call::exec_start, 101, "", meaning::ok},
    sample{call::exec_start, 409, R"({"message":"Container a1 is not running"})",
           meaning::not_running},
    sample{call::exec_start, 404, R"({"message":"No such exec instance: eed5"})",
           meaning::no_container},
    sample{call::exec_inspect, 404, R"({"message":"No such exec instance: eed5"})",
           meaning::no_container},
    sample{call::kill, 204, "", meaning::ok},
    sample{call::kill, 409, R"({"message":"Container a1 is not running"})", meaning::not_running},
    sample{
      call::kill, 500,
      R"({"message":"can only kill running containers. a1 is in state exited: container state improper"})",
      meaning::not_running},
    sample{call::put, 200, "", meaning::ok},
    sample{call::put, 404, R"({"message":"No such container: t"})", meaning::no_container},
    sample{call::get, 404,
           R"({"message":"no container with name or ID \"t\" found: no such container"})",
           meaning::no_container},
    sample{
      call::get, 404,
      R"({"cause":"no such file or directory","message":"no such file or directory","response":404})",
      meaning::no_path},
    sample{call::get, 404, R"({"message":"Could not find the file /x in container t"})",
           meaning::no_path},
    sample{call::remove, 204, "", meaning::ok},
    sample{call::remove, 404, R"({"message":"No such container: t"})", meaning::ok},
    sample{call::remove, 409, R"({"message":"removal of container a1 is already in progress"})",
           meaning::in_progress},
    sample{call::remove, 500, R"({"message":"device or resource busy"})", meaning::failed},
    sample{call::image, 404, R"({"message":"No such image: x"})", meaning::no_image},
    sample{call::probe, 503, "busy", meaning::failed},
  };
  for (const auto& s : samples) {
    INFO(s.status << ' ' << s.body);
    CHECK(meaning_of(s.asked, engine_reply{s.status, s.body}) == s.expected);
  }
}

TEST_CASE("an error's sentence is short, on one line, and found in bodies of any kind") {
  CHECK(engine_message(R"({"cause":"c","message":"the\nsentence\n","response":500})")
        == "the sentence");
  CHECK(engine_message("404 page not found\n") == "404 page not found");
  CHECK(engine_message("") == "");
  CHECK(engine_message(R"({"message":7})") == R"({"message":7})");
  CHECK(engine_message(std::string(10'000, 'x')).size() == 500);
}

TEST_CASE("a pull fails by what its lines say, whatever the status") {
  CHECK(pull_error("").empty());
  CHECK(pull_error("{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\",\"id\":\"x\"}\n").empty());
  CHECK(pull_error(
          "{\"status\":\"x\"}\n{\"errorDetail\":{\"message\":\"denied\"},\"error\":\"other\"}\n")
        == "denied");
  CHECK(pull_error(R"({"error":"no such host"})") == "no such host");
  CHECK(pull_error("not json\n{\"error\":\"late\"}") == "late");
}

TEST_CASE("the body of a new container carries its limits and labels") {
  auto order = container_order{};
  order.image = "debian:12";
  order.runner = "r1";
  order.run = {*parse_job_id("01890000-0000-7000-8000-000000000001"), 2};
  order.deadline = std::chrono::system_clock::now() + 1h;
  order.limits.memory = 512 << 20;
  order.limits.cpus = 1.5;
  auto body = create_body(order);
  CHECK(body["Image"] == "debian:12");
  CHECK(body["Labels"]["troupe"] == "1");
  CHECK(body["Labels"]["troupe.runner"] == "r1");
  CHECK(body["Labels"]["troupe.job"] == "01890000-0000-7000-8000-000000000001");
  CHECK(body["Labels"]["troupe.run"] == "2");
  CHECK(body["Labels"].contains("troupe.deadline"));
  CHECK(body["Entrypoint"] == json::array());
  CHECK(body["OpenStdin"] == false);
  const auto& host = body["HostConfig"];
  CHECK(host["Init"] == true);
  CHECK(host["Privileged"] == false);
  CHECK(host["Memory"] == 536'870'912);
  CHECK(host["MemorySwap"] == 536'870'912);
  CHECK(host["NanoCpus"] == 1'500'000'000);
  CHECK(host["PidsLimit"] == 512);
  CHECK(host["NetworkMode"] == "bridge");
  CHECK(host["SecurityOpt"] == json::array({"no-new-privileges"}));
  CHECK(host["CapDrop"] == json::array({"NET_RAW"}));
  CHECK(host["Ulimits"][0] == json{{"Name", "nofile"}, {"Soft", 1024}, {"Hard", 1024}});
  CHECK_FALSE(host.contains("Binds"));
  CHECK(container_name(order.run) == "troupe-01890000-0000-7000-8000-000000000001-2");
}

TEST_CASE("an image is found by name, else by pattern") {
  auto options = image_options{};
  options.images = {{"almalinux-9-x86_64", "localhost/alma:9"}};
  auto spec = test_spec{};
  spec.dist_name = "almalinux";
  spec.dist_version = "9";
  spec.dist_arch = "x86_64";
  CHECK(image_for(options, spec) == "localhost/alma:9");
  spec.dist_arch = "aarch64";
  CHECK(image_for(options, spec) == "almalinux:9");
  options.pattern = "registry.local/{dist_arch}/{dist_name}:{dist_version}";
  CHECK(image_for(options, spec) == "registry.local/aarch64/almalinux:9");
}

TEST_CASE("architectures have the engine's names") {
  CHECK(engine_arch("x86_64") == "amd64");
  CHECK(engine_arch("x86_64_v2") == "amd64");
  CHECK(engine_arch("i686") == "386");
  CHECK(engine_arch("aarch64") == "arm64");
  CHECK(engine_arch("riscv128").empty());
}

TEST_CASE("a reference splits into name and tag for a pull") {
  using pair = std::pair<std::string, std::string>;
  CHECK(split_reference("almalinux:9") == pair{"almalinux", "9"});
  CHECK(split_reference("debian") == pair{"debian", "latest"});
  CHECK(split_reference("host:5000/a/b") == pair{"host:5000/a/b", "latest"});
  CHECK(split_reference("host:5000/a/b:1") == pair{"host:5000/a/b", "1"});
  CHECK(split_reference("a@sha256:0123") == pair{"a@sha256:0123", ""});
}

TEST_CASE("an orphan is a labelled container whose run is unknown or late") {
  auto list = json::parse(R"([
    {"Id":"1","Labels":{"troupe":"1","troupe.runner":"r","troupe.job":"01890000-0000-7000-8000-000000000001","troupe.run":"0","troupe.deadline":"4000000000"}},
    {"Id":"2","Labels":{"troupe":"1","troupe.runner":"r","troupe.job":"01890000-0000-7000-8000-000000000001","troupe.run":"1","troupe.deadline":"4000000000"}},
    {"Id":"3","Labels":{"troupe":"1","troupe.runner":"r","troupe.job":"01890000-0000-7000-8000-000000000001","troupe.run":"0","troupe.deadline":"1000"}},
    {"Id":"4","Labels":{"troupe":"1","troupe.runner":"r","troupe.job":"nonsense","troupe.run":"-1"}},
    {"Id":"5","Labels":{"other":"1"}}, {"Id":"6","Labels":null}, {"Labels":{"troupe":"1"}}, 7])");
  auto found = read_containers(list);
  REQUIRE(found.size() == 4);
  auto alive = std::vector<run_key>{{*parse_job_id("01890000-0000-7000-8000-000000000001"), 0}};
  auto at_time = std::chrono::system_clock::time_point{2'000'000'000s};
  CHECK_FALSE(is_orphan(found[0], alive, at_time));
  CHECK(is_orphan(found[1], alive, at_time));
  CHECK(is_orphan(found[2], alive, at_time));
  CHECK(is_orphan(found[3], alive, at_time));
  CHECK(read_containers(json{{"message", "x"}}).empty());
}
