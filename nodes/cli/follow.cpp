#include "nodes/cli/follow.hpp"

#include "config/printable.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/interrupt_note.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/log_stream.hpp"
#include "nodes/cli/patience.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/progress.hpp"
#include "nodes/cli/status_line.hpp"

#include <ostream>
#include <thread>

namespace troupe::cli {

namespace {

/// A server that does not hold the request back must not be asked without end.
constexpr auto least_pause = std::chrono::milliseconds{200};

class follower {
public:
  follower(const terminal& io, const settings& in, session& server, job_id job,
           const follow_options& how)
    : io_{io}, in_{in}, server_{server}, job_{job}, how_{how}, line_{in.json ? quiet_ : io},
      progress_{io} {}

  int run() {
    auto calm = patience{in_.timeout};
    while (true) {
      auto asked = std::chrono::steady_clock::now();
      auto raw = json{};
      auto view = server_.get<job_view>(path(), &raw);
      if (!view) {
        tell_away(calm, view.error());
        if (calm.wait_after(view.error()))
          continue;
        return give_up(view.error());
      }
      calm.answered();
      if (view->version != version_ || !seen_)
        tell(*view, raw);
      else if (std::chrono::steady_clock::now() - asked < least_pause)
        std::this_thread::sleep_for(least_pause);
      seen_ = true;
      version_ = view->version;
      if (how_.log && !logged_ && !view->runs.empty())
        show_log();
      if (view->state == job_state::finished)
        return conclude(*view);
    }
  }

private:
  std::string path() const {
    auto at = "/jobs/" + to_string(job_);
    return seen_ ? target(at + "/watch", {{"newer_than", std::to_string(version_)}}) : at;
  }

  void tell(const job_view& view, const json& raw) {
    if (in_.json)
      return write_line(io_, json_text(raw));
    for (const auto& text : progress_.news(view))
      line_.print(text + '\n');
    line_.show([view] { return job_progress::status(view, now()); });
  }

  void tell_away(const patience& calm, const caf::error& why) {
    if (!retryable(why) || calm.waiting())
      return;
    if (!in_.json)
      io_.err << "troupe: " << printable(one_line(why)) << "; trying again\n";
    line_.show([] { return std::string{"the node is away, trying again"}; });
  }

  int give_up(const caf::error& why) {
    line_.show(nullptr);
    if (in_.json)
      write_line(io_, json_text({{"error", error_json(why)}}));
    line_.print("");
    io_.err << "troupe: " << printable(one_line(why)) << '\n';
    return exit_code_of(why);
  }

  /// Shows the log until the job is finished.
  void show_log() {
    logged_ = true;
    line_.show(nullptr);
    auto printer = log_printer{io_, how_.raw};
    auto why = follow_log(in_, server_, job_, {}, [&](const log_piece& piece) {
      if (in_.json)
        write_line(io_, json_text(write_json(piece)));
      else
        line_.print(printer.text_of(piece));
      return true;
    });
    line_.print(printer.end_line());
    // The verdict matters more than its log: go on without.
    if (why && !in_.json)
      io_.err << "troupe: the log cannot be shown: " << printable(one_line(why)) << '\n';
  }

  int conclude(const job_view& view) {
    line_.show(nullptr);
    if (!in_.json) {
      auto id = to_string(job_);
      line_.print(verdict_line(io_, view) + "\n  details  troupe show " + id
                  + "\n  log      troupe logs " + id + "\n  link     " + server_.address()
                  + "/jobs/" + id + '\n');
    }
    return exit_code_of(view.result);
  }

  const terminal& io_;
  const settings& in_;
  session& server_;
  job_id job_;
  follow_options how_;
  terminal quiet_{io_.out, io_.err, false, false};
  status_line line_;
  job_progress progress_;
  bool seen_ = false;
  uint64_t version_ = 0;
  bool logged_ = false;
};

} // namespace

int follow_job(const terminal& io, const settings& in, session& server, const job_id& job,
               const follow_options& how) {
  auto id = to_string(job);
  auto note = interrupt_note{"\nThe job goes on. To follow it again: troupe watch " + id
                             + "\nTo end it: troupe cancel " + id + "\n"};
  return follower{io, in, server, job, how}.run();
}

} // namespace troupe::cli
