#include "config/yaml_tree.hpp"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace troupe {

namespace {

/// Leaves the parser from inside a handler; caught in `parse_yaml`.
struct breach {
  int line;
  int column;
  std::string text;
};

/// Builds the tree from the parser's events and stops it at the first breach.
class tree_builder final : public YAML::EventHandler {
public:
  explicit tree_builder(yaml_limits limits) : limits_{limits} {}

  yaml_value root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    add(at, anchor, "", yaml_value::kind::null);
  }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t) override {
    stop(at, "aliases are not allowed");
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // The parser says "!" for quoted and "?" for plain scalars without a tag.
    auto quoted = tag == "!";
    if (frames_.size() > 0 && frames_.back().wants_key()) {
      check(at, anchor, tag);
      return frames_.back().take_key(at, text);
    }
    if (!quoted && (text == "null" || text == "~" || text.empty()))
      return OnNull(at, anchor);
    auto& x = add(at, anchor, tag, yaml_value::kind::scalar);
    x.text = text;
    x.quoted = quoted;
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(at, anchor, tag, yaml_value::kind::list);
  }
  void OnSequenceEnd() override {
    frames_.pop_back();
  }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(at, anchor, tag, yaml_value::kind::mapping);
  }
  void OnMapEnd() override {
    frames_.pop_back();
  }

private:
  /// An open list or mapping. Its value does not move while it is open: only
  /// the innermost one grows, and `entries` of outer ones stay as they are.
  struct frame {
    yaml_value* at = nullptr;
    bool has_key = false;
    bool drop = false; ///< The value to come belongs to a repeated key.
    std::set<std::string, std::less<>> seen;

    bool wants_key() const {
      return at->what == yaml_value::kind::mapping && !has_key;
    }
    void take_key(const YAML::Mark& mark, const std::string& key) {
      has_key = true;
      drop = !seen.insert(key).second;
      auto& to = drop ? at->duplicates : at->entries;
      to.push_back({key, mark.line + 1, mark.column + 1, {}});
    }
    void place_at_key(yaml_value& x) const {
      if (at->what != yaml_value::kind::mapping)
        return;
      const auto& e = drop ? at->duplicates.back() : at->entries.back();
      x.line = e.line;
      x.column = e.column;
    }
    yaml_value& next() {
      if (at->what == yaml_value::kind::list)
        return at->items.emplace_back();
      has_key = false;
      return drop ? at->duplicates.back().value : at->entries.back().value;
    }
  };

  [[noreturn]] static void stop(const YAML::Mark& at, std::string text) {
    throw breach{at.line + 1, at.column + 1, std::move(text)};
  }

  void check(const YAML::Mark& at, YAML::anchor_t anchor, const std::string& tag) {
    if (++nodes_ > limits_.nodes)
      stop(at, "the file has more than " + std::to_string(limits_.nodes) + " values");
    if (anchor != 0)
      stop(at, "anchors are not allowed");
    if (!tag.empty() && tag != "?" && tag != "!")
      stop(at, "tags are not allowed");
  }

  yaml_value& add(const YAML::Mark& at, YAML::anchor_t anchor, const std::string& tag,
                  yaml_value::kind what) {
    check(at, anchor, tag);
    if (!frames_.empty() && frames_.back().wants_key())
      stop(at, "a key must be plain text");
    auto& x = frames_.empty() ? root : frames_.back().next();
    x.what = what;
    x.line = at.line + 1;
    x.column = at.column + 1;
    // The parser places a missing value where the next thing begins.
    if (what == yaml_value::kind::null && !frames_.empty())
      frames_.back().place_at_key(x);
    return x;
  }

  void open(const YAML::Mark& at, YAML::anchor_t anchor, const std::string& tag,
            yaml_value::kind what) {
    auto& x = add(at, anchor, tag, what);
    if (frames_.size() >= limits_.depth)
      stop(at, "nested deeper than " + std::to_string(limits_.depth));
    frames_.emplace_back().at = &x;
  }

  yaml_limits limits_;
  size_t nodes_ = 0;
  std::vector<frame> frames_;
};

std::string place_of(const std::string& name, int line, int column) {
  return name + ':' + std::to_string(line) + ':' + std::to_string(column);
}

} // namespace

const yaml_value* yaml_value::find(std::string_view key) const {
  auto i =
    std::find_if(entries.begin(), entries.end(), [key](const entry& e) { return e.key == key; });
  return i == entries.end() ? nullptr : &i->value;
}

caf::expected<yaml_value> parse_yaml(std::string_view text, const std::string& name,
                                     yaml_limits limits) {
  if (text.size() > limits.bytes)
    return fault_at(ec::invalid_config, name,
                    "the file is larger than " + std::to_string(limits.bytes) + " bytes");
  if (text.find('\0') != std::string_view::npos)
    return fault_at(ec::invalid_config, name, "the file is not text");
  try {
    auto in = std::istringstream{std::string{text}};
    auto parser = YAML::Parser{in};
    auto builder = tree_builder{limits};
    parser.HandleNextDocument(builder);
    auto rest = tree_builder{limits};
    if (parser.HandleNextDocument(rest))
      return fault_at(ec::invalid_config, place_of(name, rest.root.line, rest.root.column),
                      "more than one document");
    return std::move(builder.root);
  } catch (const breach& b) {
    return fault_at(ec::invalid_config, place_of(name, b.line, b.column), b.text);
  } catch (const YAML::Exception& e) {
    auto line = e.mark.is_null() ? 1 : e.mark.line + 1;
    auto column = e.mark.is_null() ? 1 : e.mark.column + 1;
    return fault_at(ec::invalid_config, place_of(name, line, column), e.msg);
  } catch (const std::exception& e) {
    return fault_at(ec::invalid_config, name, e.what());
  }
}

} // namespace troupe
