#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a stream in the Test Anything Protocol said. Source: TAP 12 and 13.
struct tap_report {
  bool found = false; ///< A plan or version line was there: the output is TAP.
  std::optional<uint64_t> planned;
  uint64_t seen = 0;   ///< Test lines at the top level.
  uint64_t passed = 0; ///< Includes those with a directive.
  uint64_t skipped = 0;
  uint64_t todo = 0;
  std::vector<std::string> failed; ///< The first 100 descriptions.
  uint64_t failures = 0;
  std::optional<std::string> bail_out;
  std::string skip_all; ///< Reason of "1..0 # SKIP reason".

  /// True if it is TAP and nothing in it is a failure: no "not ok" without
  /// TODO or SKIP, as many tests as planned, no "Bail out!".
  bool ok() const;
  /// True if it is TAP, nothing failed and nothing really ran.
  bool all_skipped() const;
  /// Says in one sentence what is wrong, or how many passed.
  std::string summary() const;
};

/// Reads TAP from a stream that arrives in arbitrary pieces. Unknown lines,
/// diagnostics, YAML blocks and subtests (indented) are passed over.
class tap_reader {
public:
  void feed(std::string_view bytes);
  /// Returns the report; call it after the last byte.
  tap_report finish();

private:
  void read_line(std::string_view line);
  void read_plan(std::string_view rest);
  void read_test(std::string_view rest, bool good);

  std::string line_;
  bool too_long_ = false;
  tap_report report_;
};

/// Writes TAP: the plan comes first, so the number of tests is known.
class tap_writer {
public:
  explicit tap_writer(size_t planned);
  void ok(std::string_view description);
  void not_ok(std::string_view description, const std::vector<std::string>& details);
  void skip(std::string_view description, std::string_view why);
  /// Returns the text so far, at most 64 KiB: details are left out first.
  const std::string& text() const {
    return text_;
  }

private:
  size_t next_ = 1;
  std::string text_;
};

} // namespace troupe
