#pragma once

#include <cstddef>
#include <vector>

namespace troupe::bench {

/// Milliseconds of `GET /machines` of a node with so many machines, at its client.
std::vector<double> measure_list(size_t machines, unsigned asks);

/// A node that keeps a million machines, each with 20 runs on disk.
struct scale_figures {
  std::vector<double> page_ms; ///< `GET /machines?limit=100`, at its client.
  std::vector<double> get_ms;  ///< `GET /machines/{id}`, with its recent tasks.
  double resident_mib = 0;     ///< Of the node, after these.
};
scale_figures measure_scale(size_t machines, unsigned asks);

/// Seconds in which the rows of so many signs are made anew from the journal. Throws if they
/// differ from those that were made while the signs came.
double measure_rebuild(size_t signs);

} // namespace troupe::bench
