#include "actors/runners/tap.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

constexpr auto longest_line = size_t{64 * 1024};
constexpr auto most_failed_names = size_t{100};
constexpr auto longest_output = size_t{60 * 1024};

std::string_view trimmed(std::string_view text) {
  constexpr auto space = std::string_view{" \t\r"};
  auto start = text.find_first_not_of(space);
  if (start == std::string_view::npos)
    return {};
  return text.substr(start, text.find_last_not_of(space) - start + 1);
}

/// Takes a decimal number off the front.
std::optional<uint64_t> take_number(std::string_view& text) {
  auto x = uint64_t{0};
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (fault != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return x;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size()
         && std::equal(word.begin(), word.end(), text.begin(),
                       [](char a, char b) { return a == (b >= 'a' && b <= 'z' ? b - 32 : b); });
}

/// Splits at the first '#' that is not escaped; the right side is the directive.
std::pair<std::string_view, std::string_view> split_directive(std::string_view text) {
  for (auto i = size_t{0}; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '#')
      return {trimmed(text.substr(0, i)), trimmed(text.substr(i + 1))};
  }
  return {trimmed(text), {}};
}

} // namespace

bool tap_report::ok() const {
  return found && failures == 0 && !bail_out && (planned ? *planned == seen : seen > 0);
}

bool tap_report::all_skipped() const {
  return ok() && skipped == seen;
}

std::string tap_report::summary() const {
  if (bail_out)
    return "bailed out: " + *bail_out;
  if (failures > 0) {
    auto text = std::to_string(failures) + " of " + std::to_string(seen) + " not ok: ";
    for (auto i = size_t{0}; i < failed.size() && i < 3; ++i)
      text += (i > 0 ? "; " : "") + failed[i];
    return text;
  }
  if (!ok())
    return planned ? "planned " + std::to_string(*planned) + " tests, ran " + std::to_string(seen)
                   : std::string{"no plan and no test"};
  if (planned == 0u)
    return "skipped: " + (skip_all.empty() ? "nothing is planned" : skip_all);
  auto text = std::to_string(seen) + " ok";
  if (skipped > 0)
    text += ", " + std::to_string(skipped) + " of them skipped";
  return text;
}

void tap_reader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    auto end = std::min(bytes.find('\n'), bytes.size());
    if (line_.size() + end > longest_line)
      too_long_ = true;
    else
      line_.append(bytes.substr(0, end));
    if (end == bytes.size())
      return;
    if (!too_long_)
      read_line(line_);
    line_.clear();
    too_long_ = false;
    bytes.remove_prefix(end + 1);
  }
}

tap_report tap_reader::finish() {
  if (!line_.empty() && !too_long_)
    read_line(line_);
  line_.clear();
  return report_;
}

void tap_reader::read_line(std::string_view line) {
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  if (line.starts_with("TAP version "))
    report_.found = true;
  else if (line.starts_with("1.."))
    read_plan(line.substr(3));
  else if (line.starts_with("Bail out!") && !report_.bail_out)
    report_.bail_out = std::string{trimmed(line.substr(9))};
  else if (line == "ok" || line.starts_with("ok "))
    read_test(line.substr(2), true);
  else if (line == "not ok" || line.starts_with("not ok "))
    read_test(line.substr(6), false);
}

void tap_reader::read_plan(std::string_view rest) {
  auto count = take_number(rest);
  auto [left, directive] = split_directive(rest);
  if (!count || !left.empty() || report_.planned)
    return;
  report_.found = true;
  report_.planned = count;
  if (*count == 0 && starts_with_word(directive, "SKIP"))
    report_.skip_all = std::string{trimmed(directive.substr(4))};
}

void tap_reader::read_test(std::string_view rest, bool good) {
  ++report_.seen;
  rest = trimmed(rest);
  auto number = take_number(rest);
  auto [name, directive] = split_directive(rest);
  if (name.starts_with("- "))
    name.remove_prefix(2);
  if (starts_with_word(directive, "SKIP")) {
    ++report_.skipped;
    ++report_.passed;
  } else if (starts_with_word(directive, "TODO")) {
    ++report_.todo;
    ++report_.passed;
  } else if (good) {
    ++report_.passed;
  } else {
    ++report_.failures;
    if (report_.failed.size() < most_failed_names)
      report_.failed.emplace_back(
        name.empty() ? "test " + std::to_string(number.value_or(report_.seen)) : std::string{name});
  }
}

tap_writer::tap_writer(size_t planned) : text_{"1.." + std::to_string(planned) + '\n'} {}

void tap_writer::ok(std::string_view description) {
  text_ += "ok " + std::to_string(next_++) + " - " + std::string{description} + '\n';
}

void tap_writer::not_ok(std::string_view description, const std::vector<std::string>& details) {
  text_ += "not ok " + std::to_string(next_++) + " - " + std::string{description} + '\n';
  for (auto i = size_t{0}; i < details.size(); ++i) {
    if (text_.size() + details[i].size() > longest_output) {
      text_ += "# and " + std::to_string(details.size() - i) + " more\n";
      return;
    }
    text_ += "# ";
    // A file name may hold anything; one detail stays one line.
    std::replace_copy(details[i].begin(), details[i].end(), std::back_inserter(text_), '\n', '?');
    text_ += '\n';
  }
}

void tap_writer::skip(std::string_view description, std::string_view why) {
  text_ += "ok " + std::to_string(next_++) + " - " + std::string{description} + " # SKIP "
           + std::string{why} + '\n';
}

} // namespace troupe
