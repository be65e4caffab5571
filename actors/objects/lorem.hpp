#pragma once

#include <random>
#include <string>

namespace troupe {

/// Returns `count` random words of Latin-like filler, separated by blanks.
std::string lorem(std::minstd_rand& chance, size_t count);

} // namespace troupe
