#include "config/section_node.hpp"

#include "config/units.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Names the known key that was probably meant, or all of them.
std::string advice(const std::string& key, const std::vector<std::string>& known) {
  auto nearest = std::string{};
  auto distance = std::max<size_t>(2, key.size() / 3) + 1;
  for (const auto& k : known)
    if (auto d = key.size() > 128 ? distance : edit_distance(key, k); d < distance) {
      distance = d;
      nearest = k;
    }
  if (!nearest.empty())
    return "unknown key, did you mean \"" + nearest + "\"?";
  if (known.empty())
    return "unknown key; nothing is read here";
  auto all = std::string{};
  for (const auto& k : known)
    all += (all.empty() ? "" : ", ") + k;
  return "unknown key; known here: " + all;
}

} // namespace

section::node::node(std::shared_ptr<const yaml_value> document, const yaml_value& mapping,
                    std::string name, std::string place)
  : tree{std::move(document)}, at{&mapping}, file{std::move(name)}, path{std::move(place)} {
  for (const auto& again : at->duplicates)
    complain(again.line, again.column, path_of(again.key), "the key appears twice");
}

std::string section::node::path_of(std::string_view key) const {
  return path.empty() ? std::string{key} : path + '.' + std::string{key};
}

void section::node::know(std::string_view key) {
  if (std::find(known.begin(), known.end(), key) == known.end())
    known.emplace_back(key);
}

void section::node::describe(std::string_view key, std::string kind, std::string standard) {
  know(key);
  keys.push_back({path_of(key), std::move(kind), std::move(standard)});
}

void section::node::complain(int line, int column, std::string key, std::string text) {
  faults.push_back({file, line, column, std::move(key), std::move(text)});
}

void section::node::complain(const yaml_value& x, std::string_view key, std::string text) {
  complain(x.line, x.column, path_of(key), std::move(text));
}

const yaml_value* section::node::take(std::string_view key) {
  know(key);
  auto x = at->find(key);
  return x && x->what != yaml_value::kind::null ? x : nullptr;
}

const yaml_value* section::node::take_scalar(std::string_view key, std::string_view wanted,
                                             bool may_be_quoted) {
  know(key);
  auto x = at->find(key);
  if (!x)
    return nullptr;
  if (x->what == yaml_value::kind::scalar && (may_be_quoted || !x->quoted))
    return x;
  auto is = x->what == yaml_value::kind::null      ? ", not empty"
            : x->what == yaml_value::kind::list    ? ", not a list"
            : x->what == yaml_value::kind::mapping ? ", not a mapping"
                                                   : ", not quoted text";
  complain(*x, key, "must be " + std::string{wanted} + is);
  return nullptr;
}

std::shared_ptr<section::node> section::node::open(const yaml_value& mapping, std::string place) {
  return children.emplace_back(std::make_shared<node>(tree, mapping, file, std::move(place)));
}

void section::node::complain_of_unknown(std::vector<config_fault>& out) const {
  for (const auto& e : at->entries)
    if (std::find(known.begin(), known.end(), e.key) == known.end())
      out.push_back({file, e.line, e.column, path_of(e.key), advice(e.key, known)});
}

void section::node::collect(std::vector<config_fault>& out) const {
  out.insert(out.end(), faults.begin(), faults.end());
  complain_of_unknown(out);
  for (const auto& c : children)
    c->collect(out);
}

void section::node::collect(std::vector<config_key>& out) const {
  out.insert(out.end(), keys.begin(), keys.end());
  for (const auto& c : children)
    c->collect(out);
}

} // namespace troupe
