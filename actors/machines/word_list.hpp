#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe {

/// Stands for a text that many machines share; 0 is the empty one.
using shared_word = uint32_t;

/// Keeps each of such texts once. Numbers differ from process to process.
class word_list {
public:
  word_list() {
    of({});
  }
  word_list(const word_list&) = delete;
  word_list& operator=(const word_list&) = delete;

  shared_word of(std::string_view text) {
    if (auto i = numbers_.find(text); i != numbers_.end())
      return i->second;
    const auto& kept = texts_.emplace_back(text);
    auto out = static_cast<shared_word>(numbers_.size());
    numbers_.emplace(kept, out);
    return out;
  }

  /// Returns the word of a text that may be unknown; then one that no machine has.
  shared_word find(std::string_view text) const {
    auto i = numbers_.find(text);
    return i != numbers_.end() ? i->second : UINT32_MAX;
  }

  const std::string& text(shared_word x) const {
    return texts_[x];
  }

private:
  std::deque<std::string> texts_; ///< Never move.
  std::unordered_map<std::string_view, shared_word> numbers_;
};

} // namespace troupe
