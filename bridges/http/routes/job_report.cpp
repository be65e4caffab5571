#include "bridges/http/routes/job_report.hpp"

#include <cstdio>

namespace troupe {

namespace {

/// Escapes markup and drops what XML 1.0 cannot hold at all.
std::string xml_text(std::string_view text) {
  auto out = std::string{};
  for (auto c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20)
          out += c;
    }
  }
  return out;
}

std::string seconds_between(caf::timestamp from, caf::timestamp to) {
  auto seconds = to > from ? std::chrono::duration<double>(to - from).count() : 0.0;
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return text;
}

/// One line without characters that end it or begin a TAP directive.
std::string tap_text(std::string_view text) {
  auto out = std::string{};
  for (auto c : text)
    out += c == '#' || static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out;
}

std::string attribute(const char* name, std::string_view value) {
  return std::string{" "} + name + "=\"" + xml_text(value) + '"';
}

std::string junit_case(const stage& step) {
  auto out = "  <testcase" + attribute("name", step.name)
             + attribute("time", seconds_between(step.started_at, step.finished_at)) + '>';
  if (!step.finished)
    out += "<skipped/>";
  else if (!step.success)
    out += (verdict_of(step.why) == verdict::fail ? "<failure" : "<error")
           + attribute("type", name_of(step.why)) + attribute("message", step.note) + "/>";
  if (!step.output.empty())
    out += "<system-out>" + xml_text(step.output) + "</system-out>";
  return out + "</testcase>\n";
}

} // namespace

std::string junit_report(const job_view& job) {
  auto failures = 0;
  auto errors = 0;
  auto skipped = 0;
  auto cases = std::string{};
  auto stages = job.runs.empty() ? std::vector<stage>{} : job.runs.back().stages;
  for (const auto& step : stages) {
    skipped += !step.finished;
    if (step.finished && !step.success)
      ++(verdict_of(step.why) == verdict::fail ? failures : errors);
    cases += junit_case(step);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite" + attribute("name", job.subject)
         + attribute("id", to_string(job.job)) + attribute("tests", std::to_string(stages.size()))
         + attribute("failures", std::to_string(failures))
         + attribute("errors", std::to_string(errors))
         + attribute("skipped", std::to_string(skipped)) + ">\n" + cases + "</testsuite>\n";
}

std::string tap_report(const job_view& job) {
  auto stages = job.runs.empty() ? std::vector<stage>{} : job.runs.back().stages;
  auto out = "TAP version 13\n1.." + std::to_string(stages.size()) + '\n';
  auto number = 0;
  for (const auto& step : stages) {
    out += (step.finished && !step.success ? "not ok " : "ok ") + std::to_string(++number) + " - "
           + tap_text(step.name);
    if (!step.finished)
      out += " # SKIP not run";
    out += '\n';
    if (!step.note.empty())
      out += "# " + tap_text(step.note) + '\n';
  }
  return out;
}

} // namespace troupe
