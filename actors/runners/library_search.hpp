#pragma once

#include "actors/runners/elf_file.hpp"
#include "actors/runners/package_session.hpp"

#include <map>
#include <optional>
#include <set>

namespace troupe {

/// A binary of the package. Without `elf` it was too large to be read.
struct binary_file {
  std::string path;
  std::optional<elf_file> elf;
};

/// Finds shared libraries that are missing, by ldd in the environment, or without
/// one by the search that the loader does; adds one sentence per binary to `problems`.
stage_end find_missing_libraries(package_session& s, const std::vector<binary_file>& binaries,
                                 std::vector<std::string>& problems);

/// What ldd says of one file.
struct ldd_answer {
  std::vector<std::string> missing; ///< Names of libraries.
  int32_t exit_code = 0;
};

/// Reads the answer of the script that runs ldd over many files, by their number.
std::map<size_t, ldd_answer> read_ldd(std::string_view text);

/// Returns the names of all libraries in the loader's cache (/etc/ld.so.cache,
/// either form); the bytes may be hostile. Source: glibc, dl-cache.h.
std::set<std::string> read_loader_cache(std::string_view bytes);

/// Returns the folders that a binary names itself, `$ORIGIN` filled in.
std::vector<std::string> own_folders(const binary_file& binary);

} // namespace troupe
