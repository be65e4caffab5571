#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/record.hpp"

#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/timestamp.hpp>

#include <bit>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// The binary form of records: what the journal stores and what CAF carries.
///
/// A record is `length fields`; integers are LEB128 (signed ones zigzag), text
/// is `length bytes`, lists are `count items`. A reader skips trailing fields
/// that it does not know and defaults those that are missing, also inside
/// lists: that is how N-1 and N read each other (docs/adr/0003).
namespace troupe {

/// True in a program of the next release, for tests of upgrades: each of its records
/// ends with one more field, which present programs skip and do not send. What is
/// linked decides (messages/release.cpp, tests/support/next_release.cpp).
extern const bool future_records;

/// Appends values to a byte string.
class encoder {
public:
  explicit encoder(std::string& out) : out_{out} {}

  void number(uint64_t x) {
    while (x >= 0x80) {
      out_.push_back(static_cast<char>(x | 0x80));
      x >>= 7;
    }
    out_.push_back(static_cast<char>(x));
  }

  template <class T>
  void value(const T& x) {
    if constexpr (record<T>) {
      auto at = out_.size();
      for_each_field<T>([&](const auto& m) { value(x.*m.member); });
      if (future_records) [[unlikely]]
        value(std::string_view{"a field of the next release"});
      insert_length(at);
    } else if constexpr (std::is_same_v<T, bool>) {
      out_.push_back(x ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      number(static_cast<uint64_t>(x));
    } else if constexpr (std::is_floating_point_v<T>) {
      fixed(std::bit_cast<uint64_t>(static_cast<double>(x)));
    } else if constexpr (std::is_signed_v<T>) {
      auto wide = static_cast<int64_t>(x);
      number((static_cast<uint64_t>(wide) << 1) ^ static_cast<uint64_t>(wide >> 63));
    } else if constexpr (std::is_unsigned_v<T>) {
      number(x);
    } else {
      compound(x);
    }
  }

private:
  void compound(std::string_view x) {
    number(x.size());
    out_.append(x);
  }
  void compound(const job_id& x) {
    out_.append(reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size());
  }
  void compound(const caf::timestamp& x) {
    fixed(static_cast<uint64_t>(x.time_since_epoch().count()));
  }
  void compound(const caf::timespan& x) {
    value(static_cast<int64_t>(x.count()));
  }
  template <class T>
  void compound(const std::vector<T>& xs) {
    number(xs.size());
    for (const auto& x : xs)
      value(x);
  }
  template <class T>
  void compound(const std::optional<T>& x) {
    value(x.has_value());
    if (x)
      value(*x);
  }
  template <class K, class T>
  void compound(const std::map<K, T>& xs) {
    number(xs.size());
    for (const auto& [k, x] : xs) {
      value(k);
      value(x);
    }
  }
  void fixed(uint64_t x) {
    for (auto i = 0; i < 8; ++i)
      out_.push_back(static_cast<char>(x >> (8 * i)));
  }
  void insert_length(size_t at);

  std::string& out_;
};

/// Reads values from bytes; every failure is sticky and later reads yield defaults.
class decoder {
public:
  explicit decoder(std::string_view in) : in_{in} {}

  bool ok() const {
    return ok_;
  }
  bool at_end() const {
    return in_.empty();
  }

  uint64_t number();

  template <class T>
  void value(T& x) {
    if constexpr (record<T>) {
      auto body = decoder{take(number())};
      if (!ok_)
        return;
      for_each_field<T>([&](const auto& m) {
        if (body.ok_ && !body.at_end())
          body.value(x.*m.member);
      });
      ok_ = body.ok_;
    } else if constexpr (std::is_same_v<T, bool>) {
      auto byte = take(1);
      x = !byte.empty() && byte[0] != 0;
    } else if constexpr (std::is_enum_v<T>) {
      x = static_cast<T>(number());
    } else if constexpr (std::is_floating_point_v<T>) {
      x = static_cast<T>(std::bit_cast<double>(fixed()));
    } else if constexpr (std::is_signed_v<T>) {
      auto raw = number();
      x = static_cast<T>(static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1));
    } else if constexpr (std::is_unsigned_v<T>) {
      x = static_cast<T>(number());
    } else {
      compound(x);
    }
  }

