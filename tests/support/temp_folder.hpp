#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace troupe::tests {

/// A private folder that goes with the object.
class temp_folder {
public:
  temp_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      std::abort();
    path_ = pattern;
  }
  ~temp_folder() {
    auto fault = std::error_code{};
    std::filesystem::remove_all(path_, fault);
  }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;

  const std::string& path() const {
    return path_;
  }

private:
  std::string path_;
};

} // namespace troupe::tests
