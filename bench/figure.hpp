#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

/// Another system's value for the same work, measured in the same run.
struct peer {
  std::string name;
  std::vector<double> values;
};

/// Which figures to measure: all, or those that the command line names by `--only FIGURE`.
class figure_choice {
public:
  figure_choice(int argc, char** argv) : words_{argv + 1, argv + argc} {}

  bool has(std::string_view figure) const;

private:
  std::vector<std::string_view> words_;
};

/// Prints one line: the figure's median, minimum and maximum over its runs; nothing if there
/// were none.
void print_figure(const std::string& name, const std::string& unit, std::vector<double> values);
void print_figure(const std::string& name, const std::string& unit, std::vector<double> values,
                  peer beside);

/// Returns the median of a non-empty list.
double median(std::vector<double> values);

/// Returns whether `--quick` stands on the command line: one short run each.
bool is_quick(int argc, char** argv);

} // namespace troupe::bench
