#include "tests/actors/journal_world.hpp"

using namespace troupe;
using namespace std::chrono_literals;
using tests::embedded_world;
using tests::journal_world;
using tests::memory_world;

using texts = std::vector<std::string>;

#define EVERY_BACKEND(rule)                                                                        \
  TEMPLATE_TEST_CASE_METHOD(journal_world, rule, "[journal]", memory_world, embedded_world)

EVERY_BACKEND("events are read in the order of their append, with sequences from 1") {
  this->append({{}, 0, {this->group("a", "one"), this->group("b", "two")}});
  this->append({{}, 0, {this->group("c", "three")}});
  auto batch = this->read(1);
  REQUIRE(batch);
  REQUIRE(batch->events.size() == 3);
  for (auto i = 0U; i < 3; ++i)
    CHECK(batch->events[i].sequence == i + 1);
  CHECK(this->payloads() == texts{"one", "two", "three"});
  CHECK(batch->next == 4);
  CHECK(batch->at_end);
  CHECK(batch->events[0].arrived > caf::timestamp{});
}

EVERY_BACKEND("a read is bounded by count and by bytes, but returns one event at least") {
  for (auto i = 0; i < 4; ++i)
    this->append_one(this->group({}, std::string(1000, 'x')));
  auto two = this->read(1, 2);
  REQUIRE(two);
  CHECK(two->events.size() == 2);
  CHECK(two->next == 3);
  CHECK_FALSE(two->at_end);
  auto small = this->read(1, 100, 1);
  REQUIRE(small);
  CHECK(small->events.size() == 1);
  auto beyond = this->read(99);
  REQUIRE(beyond);
  CHECK(beyond->events.empty());
  CHECK(beyond->at_end);
}

EVERY_BACKEND("a repeated id is answered with the first answer and stored once") {
  CHECK(this->append_one(this->group("a", "one")) == append_outcome::stored);
  auto again = this->group("a", "one");
  again.answer = "second";
  auto results = this->append({{}, 0, {again}});
  REQUIRE(results);
  CHECK(results->results[0].outcome == append_outcome::repeated);
  CHECK(results->results[0].answer == "first");
  CHECK(this->payloads() == texts{"one"});
}

EVERY_BACKEND("an id that comes back with another body conflicts and stores nothing") {
  this->append_one(this->group("a", "one", 1));
  CHECK(this->append_one(this->group("a", "two", 2)) == append_outcome::conflicting);
  CHECK(this->payloads() == texts{"one"});
}

EVERY_BACKEND("a repeated id within one append is found, too") {
  auto results = this->append(
    {{}, 0, {this->group("a", "one", 1), this->group("a", "one", 1), this->group("a", "two", 2)}});
  REQUIRE(results);
  CHECK(results->results[0].outcome == append_outcome::stored);
  CHECK(results->results[1].outcome == append_outcome::repeated);
  CHECK(results->results[1].answer == "first");
  CHECK(results->results[2].outcome == append_outcome::conflicting);
  CHECK(this->payloads() == texts{"one"});
}

EVERY_BACKEND("ids, events, cursors and epochs survive a restart") {
  this->append({"jobs", 7, {this->group("a", "one"), this->group("b", "two")}});
  REQUIRE(this->template ask<cursor>(this->it, cursor{"mail", 2}));
  auto before = this->status();
  this->restart();
  CHECK(this->append_one(this->group("a", "one")) == append_outcome::repeated);
  CHECK(this->payloads() == texts{"one", "two"});
  CHECK(this->status().id == before.id);
  auto cursors = this->template ask<cursor_list>(this->it, cursors_atom_v);
  REQUIRE(cursors);
  REQUIRE(cursors->cursors.size() == 1);
  CHECK(cursors->cursors[0].sequence == 2);
  auto stale = this->append({"jobs", 6, {this->group("c", "three")}});
  REQUIRE_FALSE(stale);
  CHECK(stale.error() == ec::conflict);
}

