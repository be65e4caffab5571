#include "bench/machines_scale.hpp"

#include "actors/journal/embedded_backend.hpp"
#include "actors/machines/machine_table.hpp"
#include "bench/machines_fill.hpp"
#include "bench/measured_node.hpp"
#include "tests/support/temp_folder.hpp"

#include <chrono>
#include <stdexcept>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto roles = "  journal: {}\n  machines: {alerts: {enabled: false}}\n"
                       "  http: {port: 0}\n";

double since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// Milliseconds of each of `asks` calls; `path_of` is told their numbers. The first call warms up.
template <class F>
std::vector<double> ask(http_client& client, unsigned asks, size_t least_bytes, F path_of) {
  auto out = std::vector<double>{};
  for (auto i = 0U; i <= asks; ++i) {
    auto start = steady::now();
    auto answer = client.get(path_of(i));
    auto ms = 1'000 * since(start);
    if (!answer || answer->status != 200 || answer->body.size() < least_bytes)
      throw std::runtime_error{path_of(i) + " is not answered: "
                               + (answer ? answer->body.substr(0, 200) : one_line(answer.error()))};
    if (i > 0)
      out.push_back(ms);
  }
  return out;
}

std::shared_ptr<database> open_store(const std::string& data) {
  auto db = database::open(data + "/store", {});
  if (!db)
    throw std::runtime_error{one_line(db.error())};
  return *db;
}

std::string dump(const projection_table& table) {
  auto out = std::string{};
  if (auto why = table.scan({}, [&](std::string_view key, std::string_view value) {
        out.append(key).append(1, '=').append(value).append(1, '\n');
        return true;
      }))
    throw std::runtime_error{one_line(why)};
  return out;
}

} // namespace

std::vector<double> measure_list(size_t machines, unsigned asks) {
  auto folder = tests::temp_folder{};
  auto data = folder.path() + "/data";
  fill_journal(data, machines, machines);
  auto node = measured_node{roles, data};
  auto client = node.client();
  return ask(client, asks, machines * 50, [](unsigned) { return std::string{"/machines"}; });
}

scale_figures measure_scale(size_t machines, unsigned asks) {
  auto folder = tests::temp_folder{};
  auto data = folder.path() + "/data";
  fill_tracker(data, machines, 20);
  auto node = measured_node{roles, data};
  auto client = node.client();
  auto out = scale_figures{};
  auto far = [&](unsigned i) { return 7'919 * size_t{i} % machines; };
  out.page_ms = ask(client, asks, 10'000, [](unsigned i) {
    return std::string{i % 2 == 0 ? "/machines?limit=100&sort=lastseen"
                                  : "/machines?limit=100&datacenter=mdc2&state=idle"};
  });
  out.get_ms =
    ask(client, asks, 2'000, [&](unsigned i) { return "/machines/" + bench_machine(far(i)); });
  out.resident_mib = node.process.resident_mib();
  return out;
}

double measure_rebuild(size_t signs) {
  auto folder = tests::temp_folder{};
  auto other = tests::temp_folder{};
  auto data = folder.path() + "/data";
  fill_journal(data, 10'000, signs);
  auto db = open_store(data);
  auto journal = embedded_backend::open(db);
  if (!journal)
    throw std::runtime_error{one_line(journal.error())};
  auto limits = machine_limits{};
  auto made = make_projection_table(open_store(other.path()), family::machines);
  auto start = steady::now();
  auto table = machine_table{made, limits};
  auto why = table.open();
  auto next = (*journal)->head().first;
  while (!why && table.applied() + 1 < (*journal)->head().next) {
    auto batch = (*journal)->read({next, 4096, 4U << 20});
    if (!batch)
      throw std::runtime_error{one_line(batch.error())};
    why = table.apply(*batch);
    next = batch->next;
  }
  auto seconds = since(start);
  if (why)
    throw std::runtime_error{one_line(why)};
  if (dump(*made) != dump(*make_projection_table(db, family::machines)))
    throw std::runtime_error{"a rebuilt tracker differs from the one that was there"};
  return seconds;
}

} // namespace troupe::bench
