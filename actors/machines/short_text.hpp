#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace troupe {

/// A text in 24 bytes, if it has at most 23: there is one per machine, mostly of 22.
class short_text {
public:
  short_text() = default;
  explicit short_text(std::string_view text) {
    assign(text);
  }
  short_text(const short_text& other) {
    assign(other.view());
  }
  short_text(short_text&& other) noexcept : bytes_{other.bytes_} {
    other.bytes_ = {};
  }
  short_text& operator=(const short_text& other) {
    if (this != &other)
      assign(other.view());
    return *this;
  }
  short_text& operator=(short_text&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~short_text() {
    release();
  }

  /// Takes at most 254 bytes of `text`, which must not be part of this.
  void assign(std::string_view text) {
    text = text.substr(0, longest);
    release();
    bytes_ = {};
    bytes_[inside] = static_cast<char>(text.size());
    auto* to = bytes_.data();
    if (text.size() > inside) {
      to = new char[text.size()];
      std::memcpy(bytes_.data(), &to, sizeof to);
    }
    if (!text.empty())
      std::memcpy(to, text.data(), text.size());
  }

  std::string_view view() const {
    return {size() > inside ? outside() : bytes_.data(), size()};
  }
  bool empty() const {
    return size() == 0;
  }

private:
  static constexpr auto inside = size_t{23};
  static constexpr auto longest = size_t{254};

  size_t size() const {
    return static_cast<uint8_t>(bytes_[inside]);
  }
  char* outside() const {
    char* out = nullptr;
    std::memcpy(&out, bytes_.data(), sizeof out);
    return out;
  }
  void release() {
    if (size() > inside)
      delete[] outside();
  }

  std::array<char, inside + 1> bytes_{}; ///< The last one is the size; of a longer text a pointer.
};

} // namespace troupe
