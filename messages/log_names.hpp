#pragma once

#include "messages/job.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Longest name of a stage, in bytes; longer ones are cut.
inline constexpr auto longest_stage_name = size_t{128};

/// Names the logs of one run as its stages come. No two are the same, and the
/// same stages get the same names wherever they are counted.
class log_namer {
public:
  /// Returns the name of the next stage's log: "<stage>.log", "<stage>-2.log", ...
  std::string next(std::string_view stage);

private:
  std::set<std::string> taken_;
  std::map<std::string, int> tried_; ///< Per stem: the last number.
};

/// Returns the log name of each stage, those of closed logs by their reference.
std::vector<std::string> log_names(const std::vector<stage>& stages);

} // namespace troupe
