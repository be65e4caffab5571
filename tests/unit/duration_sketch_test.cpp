#include "actors/statistics/duration_sketch.hpp"
#include "actors/statistics/rate_ring.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Durations as they come: most of them short, some very long.
std::vector<caf::timespan> durations(size_t count, unsigned seed) {
  auto random = std::mt19937_64{seed};
  auto spread = std::lognormal_distribution<double>{1.0, 2.5};
  auto out = std::vector<caf::timespan>{};
  for (auto i = size_t{0}; i < count; ++i)
    out.push_back(caf::timespan{static_cast<int64_t>(spread(random) * 1e9)});
  return out;
}

duration_sketch sketch_of(const std::vector<caf::timespan>& xs) {
  auto out = duration_sketch{};
  for (auto x : xs)
    out.add(x);
  return out;
}

} // namespace

TEST_CASE("every quantile is within 1/128 of the exact one") {
  auto seed = GENERATE(1u, 2u, 3u);
  auto xs = durations(20'000, seed);
  auto sketch = sketch_of(xs);
  std::sort(xs.begin(), xs.end());
  for (auto q = 0.0; q <= 1.0; q += 0.01) {
    auto rank =
      std::max<size_t>(1, static_cast<size_t>(std::ceil(q * static_cast<double>(xs.size()))));
    auto exact = static_cast<double>(xs[rank - 1].count() / 1000);
    auto found = static_cast<double>(sketch.quantile(q));
    INFO("quantile " << q);
    CHECK(std::abs(found - exact) <= exact / 128 + 1);
  }
  CHECK(sketch.quantile(1.0) == static_cast<uint64_t>(xs.back().count() / 1000));
}

TEST_CASE("merged sketches are the sketch of all durations, whatever the order") {
  auto all = durations(5'000, 7);
  auto whole = sketch_of(all);
  auto parts = std::vector<duration_sketch>(9);
  auto random = std::mt19937{11};
  std::shuffle(all.begin(), all.end(), random);
  for (auto x : all)
    parts[random() % parts.size()].add(x);
  auto merged = duration_sketch{};
  for (const auto& x : parts)
    merged.merge(x);
  merged.merge(duration_sketch{});
  CHECK(merged == whole);
  CHECK(merged.bytes() == whole.bytes());
  auto summary = merged.summary();
  CHECK(summary.count == all.size());
  CHECK(summary.min_s <= summary.p50_s);
  CHECK(summary.p99_s <= summary.max_s);
}

TEST_CASE("what cannot be a duration counts as the nearest one") {
  auto sketch = duration_sketch{};
  sketch.add(-5s);
  CHECK(sketch.quantile(0.5) == 0);
  sketch.add(caf::timespan::max());
  CHECK(sketch.quantile(1) == duration_sketch::longest);
  CHECK(sketch.count() == 2);
  CHECK(duration_sketch{}.summary().p99_s == 0);
}

TEST_CASE("a histogram of a sketch never falls and ends with all") {
  auto sketch = sketch_of(durations(1'000, 5));
  auto before = uint64_t{0};
  for (auto us = uint64_t{1}; us < duration_sketch::longest; us *= 3) {
    CHECK(sketch.at_most(us) >= before);
    before = sketch.at_most(us);
  }
  CHECK(sketch.at_most(duration_sketch::longest) == 1'000);
}

TEST_CASE("a sketch has one encoding and nothing else is read") {
  auto sketch = sketch_of(durations(500, 3));
  auto bytes = sketch.bytes();
  auto back = duration_sketch::load(bytes);
  REQUIRE(back);
  CHECK(*back == sketch);
  CHECK(duration_sketch{}.bytes().empty());
  for (auto length = size_t{1}; length < bytes.size(); ++length)
    CHECK_FALSE(duration_sketch::load(bytes.substr(0, length)));
  CHECK_FALSE(duration_sketch::load(bytes + '\0'));
  auto random = std::mt19937{1};
  for (auto i = 0; i < 2'000; ++i) {
    auto wrong = bytes;
    wrong[random() % wrong.size()] = static_cast<char>(random());
    if (auto got = duration_sketch::load(wrong))
      CHECK(got->bytes() == wrong);
  }
}

TEST_CASE("a rate is what arrived in the minutes before, over their time") {
  auto ring = rate_ring{};
  auto start = caf::timestamp{1'700'000'000s};
  for (auto i = 0; i < 300; ++i)
    ring.add(start + i * 1s); // five minutes, one a second
  auto now = start + 300s - 1ns;
  CHECK(ring.rate(now).minute == Approx(1).margin(0.1));
  CHECK(ring.rate(now).five_minutes == Approx(1).margin(0.02));
  CHECK(ring.rate(now).fifteen_minutes == Approx(1.0 / 3).margin(0.01));
  CHECK(ring.rate(now + 2min).minute == 0);
  CHECK(ring.rate(now + 20min).fifteen_minutes == 0);
}

TEST_CASE("rates are kept to the byte, over gaps and clocks that go back") {
  auto random = std::mt19937{4};
  auto ring = rate_ring{};
  auto at = caf::timestamp{1'700'000'000s};
  for (auto i = 0; i < 5'000; ++i) {
    at += std::chrono::milliseconds{random() % 2'000};
    if (i % 1'000 == 999)
      at += 10min;
    ring.add(i % 97 == 0 ? at - 40s : at);
    if (i % 100 == 0) {
      auto back = rate_ring::load(ring.bytes());
      REQUIRE(back);
      CHECK(back->bytes() == ring.bytes());
      CHECK(back->rate(at).fifteen_minutes == ring.rate(at).fifteen_minutes);
      ring = *back;
    }
  }
  auto bytes = ring.bytes();
  CHECK_FALSE(rate_ring::load(bytes.substr(0, bytes.size() - 1)));
  CHECK_FALSE(rate_ring::load("\x05\x07\x01"));
}
