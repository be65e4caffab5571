#include "actors/runners/exec_protocol.hpp"

#include "messages/json.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto line_limit = size_t{1} << 20;
constexpr auto early_errors_limit = size_t{64} << 10;
constexpr auto longest_quote = size_t{80};
constexpr auto any_size = rule{.max_size = line_limit};

/// Whether a verdict can have this reason.
bool agree(verdict result, reason why) {
  if (why == reason::none)
    return result == verdict::pass || result == verdict::neutral;
  return result == verdict_of(why);
}

} // namespace

/// One line, whatever its type.
struct exec_protocol::line {
  std::string type;
  std::string name;
  std::string text;
  std::string path;
  bool success = false;
  int32_t exit_code = 0;
  std::string why;
  std::string note;
  std::string output;
  std::string result;

  static constexpr auto type_name = "troupe::exec_line";
  static constexpr auto fields = std::tuple{
    field{"type", &line::type, {.required = true}},
    field{"name", &line::name, {.max_size = 128}},
    field{"text", &line::text, any_size},
    field{"path", &line::path, {.max_size = 4096}},
    field{"success", &line::success},
    field{"exit_code", &line::exit_code},
    field{"reason", &line::why},
    field{"note", &line::note},
    field{"output", &line::output, any_size},
    field{"result", &line::result},
  };
};

exec_protocol::exec_protocol(run_sink& sink, file_reader read_file)
  : sink_{sink}, read_file_{std::move(read_file)} {}

void exec_protocol::feed(std::string_view bytes) {
  while (!bytes.empty() && fault_.empty()) {
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > line_limit) {
      fault_ = "a line is longer than 1 MiB";
      return;
    }
    partial_.append(piece);
    if (end == std::string_view::npos)
      return;
    bytes.remove_prefix(end + 1);
    take(std::exchange(partial_, {}));
  }
}

void exec_protocol::feed_errors(std::string_view bytes) {
  if (!open_stage_.empty())
    return sink_.output(bytes);
  auto room = early_errors_limit - early_errors_.size();
  early_errors_.append(bytes.substr(0, room));
}

void exec_protocol::finish(reason why) {
  if (fault_.empty() && !partial_.empty() && !outcome_)
    take(std::exchange(partial_, {}));
  // What was said outside of all stages is often why there is no result.
  if (open_stage_.empty() && !early_errors_.empty()) {
    sink_.stage_started("command");
    open_stage_ = "command";
    sink_.output(std::exchange(early_errors_, {}));
    if (outcome_ && why == reason::none)
      why = outcome_->why;
  }
  if (open_stage_.empty())
    return;
  auto end = stage{};
  end.name = std::exchange(open_stage_, {});
  end.finished = true;
  end.success = why == reason::none;
  end.why = why;
  sink_.stage_finished(std::move(end));
}

void exec_protocol::take(std::string_view text) {
  if (text.find_first_not_of(" \t\r") == std::string_view::npos)
    return;
  auto what = parse_json<line>(text);
  if (!what) {
    auto quote = std::string{text.substr(0, longest_quote)};
    fault_ = one_line(what.error()) + " in \"" + quote + '"';
    return;
  }
  if (outcome_)
    fault_ = "a line after the result";
  else if (what->type == "stage_started")
    start_stage(*what);
  else if (what->type == "output" && open_stage_.empty())
    fault_ = "output outside of a stage";
  else if (what->type == "output")
    sink_.output(what->text);
  else if (what->type == "stage_finished")
    finish_stage(*what);
  else if (what->type == "artifact")
    keep_artifact(*what);
  else if (what->type == "mask")
    sink_.mask(what->text);
  else if (what->type == "result")
    take_result(*what);
  else
    fault_ = "unknown type \"" + what->type.substr(0, longest_quote) + '"';
}

void exec_protocol::start_stage(const line& what) {
  if (!open_stage_.empty() || !obeys("name", what.name)) {
    fault_ =
      open_stage_.empty() ? "a stage needs a name" : "a stage begins before the last one ended";
    return;
  }
  open_stage_ = what.name;
  sink_.stage_started(what.name);
  if (!early_errors_.empty())
    sink_.output(std::exchange(early_errors_, {}));
}

void exec_protocol::finish_stage(const line& what) {
  auto why = what.why.empty() ? reason::none : enum_of<reason>(what.why);
  if (open_stage_.empty() || (!what.name.empty() && what.name != open_stage_) || !why) {
    fault_ = !why ? "unknown reason \"" + what.why.substr(0, longest_quote) + '"'
                  : "a stage ends that was not open";
    return;
  }
  auto end = stage{};
  end.name = std::exchange(open_stage_, {});
  end.finished = true;
  end.success = what.success;
  end.exit_code = what.exit_code;
  end.why = *why;
  end.note = what.note;
  end.output = what.output;
  sink_.stage_finished(std::move(end));
}

void exec_protocol::keep_artifact(const line& what) {
  if (!obeys("path", what.name)) {
    fault_ = "an artifact needs a name";
    return;
  }
  if (what.path.empty())
    return sink_.artifact(what.name, what.text);
  auto bytes = read_file_(what.path);
  if (bytes)
    sink_.artifact(what.name, *bytes);
  else
    fault_ = "artifact " + what.name + ": " + one_line(bytes.error());
}

void exec_protocol::take_result(const line& what) {
  auto result = enum_of<verdict>(what.result);
  auto why = what.why.empty() ? reason::none : enum_of<reason>(what.why);
  if (result == verdict::fail && why == reason::none)
    why = reason::test_failed;
  if (!result || !why || !agree(*result, *why)) {
    fault_ = "result \"" + what.result.substr(0, longest_quote) + "\" with reason \""
             + what.why.substr(0, longest_quote) + "\"";
    return;
  }
  outcome_ = run_outcome{*result, *why, what.note};
}

} // namespace troupe
