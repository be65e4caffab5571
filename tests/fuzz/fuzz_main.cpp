/// Runs a fuzz target without libFuzzer: replays a corpus, then mutates it
/// deterministically, so that every run of the tests does the same work. With
/// clang the targets link with -fsanitize=fuzzer instead and this file stays out.
///
/// Usage: <target> [-runs=N] [-seed=N] [folder or file]...
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace {

std::string current; ///< What the target is reading now, for the report of a crash.

/// Writes the input in hexadecimal; only calls that a signal handler may make.
void report_input() {
  static constexpr char digits[] = "0123456789abcdef";
  auto put = [](const char* text, size_t size) { return ::write(STDERR_FILENO, text, size); };
  auto written = put("\nfuzz input: ", 13);
  for (auto c : current) {
    auto byte = static_cast<uint8_t>(c);
    const char pair[] = {digits[byte >> 4], digits[byte & 15]};
    written = put(pair, 2);
  }
  written = put("\n", 1);
  (void)written;
}

void on_signal(int number) {
  report_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run_once(std::string input) {
  current = std::move(input);
  // A copy of exact size, so that the address sanitizer sees a read past the end.
  auto exact = std::vector<uint8_t>(current.begin(), current.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// Source: Marsaglia, xorshift64.
class random_source {
public:
  explicit random_source(uint64_t seed) : state_{seed ? seed : 1} {}

  size_t below(size_t n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return n == 0 ? 0 : static_cast<size_t>(state_ % n);
  }

private:
  uint64_t state_;
};

constexpr size_t max_input = 8192;

std::string mutate(random_source& random, const std::vector<std::string>& corpus) {
  static constexpr char bytes[] = "\0\r\n\t :,;\"{}[]\\%.=/#0189Aaz\x7f\x80\xff";
  static constexpr auto interesting = std::string_view{bytes, sizeof bytes - 1};
  auto x = corpus[random.below(corpus.size())];
  for (auto rounds = 1 + random.below(4); rounds > 0; --rounds) {
    auto place = random.below(x.size() + 1);
    auto length = std::min(x.size() - place, 1 + random.below(32));
    switch (random.below(7)) {
      case 0: // Flip a bit.
        if (place < x.size())
          x[place] = static_cast<char>(x[place] ^ (1 << random.below(8)));
        break;
      case 1: // A byte that parsers care about.
        x.insert(place, 1, interesting[random.below(interesting.size())]);
        break;
      case 2:
        if (place < x.size())
          x[place] = interesting[random.below(interesting.size())];
        break;
      case 3: x.erase(place, length); break;
      case 4: x.insert(place, x.substr(place, length)); break;
      case 5:
        x.insert(place, 1 + random.below(300), interesting[random.below(interesting.size())]);
        break;
      default: { // A piece of another input.
        const auto& other = corpus[random.below(corpus.size())];
        auto from = random.below(other.size() + 1);
        x.replace(place, length, other.substr(from, random.below(other.size() + 1)));
      }
    }
  }
  if (x.size() > max_input)
    x.resize(max_input);
  return x;
}

void load(const std::filesystem::path& path, std::vector<std::string>& corpus) {
  auto files = std::vector<std::filesystem::path>{};
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator{path})
      files.push_back(entry.path());
  } else {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    auto in = std::ifstream{file, std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
  }
}

} // namespace

int main(int argc, char** argv) {
  auto runs = size_t{20'000};
  auto seed = uint64_t{20'261'121};
  auto corpus = std::vector<std::string>{};
  for (auto i = 1; i < argc; ++i) {
    auto arg = std::string_view{argv[i]};
    if (arg.starts_with("-runs="))
      std::from_chars(arg.data() + 6, arg.data() + arg.size(), runs);
    else if (arg.starts_with("-seed="))
      std::from_chars(arg.data() + 6, arg.data() + arg.size(), seed);
    else
      load(arg, corpus);
  }
  if (corpus.empty())
    corpus.emplace_back();
  for (auto number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(number, on_signal);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(report_input);
  for (const auto& input : corpus)
    run_once(input);
  auto random = random_source{seed};
  for (auto i = size_t{0}; i < runs; ++i)
    run_once(mutate(random, corpus));
  std::printf("replayed %zu inputs, ran %zu mutations\n", corpus.size(), runs);
  return EXIT_SUCCESS;
}