EVERY_BACKEND("an older epoch of an owner is fenced off, other owners are not") {
  REQUIRE(this->append({"jobs", 5, {this->group({}, "five")}}));
  REQUIRE(this->append({"jobs", 6, {}}));
  auto old = this->append({"jobs", 5, {this->group({}, "late")}});
  REQUIRE_FALSE(old);
  CHECK(old.error() == ec::conflict);
  CHECK(this->append({"other", 1, {this->group({}, "one")}}));
  CHECK(this->append({{}, 0, {this->group({}, "unfenced")}}));
  auto batch = this->read(1);
  REQUIRE(batch);
  REQUIRE(batch->events.size() == 3);
  CHECK(batch->events[0].epoch == 5);
  CHECK(batch->events[2].epoch == 0);
}

EVERY_BACKEND("a cursor never moves back") {
  for (auto i = 0; i < 5; ++i)
    this->append_one(this->group({}, "x"));
  auto move = [&](uint64_t to) { return this->template ask<cursor>(this->it, cursor{"mail", to}); };
  REQUIRE(move(3));
  auto back = move(1);
  REQUIRE(back);
  CHECK(back->sequence == 3);
  CHECK_FALSE(move(6));
  auto gone = this->template ask<cursor>(this->it, caf::delete_atom_v, std::string{"mail"});
  REQUIRE(gone);
  CHECK(gone->sequence == 3);
  auto unknown = this->template ask<cursor>(this->it, caf::delete_atom_v, std::string{"mail"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error() == ec::not_found);
}

EVERY_BACKEND("a trim never cuts what a cursor still needs") {
  for (auto i = 1; i <= 6; ++i)
    this->append_one(this->group({}, std::to_string(i)));
  REQUIRE(this->template ask<cursor>(this->it, cursor{"slow", 2}));
  REQUIRE(this->template ask<cursor>(this->it, cursor{"fast", 5}));
  auto left = this->template ask<journal_status>(this->it, trim_journal{6});
  REQUIRE(left);
  CHECK(left->first == 3);
  auto gone = this->read(2);
  REQUIRE_FALSE(gone);
  CHECK(gone.error() == ec::gone);
  CHECK(explain(gone.error()).place == "3");
  CHECK(this->payloads(3) == texts{"3", "4", "5", "6"});
  this->restart();
  CHECK(this->status().first == 3);
  CHECK(this->payloads(3) == texts{"3", "4", "5", "6"});
}

EVERY_BACKEND("a wholly trimmed journal goes on with the next sequence") {
  this->append_one(this->group({}, "one"));
  REQUIRE(this->template ask<journal_status>(this->it, trim_journal{99}));
  this->restart();
  CHECK(this->status().first == 2);
  this->append_one(this->group({}, "two"));
  CHECK(this->payloads(2) == texts{"two"});
}

EVERY_BACKEND("an id is forgotten beyond the window and then accepted again") {
  this->options.limits.ids_kept = 2;
  this->restart();
  for (const auto* id : {"a", "b", "c"})
    this->append_one(this->group(id, id));
  CHECK(this->append_one(this->group("c", "c")) == append_outcome::repeated);
  CHECK(this->append_one(this->group("a", "a")) == append_outcome::stored);
  CHECK(this->append_one(this->group("a", "a")) == append_outcome::repeated);
}

EVERY_BACKEND("a read may begin and a trim may end anywhere within an append") {
  auto what = append_events{};
  auto all = texts{};
  for (auto i = 0; i < 200; ++i) {
    all.push_back(std::to_string(i) + std::string(1000, 'x'));
    what.groups.push_back(this->group({}, all.back()));
  }
  REQUIRE(this->append(what));
  for (auto from : {1U, 2U, 65U, 66U, 150U, 200U})
    CHECK(this->payloads(from) == texts(all.begin() + from - 1, all.end()));
  REQUIRE(this->template ask<journal_status>(this->it, trim_journal{100}));
  this->restart();
  CHECK(this->status().first == 100);
  CHECK_FALSE(this->read(99));
  CHECK(this->payloads(100) == texts(all.begin() + 99, all.end()));
}
