#include "tests/support/package_repository.hpp"

#include "tests/support/child_process.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace troupe::tests {

namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view text, bool executable = false) {
  fs::create_directories(path.parent_path());
  std::ofstream{path} << text;
  if (executable)
    fs::permissions(path, fs::perms{0755});
}

void run(const std::string& package, const std::vector<std::string>& argv) {
  auto made = run_process(argv);
  if (made.exit_code != 0)
    throw std::runtime_error{argv[0] + " failed (is the package " + package
                             + " installed?): " + made.output};
}

std::string text_of(const fs::path& path) {
  auto in = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

package_repository::package_repository() {
  const auto top = fs::path{folder_.path()};
  const auto good = top / "troupe-good";
  write(top / "good.c", "#include <stdio.h>\nint main(void) { return puts(\"good\") < 0; }\n");
  write(top / "missing.c", "int missing(void) { return 0; }\n");
  write(top / "needs.c", "int missing(void);\nint main(void) { return missing(); }\n");
  fs::create_directories(good / "usr/bin");
  run("gcc", {"gcc", "-o", good / "usr/bin/troupe-good", top / "good.c"});
  fs::create_symlink("troupe-good", good / "usr/bin/troupe-alias");
  write(good / "usr/share/doc/troupe-good/README", "Small images leave this out.\n");
  write(good / "usr/share/man/man1/troupe-good.1", ".TH TROUPE-GOOD 1\n");

  const auto bad = top / "troupe-bad";
  fs::create_directories(bad / "usr/share/troupe-bad");
  fs::create_directories(bad / "usr/lib/troupe-bad");
  fs::create_symlink("/nonexistent/target", bad / "usr/share/troupe-bad/broken");
  run("gcc", {"gcc", "-shared", "-fPIC", "-o", top / "libtroupemissing.so", top / "missing.c"});
  run("gcc", {"gcc", "-o", bad / "usr/lib/troupe-bad/needs", top / "needs.c", "-L" + top.string(),
              "-ltroupemissing"});
  run("gcc", {"gcc", "-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,/opt/troupe:", "-o",
              bad / "usr/lib/troupe-bad/plugin.so", top / "missing.c"});

  write(top / "troupe-slow/DEBIAN/postinst", "#!/bin/sh\necho postinst sleeps\nsleep 600\n", true);

  for (auto* name : {"troupe-good", "troupe-bad", "troupe-slow"})
    build(name);
  auto index = run_process({"env", "--chdir=" + folder_.path() + "/repo", "sh", "-c",
                            "dpkg-scanpackages -m . > Packages 2> /dev/null"});
  if (index.exit_code != 0)
    throw std::runtime_error{"please install the package dpkg-dev"};
  for (const auto& entry : fs::directory_iterator{top / "repo"})
    files_.push_back(
      {"/srv/repo/" + entry.path().filename().string(), 0644, text_of(entry.path())});
  files_.push_back({"/etc/apt/sources.list", 0644, ""});
}

void package_repository::build(const std::string& name) {
  const auto tree = fs::path{folder_.path()} / name;
  write(tree / "DEBIAN/control", "Package: " + name
                                   + "\nVersion: 1.0-1\nArchitecture: amd64\n"
                                     "Maintainer: Troupe <troupe@example.org>\n"
                                     "Description: a package for tests\n");
  fs::create_directories(fs::path{folder_.path()} / "repo");
  run("dpkg", {"dpkg-deb", "--root-owner-group", "-b", tree, folder_.path() + "/repo"});
}

package_repository& package_repository::shared() {
  static auto repository = package_repository{};
  return repository;
}

} // namespace troupe::tests
