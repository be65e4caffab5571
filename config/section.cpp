#include "config/section.hpp"

#include "config/section_node.hpp"
#include "config/text_file.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace troupe {

namespace {

const yaml_value& empty_mapping() {
  static const auto x = [] {
    auto mapping = yaml_value{};
    mapping.what = yaml_value::kind::mapping;
    return mapping;
  }();
  return x;
}

std::string number_text(double x) {
  char out[32];
  std::snprintf(out, sizeof out, "%g", x);
  return out;
}

template <class T>
bool parse_whole(std::string_view text, T& out) {
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc{} && end == text.data() + text.size();
}

/// "0644" is 644 for some readers and 420 for others, so neither is taken.
bool has_leading_zero(std::string_view text) {
  if (!text.empty() && text[0] == '-')
    text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool in_file_order(const config_fault& a, const config_fault& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

} // namespace

std::string to_string(const config_fault& fault) {
  return fault.file + ':' + std::to_string(fault.line) + ':' + std::to_string(fault.column) + ": "
         + (fault.key.empty() ? "" : fault.key + ": ") + fault.text;
}

section::section() : at_{std::make_shared<node>(nullptr, empty_mapping(), "", "")} {}

caf::expected<section> section::from_file(const std::string& path) {
  auto text = read_text_file(path, yaml_limits{}.bytes);
  if (!text)
    return fault_at(ec::invalid_config, path, explain(text.error()).text);
  return from_text(*text, path);
}

caf::expected<section> section::from_text(std::string_view text, std::string name) {
  auto parsed = parse_yaml(text, name);
  if (!parsed)
    return std::move(parsed.error());
  if (parsed->what == yaml_value::kind::null)
    return section{std::make_shared<node>(nullptr, empty_mapping(), std::move(name), "")};
  auto tree = std::make_shared<const yaml_value>(std::move(*parsed));
  if (tree->what != yaml_value::kind::mapping)
    return fault_at(ec::invalid_config,
                    name + ':' + std::to_string(tree->line) + ':' + std::to_string(tree->column),
                    "the file must be a mapping (\"key: value\" lines)");
  const auto& root = *tree;
  return section{std::make_shared<node>(std::move(tree), root, std::move(name), "")};
}

void section::read(const char* key, std::string& out) {
  at_->describe(key, "text", out);
  if (auto x = at_->take_scalar(key, "text", true))
    out = x->text;
}

void section::read(const char* key, bool& out) {
  at_->describe(key, "true or false", out ? "true" : "false");
  auto x = at_->take_scalar(key, "true or false", false);
  if (!x)
    return;
  if (x->text != "true" && x->text != "false")
    return at_->complain(*x, key, "must be true or false");
  out = x->text == "true";
}

void section::read(const char* key, double& out, double min, double max) {
  auto wanted = "a number between " + number_text(min) + " and " + number_text(max);
  at_->describe(key, "number " + number_text(min) + ".." + number_text(max), number_text(out));
  auto x = at_->take_scalar(key, wanted, false);
  if (!x)
    return;
  auto value = 0.0;
  if (!parse_whole(x->text, value) || !std::isfinite(value) || value < min || value > max)
    return at_->complain(*x, key, "must be " + wanted);
  out = value;
}

void section::read_integer(const char* key, int64_t& out, int64_t min, int64_t max) {
  auto wanted = "a whole number between " + std::to_string(min) + " and " + std::to_string(max);
  at_->describe(key, "number " + std::to_string(min) + ".." + std::to_string(max),
                std::to_string(out));
  auto x = at_->take_scalar(key, wanted, false);
  if (!x)
    return;
  auto value = int64_t{0};
  if (has_leading_zero(x->text) || !parse_whole(x->text, value) || value < min || value > max)
    return at_->complain(*x, key, "must be " + wanted);
  out = value;
}

void section::read(const char* key, std::chrono::milliseconds& out) {
  constexpr auto wanted = "a duration with a unit: ms, s, m, h or d (\"90s\")";
  at_->describe(key, "duration", duration_text(out));
  auto x = at_->take_scalar(key, wanted, true);
  if (!x)
    return;
  auto value = parse_duration(x->text);
  if (!value)
    return at_->complain(*x, key, std::string{"must be "} + wanted);
  out = *value;
}

void section::read_size(const char* key, uint64_t& out) {
  constexpr auto wanted = "a size with a unit: B, KiB, MiB, GiB or TiB (\"10MiB\")";
  at_->describe(key, "size", size_text(out));
  auto x = at_->take_scalar(key, wanted, true);
  if (!x)
    return;
  auto value = parse_size(x->text);
  if (!value)
    return at_->complain(*x, key, std::string{"must be "} + wanted);
  out = *value;
}

void section::read(const char* key, std::vector<std::string>& out) {
  auto standard = std::string{};
  for (const auto& item : out)
    standard += (standard.empty() ? "" : ", ") + item;
  at_->describe(key, "list", "[" + standard + "]");
  auto x = at_->take(key);
  if (!x)
    return;
  if (x->what != yaml_value::kind::list)
    return at_->complain(*x, key, "must be a list of text");
  auto items = std::vector<std::string>{};
  for (const auto& item : x->items) {
    if (item.what != yaml_value::kind::scalar)
      at_->complain(item, std::string{key} + '[' + std::to_string(items.size()) + ']',
                    "must be text");
    items.push_back(item.text);
  }
  out = std::move(items);
}

void section::read(const char* key, std::map<std::string, std::string>& out) {
  at_->describe(key, "mapping", "");
  auto x = at_->take(key);
  if (!x)
    return;
  if (x->what != yaml_value::kind::mapping)
    return at_->complain(*x, key, "must be a mapping of text to text");
  for (const auto& again : x->duplicates)
    at_->complain(again.line, again.column, at_->path_of(key) + '.' + again.key,
                  "the key appears twice");
  auto items = std::map<std::string, std::string>{};
  for (const auto& e : x->entries) {
    if (e.value.what != yaml_value::kind::scalar)
      at_->complain(e.value, std::string{key} + '.' + e.key, "must be text");
    items.emplace(e.key, e.value.text);
  }
  out = std::move(items);
}

bool section::has(const char* key) const {
  at_->know(key);
  return at_->at->find(key) != nullptr;
}

section section::child(const char* key) {
  auto x = at_->take(key);
  if (x && x->what == yaml_value::kind::mapping)
    return section{at_->open(*x, at_->path_of(key))};
  if (x)
    at_->complain(*x, key, "must be a mapping");
  return section{at_->open(empty_mapping(), at_->path_of(key))};
}

std::vector<std::string> section::keys() const {
  auto out = std::vector<std::string>{};
  for (const auto& e : at_->at->entries)
    out.push_back(e.key);
  return out;
}

std::vector<section> section::list(const char* key) {
  auto out = std::vector<section>{};
  auto x = at_->take(key);
  if (x && x->what != yaml_value::kind::list) {
    at_->complain(*x, key, "must be a list of mappings");
    return out;
  }
  for (auto i = size_t{0}; x && i < x->items.size(); ++i) {
    const auto& item = x->items[i];
    auto place = std::string{key} + '[' + std::to_string(i) + ']';
    if (item.what == yaml_value::kind::mapping)
      out.push_back(section{at_->open(item, at_->path_of(place))});
    else
      at_->complain(item, place, "must be a mapping");
  }
  return out;
}

void section::complain(const char* key, std::string text) {
  if (auto x = at_->at->find(key))
    return at_->complain(*x, key, std::move(text));
  at_->complain(at_->at->line, at_->at->column, at_->path_of(key), std::move(text));
}

std::vector<config_fault> section::faults() const {
  auto out = std::vector<config_fault>{};
  at_->collect(out);
  std::stable_sort(out.begin(), out.end(), in_file_order);
  return out;
}

caf::error section::done() const {
  auto text = std::string{};
  for (const auto& f : faults())
    text += (text.empty() ? "" : "\n") + to_string(f);
  return text.empty() ? caf::error{} : fault(ec::invalid_config, std::move(text));
}

std::vector<config_key> section::described() const {
  auto out = std::vector<config_key>{};
  at_->collect(out);
  return out;
}

} // namespace troupe
