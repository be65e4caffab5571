#pragma once

#include "messages/error.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// What to do with a file that is there already.
enum class present_file : uint8_t { keep, replace };

/// Writes a file so that it is on disk, whole, with these permissions, or not
/// there at all. Errors: `ec::conflict` if it is there and is to be kept,
/// `ec::disk_full`, `ec::unavailable`, each with the path and the system's text.
caf::error write_durable_file(const std::string& path, std::string_view text, unsigned mode,
                              present_file there);

/// Makes a private folder (0700); one that is there stays as it is. Errors: as above.
caf::error make_private_folder(const std::string& path);

/// Gives the finished folder `from` the name `to`; an empty folder of that name
/// is replaced, anything else is not. Errors: as above.
caf::error publish_folder(const std::string& from, const std::string& to);

/// Keeps other processes from changing a folder for as long as it lives.
class folder_lock {
public:
  /// Waits for the lock. Errors: `ec::not_found`, `ec::unavailable`.
  static caf::expected<folder_lock> take(const std::string& folder);

  folder_lock(folder_lock&& other) noexcept;
  folder_lock& operator=(folder_lock&& other) noexcept;
  ~folder_lock();

private:
  explicit folder_lock(int fd) : fd_{fd} {}
  int fd_ = -1;
};

} // namespace troupe
