#include "actors/runners/catalog/catalog.hpp"
#include "messages/test.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/recording_sink.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

bool has_ended(pid_t pid) {
  auto stat = tests::slurp("/proc/" + std::to_string(pid) + "/stat");
  return stat.empty() || stat.find(") Z") != std::string::npos;
}

/// A driver whose command is a script that the test writes.
struct exec_world {
  tests::temp_folder folder;
  tests::recording_sink sink;
  std::stop_source stop;
  test_spec spec;
  caf::timespan deadline = 5min;

  run_outcome run(const std::string& script, const std::string& more = {}) {
    auto driver = make_driver(script, more);
    auto order = run_order{};
    order.job = *parse_job_id("0193f3a0-0000-7000-8000-000000000001");
    order.run_id = 4;
    order.kind = "test";
    order.spec = pack(spec);
    order.deadline = deadline;
    return driver->run(order, sink, stop.get_token());
  }

  runner_driver_ptr make_driver(const std::string& script, const std::string& more = {}) const {
    auto program = folder.path() + "/runner";
    std::ofstream{program} << "#!/bin/sh\n" << script;
    fs::permissions(program, fs::perms::owner_all);
    auto options =
      section::from_text("argv: [" + program + ", '" + folder.path() + "']\n" + more, "test");
    REQUIRE(options);
    auto driver = make_runner("exec", *options, {"r1", folder.path() + "/data"});
    REQUIRE(driver);
    return *driver;
  }

  std::string file(const std::string& name) const {
    return tests::slurp(folder.path() + '/' + name);
  }

  /// Whether the process that wrote its number into this file has ended.
  bool is_gone(const std::string& name) const {
    return has_ended(std::stoi(file(name)));
  }
};

constexpr auto stage = R"(echo '{"type":"stage_started","name":"one"}'
)";
constexpr auto pass = R"(echo '{"type":"result","result":"pass"}'
)";

// Its parent goes at once, and its session is another one.
constexpr auto hidden_child = R"(setsid sh -c 'echo $$ > $0/hidden; exec sleep 300' $1 &
)";

size_t open_files() {
  return static_cast<size_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, {}));
}

std::string children() {
  auto in = std::ifstream{"/proc/thread-self/children"};
  auto out = std::string{};
  std::getline(in, out);
  return out;
}

} // namespace

TEST_CASE_METHOD(exec_world, "the command gets the run as one line of JSON",
                 "[integration][exec]") {
  spec.package_name = "bash";
  CHECK(run("cat > $1/input\n" + std::string{pass}).result == verdict::pass);
  auto input = file("input");
  CHECK(std::count(input.begin(), input.end(), '\n') == 1);
  for (const auto* part :
       {R"("version":1)", R"("job_id":"0193f3a0-0000-7000-8000-000000000001")", R"("run_id":4)",
        R"("kind":"test")", R"("deadline_s":300.0)", R"("package_name":"bash")"})
    CHECK(input.find(part) != std::string::npos);
}

TEST_CASE_METHOD(exec_world, "the command gets no variables and no files of this process",
                 "[integration][exec]") {
  setenv("TROUPE_LEAK", "1", 1);
  CHECK(run("env > $1/env; ls /proc/self/fd > $1/fds\n" + std::string{pass}, "variables: {LANG: C}")
          .result
        == verdict::pass);
  unsetenv("TROUPE_LEAK");
  CHECK(file("env").find("TROUPE_LEAK") == std::string::npos);
  CHECK(file("env").find("LANG=C\n") != std::string::npos);
  // Standard streams, the folder that ls reads, and the script that its shell may hold.
  auto fds = file("fds");
  CHECK(std::count(fds.begin(), fds.end(), '\n') <= 5);
}

TEST_CASE_METHOD(exec_world, "stages, output, artifacts and the result reach the sink",
                 "[integration][exec]") {
  auto out = run(R"(
printf 'from a file' > $1/left
echo 'warned' >&2
cat <<END
{"type":"mask","text":"s3cret"}
{"type":"stage_started","name":"one"}
{"type":"output","text":"said\\n"}
{"type":"artifact","name":"a/b.txt","text":"given"}
{"type":"artifact","name":"left","path":"$1/left"}
{"type":"stage_finished","name":"one","success":false,"exit_code":3,"reason":"test-failed","note":"n","output":"not ok 1"}
{"type":"result","result":"fail","note":"one test failed"}
END
)");
  CHECK(out.result == verdict::fail);
  CHECK(out.why == reason::test_failed);
  CHECK(out.note == "one test failed");
  CHECK(sink.breaches.empty());
  REQUIRE(sink.stages.size() == 1);
  CHECK(sink.stages[0].exit_code == 3);
  CHECK(sink.stages[0].why == reason::test_failed);
  CHECK(sink.stages[0].output == "not ok 1");
  CHECK(sink.text.find("said\n") != std::string::npos);
  CHECK(sink.artifacts["a/b.txt"] == "given");
  CHECK(sink.artifacts["left"] == "from a file");
  CHECK(sink.secrets == std::vector<std::string>{"s3cret"});
}