  /// Returns the next `n` bytes; fails if fewer are left.
  std::string_view take(uint64_t n);

private:
  void compound(std::string& x) {
    x = std::string{take(number())};
  }
  void compound(job_id& x);
  void compound(caf::timestamp& x) {
    x = caf::timestamp{caf::timespan{static_cast<int64_t>(fixed())}};
  }
  void compound(caf::timespan& x) {
    auto count = int64_t{0};
    value(count);
    x = caf::timespan{count};
  }
  template <class T>
  void compound(std::vector<T>& xs) {
    xs.clear();
    // Every item takes at least one byte, so a count beyond the input is a lie.
    auto n = number();
    if (n > in_.size())
      ok_ = false;
    for (; ok_ && n > 0; --n)
      value(xs.emplace_back());
  }
  template <class T>
  void compound(std::optional<T>& x) {
    auto present = false;
    value(present);
    x.reset();
    if (ok_ && present)
      value(x.emplace());
  }
  template <class K, class T>
  void compound(std::map<K, T>& xs) {
    xs.clear();
    auto n = number();
    if (n > in_.size())
      ok_ = false;
    for (; ok_ && n > 0; --n) {
      auto k = K{};
      value(k);
      value(xs[k]);
    }
  }
  uint64_t fixed();

  std::string_view in_;
  bool ok_ = true;
};

/// Returns the binary form of one value.
template <class T>
std::string encode(const T& x) {
  auto out = std::string{};
  encoder{out}.value(x);
  return out;
}

/// Reads one value that fills `bytes` exactly. Errors: `ec::corrupt`.
template <class T>
caf::expected<T> decode(std::string_view bytes) {
  auto in = decoder{bytes};
  auto x = T{};
  in.value(x);
  if (!in.ok() || !in.at_end())
    return fault(ec::corrupt, "malformed binary value");
  return x;
}

/// Returns `{kind, version, length, fields}`: the self-describing form for
/// everything that is stored or must evolve while it travels.
template <record T>
std::string pack(const T& x) {
  auto out = std::string{};
  auto to = encoder{out};
  to.value(std::string_view{T::type_name});
  to.number(1);
  to.value(x);
  return out;
}

/// Returns the kind of packed bytes, empty if they are malformed.
std::string_view packed_kind(std::string_view bytes);

/// Reads packed bytes as `T`. Errors: `ec::corrupt`; `ec::unsupported` (another kind, newer
/// version).
template <record T>
caf::expected<T> unpack(std::string_view bytes) {
  auto in = decoder{bytes};
  auto kind = in.take(in.number());
  auto version = in.number();
  if (!in.ok())
    return fault(ec::corrupt, "malformed packed record");
  if (kind != T::type_name || version != 1)
    return fault(ec::unsupported, "cannot read " + std::string{kind} + " version "
                                    + std::to_string(version) + " as " + T::type_name);
  auto x = T{};
  in.value(x);
  if (!in.ok() || !in.at_end())
    return fault(ec::corrupt, "malformed " + std::string{kind});
  return x;
}

/// CAF serialization of any record: its binary form as one string, so that the
/// CAF wire evolves by the same rule as the store.
template <class Inspector, record T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  auto bytes = std::string{};
  if constexpr (Inspector::reads_state) {
    encoder{bytes}.value(x);
    return f(caf::meta::type_name(T::type_name), bytes);
  } else {
    auto load = [&]() -> caf::error {
      auto in = decoder{bytes};
      in.value(x);
      return in.ok() ? caf::error{} : caf::make_error(ec::corrupt);
    };
    return f(caf::meta::type_name(T::type_name), bytes, caf::meta::load_callback(load));
  }
}

} // namespace troupe
