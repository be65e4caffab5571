#include "actors/runners/git_checkout.hpp"

#include "actors/owned_fd.hpp"
#include "actors/runners/host_command.hpp"
#include "actors/runners/process_mark.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

namespace troupe {

namespace {

namespace fs = std::filesystem;

constexpr auto most_bytes = uint64_t{64} << 20;
constexpr auto most_files = size_t{20'000};

constexpr auto clone_prefix = std::string_view{"troupe-clone-"};

constexpr auto clone_letters = size_t{6};

/// Locks a folder of this user; empty if somebody else has it.
owned_fd lock_folder(const std::string& path) {
  auto folder = owned_fd{open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat about {};
  if (folder
      && (fstat(folder.get(), &about) != 0 || about.st_uid != geteuid()
          || flock(folder.get(), LOCK_EX | LOCK_NB) != 0))
    folder.reset();
  return folder;
}

/// The folder may be one that others use too, as the system's temporary one.
bool is_clone(const std::string& name) {
  return name.size() == clone_prefix.size() + clone_letters && name.rfind(clone_prefix, 0) == 0;
}

/// A private folder that goes with the object; locked, so that a sweep knows that it is in use.
class clone_folder {
public:
  explicit clone_folder(const std::string& parent) {
    auto fault = std::error_code{};
    auto in = parent.empty() ? fs::temp_directory_path(fault) : fs::path{parent};
    fs::create_directories(in, fault);
    auto pattern = (in / "troupe-new-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      return;
    path_ = pattern;
    lock_ = lock_folder(pattern);
    // Only a locked folder has the name that a sweep looks for.
    auto wanted = in / (std::string{clone_prefix} + pattern.substr(pattern.size() - clone_letters));
    fs::rename(path_, wanted, fault);
    if (!fault)
      path_ = wanted;
  }
  ~clone_folder() {
    auto fault = std::error_code{};
    if (!path_.empty())
      fs::remove_all(path_, fault);
  }
  clone_folder(const clone_folder&) = delete;
  clone_folder& operator=(const clone_folder&) = delete;

  const fs::path& path() const {
    return path_;
  }

private:
  fs::path path_;
  owned_fd lock_;
};

/// git sees no configuration and no credentials of this host, and asks nobody.
std::vector<std::string> git_variables(const std::string& home, const process_mark& mark) {
  auto out = std::vector<std::string>{
    mark.variable(),
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=" + home,
    "LC_ALL=C.UTF-8",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ASKPASS=/bin/false",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_ALLOW_PROTOCOL=http:https",
    "GIT_LFS_SKIP_SMUDGE=1",
  };
  for (auto* name : {"http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"})
    if (const auto* value = std::getenv(name))
      out.push_back(std::string{name} + '=' + value);
  return out;
}

/// Waits between two attempts; returns early on `stop`.
void pause(std::chrono::milliseconds time, std::stop_token stop) {
  auto lock_of = std::mutex{};
  auto lock = std::unique_lock{lock_of};
  auto wake = std::condition_variable_any{};
  wake.wait_for(lock, stop, time, [] { return false; });
}

caf::expected<std::vector<environment_file>> read_tree(const fs::path& top) {
  auto out = std::vector<environment_file>{};
  auto bytes = uint64_t{0};
  auto fault_code = std::error_code{};
  // The iterator follows no symlink to a folder, and those to files are left out.
  auto walk = fs::recursive_directory_iterator{top, fault_code};
  for (; !fault_code && walk != fs::end(walk); walk.increment(fault_code)) {
    auto status = walk->symlink_status(fault_code);
    if (walk->path().filename() == ".git") {
      walk.disable_recursion_pending();
      continue;
    }
    if (fault_code || !fs::is_regular_file(status))
      continue;
    auto size = walk->file_size(fault_code);
    if (out.size() == most_files || size > most_bytes - bytes)
      return fault(ec::too_large, "the repository holds more than 64 MiB or 20000 files");
    auto in = std::ifstream{walk->path(), std::ios::binary};
    auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
    bytes += text.size();
    auto mode =
      static_cast<uint32_t>(status.permissions() & fs::perms::owner_exec) != 0 ? 0755u : 0644u;
    out.push_back({walk->path().lexically_relative(top).string(), mode, std::move(text)});
  }
  if (fault_code)
    return fault(ec::unavailable, "cannot read the clone: " + fault_code.message());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

} // namespace

std::string fetched_ref(const git_source& what) {
  auto slash = what.ref.find('/');
  if (what.url.find("gerrit") == std::string::npos || slash == std::string::npos || slash == 0
      || what.ref.find_first_not_of("0123456789/") != std::string::npos)
    return what.ref;
  auto review = what.ref.substr(0, slash);
  auto last = review.size() < 2 ? '0' + review : review.substr(review.size() - 2);
  return "refs/changes/" + last + '/' + what.ref;
}

void sweep_clones(const std::string& work_folder) {
  if (work_folder.empty())
    return;
  sweep_marks(work_folder);
  auto none = std::error_code{};
  for (auto i = fs::directory_iterator{work_folder, none}; !none && i != fs::end(i);
       i.increment(none)) {
    auto path = i->path();
    if (!is_clone(path.filename().string()) || !lock_folder(path.string()))
      continue;
    auto fault = std::error_code{};
    fs::remove_all(path, fault);
  }
}

caf::expected<std::vector<environment_file>>
checkout_files(const git_source& what, const package_test_options& options, std::stop_token stop,
               const std::function<void(std::string_view)>& say) {
  auto ref = fetched_ref(what);
  auto why = std::string{"no attempt was made"};
  for (auto attempt = uint32_t{0}; attempt < std::max(options.git_attempts, 1u); ++attempt) {
    if (attempt > 0)
      pause(options.git_pause, stop);
    if (stop.stop_requested())
      return fault(ec::canceled, "canceled while it cloned");
    auto folder = clone_folder{options.work_folder};
    if (folder.path().empty())
      return fault(ec::unavailable, "cannot make a folder for a clone");
    auto mark = process_mark::make(options.work_folder, "clone");
    if (!mark)
      return std::move(mark.error());
    auto home = folder.path().string();
    auto tree = home + "/tree";
    auto git = [&](std::vector<std::string> argv) {
      argv.insert(argv.begin(), options.git);
      auto limit = std::chrono::ceil<std::chrono::seconds>(options.git_limit);
      return run_on_host({std::move(argv), git_variables(home, *mark), home, limit}, stop, say);
    };
    auto good = [&](const command_result& result, const char* step) {
      if (result.how == command_result::end::exited && result.exit_code == 0)
        return true;
      why = std::string{step}
            + (result.how == command_result::end::timed_out ? " took too long"
               : result.how == command_result::end::infra
                 ? " was not started: " + result.detail
                 : " ended with exit code " + std::to_string(result.exit_code));
      return false;
    };
    auto fetch = [&](const std::string& wanted) {
      return git({"-C", tree, "fetch", "--depth", "1", "--no-tags", "--", what.url, wanted});
    };
    if (!good(git({"init", "--quiet", "--", tree}), "git init"))
      continue;
    auto fetched =
      good(fetch(ref), "git fetch")
      || (ref == "master" && !stop.stop_requested() && good(fetch("HEAD"), "git fetch"));
    if (fetched
        && good(git({"-C", tree, "checkout", "--quiet", "--detach", "FETCH_HEAD"}), "git checkout"))
      return read_tree(tree);
  }
  if (stop.stop_requested())
    return fault(ec::canceled, "canceled while it cloned");
  return fault(ec::unavailable, why);
}

} // namespace troupe