TEST_CASE_METHOD(exec_world, "the error stream is in the log, also without a stage",
                 "[integration][exec]") {
  auto out = run("echo 'no such machine' >&2; exit 3\n");
  CHECK(out.why == reason::exec_infra);
  CHECK(out.note == "the command ended without a result, exit code 3");
  CHECK(sink.text == "no such machine\n");
  CHECK(sink.breaches.empty());
  REQUIRE(sink.stages.size() == 1);
  CHECK_FALSE(sink.stages[0].success);
}

TEST_CASE_METHOD(exec_world, "a breach of the protocol is an infrastructure error that says what",
                 "[integration][exec]") {
  struct breach {
    const char* script;
    const char* note;
  };
  const auto all = std::vector<breach>{
    {"echo hello", "in \"hello\""},
    {"echo '[1]'", "must be an object"},
    {R"(echo '{"type":"dance"}')", "unknown type \"dance\""},
    {R"(echo '{"type":"output","text":"x"}')", "output outside of a stage"},
    {R"(echo '{"type":"stage_finished","name":"x","success":true}')", "was not open"},
    {R"(echo '{"type":"stage_started","name":"../x"}')", "needs a name"},
    {R"(echo '{"type":"artifact","name":"../x","text":""}')", "needs a name"},
    {R"(echo '{"type":"artifact","name":"x","path":"/dev/zero"}')", "not a regular file"},
    {R"(echo '{"type":"result","result":"great"}')", "result \"great\""},
    {R"(echo '{"type":"result","result":"pass","reason":"oom"}')", "reason \"oom\""},
    {R"(echo '{"type":"result","result":"pass"}'; echo '{"type":"result","result":"pass"}')",
     "after the result"},
    {"head -c 1100000 /dev/zero", "longer than 1 MiB"},
    {"printf '\\377\\376\\n'", "broke the protocol"},
  };
  for (const auto& [script, note] : all) {
    INFO(script);
    auto out = run(std::string{script} + "\n");
    CHECK(out.result == verdict::error);
    CHECK(out.why == reason::exec_infra);
    INFO(out.note);
    CHECK(out.note.find(note) != std::string::npos);
    CHECK(sink.open.empty());
    CHECK(sink.breaches.empty());
  }
}

TEST_CASE_METHOD(exec_world, "an early end closes the stage that was open", "[integration][exec]") {
  auto out = run(std::string{stage} + "kill -9 $$\n");
  CHECK(out.why == reason::exec_infra);
  CHECK(out.note == "the command ended without a result, signal 9");
  REQUIRE(sink.stages.size() == 1);
  CHECK_FALSE(sink.stages[0].success);
}

TEST_CASE_METHOD(exec_world,
                 "a stopped command and its children are gone, even if they ignore TERM",
                 "[integration][exec]") {
  sink.on_stage = [this] { stop.request_stop(); };
  auto out = run(R"(trap '' TERM
(trap '' TERM; sleep 300) &
echo $! > $1/child
echo $$ > $1/leader
)" + std::string{stage}
                 + "wait\n");
  CHECK(out.why == reason::canceled);
  CHECK(is_gone("leader"));
  // A grandchild is reaped by another process, at its own pace.
  CHECK(tests::await(20s, [this] { return is_gone("child"); }));
}

TEST_CASE_METHOD(exec_world, "what a command leaves in the background is killed with its end",
                 "[integration][exec]") {
  auto out = run("sleep 300 & echo $! > $1/child\n" + std::string{pass});
  CHECK(out.result == verdict::pass);
  CHECK(tests::await(20s, [this] { return is_gone("child"); }));
}

