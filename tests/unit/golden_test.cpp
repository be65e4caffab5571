/// The bytes of each record that the last release wrote are read with their values, and
/// what is written today is what that release reads, with something appended.
#include "actors/artifacts/packed_file.hpp"
#include "actors/jobs/history_index.hpp"
#include "actors/journal/journal_backend.hpp"
#include "actors/machines/machine_history.hpp"
#include "actors/machines/machine_table.hpp"
#include "messages/job_events.hpp"
#include "messages/protocols.hpp"
#include "messages/test.hpp"
#include "tests/support/golden_record.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <tuple>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// What travels or is stored, but for what is only found inside of others. The records
/// of a release join when its bytes do: TROUPE_GOLDEN_OUT=FILE writes those of today.
using records = std::tuple<
  append_events, append_results, read_events, event_batch, cursor, cursor_list, trim_journal,
  journal_status, submit_job, submit_jobs, job_accepted, jobs_accepted, cancel_job, retry_job,
  job_status, claim_runs, claimed_runs, renew_leases, lease_states, finish_runs, finish_outcomes,
  report_stages, cancel_runs, runner_status, runner_list, queue_list, get_job, job_view, list_jobs,
  job_page, read_live_jobs, live_jobs, write_artifact, close_artifact, read_artifact, artifact_ref,
  artifact_chunk, list_artifacts, artifact_list, node_status, node_hello, node_welcome, node_ping,
  node_list, node_view, job_queued, run_started, run_progressed, run_finished, cancel_requested,
  job_closed, ledger_opened, test_spec, packed_index, history_mark, journal_head, kept_id,
  machine_seen, machine_quarantined, machine_inventory, machine_forgotten, machine_alert,
  machine_record, history_entry, machine_mark, quarantine_history>;

template <class F>
void for_each_known(F f) {
  std::apply([&](const auto&... x) { (for_each_record<std::decay_t<decltype(x)>>(f), ...); },
             records{});
}

std::string to_hex(std::string_view bytes) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto out = std::string{};
  for (auto c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string from_hex(std::string_view text) {
  auto out = std::string{};
  for (auto i = size_t{0}; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  return out;
}

/// Returns the words that a field may hold, in the order of their numbers; mostly none.
template <class T>
std::string words_of() {
  auto out = std::string{};
  if constexpr (named_enum<T>)
    for (auto word : enum_names<T>)
      out += std::string{word} + ',';
  else if constexpr (is_list<T> || is_optional<T>)
    out = words_of<typename T::value_type>();
  return out;
}

/// The lines of a golden file: records with count and bytes, fields of words with these.
struct golden {
  field_counts counts;
  std::map<std::string, std::string, std::less<>> bytes;
  std::map<std::string, std::string, std::less<>> words;

  explicit golden(const std::string& path) {
    auto in = std::ifstream{path};
    auto what = std::string{};
    auto name = std::string{};
    auto value = std::string{};
    while (in >> what) {
      if (what == "record") {
        auto count = size_t{0};
        in >> name >> count >> value;
        counts[name] = count;
        bytes[name] = from_hex(value);
      } else if (what == "words") {
        in >> name >> value;
        words[name] = value;
      } else {
        std::getline(in, value); // a comment
      }
    }
  }
};

/// Writes today's records as a golden file.
struct golden_writer {
  std::map<std::string, std::string> lines;

  template <record T>
  void operator()() {
    auto count = std::tuple_size_v<std::decay_t<decltype(T::fields)>>;
    lines[T::type_name] = "record " + std::string{T::type_name} + ' ' + std::to_string(count) + ' '
                          + to_hex(encode(filled<T>())) + '\n';
    for_each_field<T>([&](const auto& m) {
      using type = std::decay_t<decltype(std::declval<T>().*m.member)>;
      auto name = std::string{T::type_name} + '.' + m.name;
      if (auto words = words_of<type>(); !words.empty())
        lines[name] = "words " + name + ' ' + words + '\n';
    });
  }
};

const auto last_release = std::string{TROUPE_SOURCE_DIR "/tests/golden/release_1.txt"};

} // namespace

TEST_CASE("records of the last release are read, and those of today by it", "[unit][codec]") {
  auto old = golden{last_release};
  REQUIRE(old.bytes.size() >= 60);
  auto met = std::map<std::string, int>{};
  for_each_known([&]<class T>() {
    auto name = std::string{T::type_name};
    auto was = old.bytes.find(name);
    if (was == old.bytes.end() || met[name]++ > 0)
      return;
    INFO(name);
    // What it wrote has the same values here, and defaults for what was appended since.
    auto here = decode<T>(was->second);
    REQUIRE(here);
    auto expected = filled<T>();
    forget(expected, old.counts);
    CHECK(encode(*here) == encode(expected));
    // What is written here begins, in each record inside of it too, with what it reads.
    auto there = std::string{};
    encode_as_known(there, filled<T>(), old.counts);
    CHECK(to_hex(there) == to_hex(was->second));
    auto again = decode<T>(encode(filled<T>()));
    REQUIRE(again);
    CHECK(encode(*again) == encode(filled<T>()));
  });
  // None that travels or is stored may go, either.
  for (const auto& [name, bytes] : old.bytes)
    if (met[name] == 0)
      FAIL_CHECK("nothing reads " << name);
}

TEST_CASE("words of the last release have their numbers still", "[unit][codec]") {
  auto writer = golden_writer{};
  for_each_known([&]<class T>() { writer.template operator()<T>(); });
  if (const auto* path = std::getenv("TROUPE_GOLDEN_OUT")) {
    auto out = std::ofstream{path};
    for (const auto& [name, line] : writer.lines)
      out << line;
  }
  auto old = golden{last_release};
  REQUIRE_FALSE(old.words.empty());
  for (const auto& [name, words] : old.words) {
    INFO(name);
    REQUIRE(writer.lines.count(name) == 1);
    CHECK(writer.lines[name].rfind("words " + name + ' ' + words, 0) == 0);
  }
}