TEST_CASE_METHOD(exec_world, "what a command hides in a session of its own is killed with its end",
                 "[integration][exec]") {
  auto out =
    run(std::string{hidden_child} + "until [ -s $1/hidden ]; do sleep 0.05; done\n" + pass);
  CHECK(out.result == verdict::pass);
  CHECK(is_gone("hidden"));
  CHECK(fs::is_empty(folder.path() + "/data/processes"));
}

TEST_CASE_METHOD(exec_world, "nothing of a run outlives a killed node",
                 "[integration][exec][kill]") {
  auto stranger = tests::child_process{{"/bin/sleep", "300"},
                                       {"TROUPE_RUN=00000000000000000000000000000000/a/4"},
                                       folder.path() + "/stranger"};
  auto node = fork();
  if (node == 0) {
    run("sleep 300 & echo $! > $1/child\n" + std::string{hidden_child}
        + "echo $$ > $1/leader\nwait\n");
    _exit(0);
  }
  auto started = tests::await(20s, [this] {
    return !file("child").empty() && !file("hidden").empty() && !file("leader").empty();
  });
  kill(node, SIGKILL);
  waitpid(node, nullptr, 0);
  REQUIRE(started);
  // The kernel ends the command itself; its children have other parents now.
  CHECK(tests::await(20s, [this] { return is_gone("leader"); }));
  CHECK_FALSE(is_gone("child"));
  CHECK_FALSE(is_gone("hidden"));
  make_driver(pass)->sweep({});
  CHECK(is_gone("child"));
  CHECK(is_gone("hidden"));
  CHECK(fs::is_empty(folder.path() + "/data/processes"));
  CHECK_FALSE(has_ended(stranger.pid()));
}

TEST_CASE_METHOD(exec_world, "a sweep in the middle of a run spares it, whatever list it was given",
                 "[integration][exec]") {
  sink.on_stage = [this] {
    auto options = section::from_text("argv: [/bin/true]", "test");
    auto other = make_runner("exec", *options, {"r1", folder.path() + "/data"});
    REQUIRE(other);
    (*other)->sweep({});
    std::ofstream{folder.path() + "/swept"} << "yes";
  };
  CHECK(run(std::string{stage} + "until [ -s $1/swept ]; do sleep 0.05; done\n" + pass).result
        == verdict::pass);
}

TEST_CASE_METHOD(exec_world, "a sweep heeds no note that is not its own", "[integration][exec]") {
  auto notes = folder.path() + "/data/processes/";
  fs::create_directories(notes);
  auto stranger = tests::child_process{{"/bin/sleep", "300"}, {"MINE=1"}, notes + "out"};
  auto name = std::string(32, 'a');
  for (const auto* text : {"MINE=1", "", "TROUPE_RUN=", "TROUPE_RUN=/"}) {
    std::ofstream{notes + name} << text;
    make_driver(pass)->sweep({});
    CHECK_FALSE(fs::exists(notes + name));
  }
  CHECK_FALSE(has_ended(stranger.pid()));
  CHECK(fs::exists(notes + "out"));
}

TEST_CASE_METHOD(exec_world, "a command gets TERM at the deadline and may tidy up",
                 "[integration][exec]") {
  deadline = 100ms;
  auto out = run(std::string{stage} + "trap 'touch $1/tidy; exit 0' TERM\nsleep 300 &\nwait\n"
                 + std::string{pass});
  CHECK(out.why == reason::task_timeout);
  // The trap may be set after the signal on a slow machine; then there is nothing to tidy.
  CHECK(sink.open.empty());
}

TEST_CASE_METHOD(exec_world, "a program that cannot be started is an infrastructure error",
                 "[integration][exec]") {
  auto options = section::from_text("argv: [/no/such/program]", "test");
  REQUIRE(options);
  auto driver = make_runner("exec", *options, {"r1", folder.path()});
  REQUIRE(driver);
  CHECK((*driver)->check());
  auto order = run_order{};
  order.kind = "test";
  order.spec = pack(spec);
  auto out = (*driver)->run(order, sink, {});
  CHECK(out.why == reason::exec_infra);
  CHECK(out.note.find("/no/such/program") != std::string::npos);
}

TEST_CASE_METHOD(exec_world, "hundred runs leave no descriptor and no zombie",
                 "[integration][exec]") {
  run(pass);
  auto before = open_files();
  auto children_before = children();
  for (auto i = 0; i < 100; ++i)
    CHECK(run(i % 2 == 0 ? pass : "exit 1\n").result != verdict::none);
  CHECK(open_files() == before);
  CHECK(children() == children_before);
}
