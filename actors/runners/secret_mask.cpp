#include "actors/runners/secret_mask.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto mask = std::string_view{"[masked]"};
constexpr auto shortest_secret = size_t{4};
constexpr auto shortest_line = size_t{8};
constexpr auto longest_user_part = size_t{512};
constexpr auto url_start = std::string_view{"://"};
constexpr auto url_end = std::string_view{"/?#@ \t\r\n\"'<>\\`", 15};

} // namespace

void secret_mask::add(std::string_view secret) {
  add_one(secret);
  // A program may print a key of several lines indented, or one line of it.
  if (secret.find('\n') == std::string_view::npos)
    return;
  for (auto rest = secret; !rest.empty();) {
    auto end = std::min(rest.find('\n'), rest.size());
    if (end >= shortest_line)
      add_one(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void secret_mask::add_one(std::string_view secret) {
  if (secret.size() < shortest_secret)
    return;
  secrets_->emplace(secret);
  first_bytes_.set(static_cast<unsigned char>(secret[0]));
}

/// Returns the length of the longest secret that `text` begins with; 0 if none.
size_t secret_mask::longest_at_start(std::string_view text) const {
  // Whatever lies between that secret and `text` in the order begins with it, too.
  while (!text.empty()) {
    auto after = secrets_->upper_bound(text);
    if (after == secrets_->begin())
      return 0;
    const auto& before = *std::prev(after);
    if (text.starts_with(before))
      return before.size();
    auto end = std::min(text.size(), before.size());
    auto same =
      std::mismatch(text.begin(), text.begin() + static_cast<ptrdiff_t>(end), before.begin());
    text = text.substr(0, static_cast<size_t>(same.first - text.begin()));
  }
  return 0;
}

/// True if more bytes could make `text` one of the secrets.
bool secret_mask::may_begin(std::string_view text) const {
  auto next = secrets_->upper_bound(text);
  return next != secrets_->end() && next->size() > text.size() && next->starts_with(text);
}

std::string secret_mask::feed(std::string_view bytes) {
  return mask_urls(mask_secrets(bytes, false), false);
}

std::string secret_mask::flush(std::string_view bytes) {
  auto out = mask_urls(mask_secrets(bytes, true), true);
  covered_ = 0;
  return out;
}

std::string secret_mask::apply(std::string_view text) const {
  auto fresh = secret_mask{};
  fresh.secrets_ = secrets_;
  fresh.first_bytes_ = first_bytes_;
  return fresh.flush(text);
}

std::string secret_mask::mask_secrets(std::string_view bytes, bool last) {
  held_.append(bytes);
  auto text = std::string_view{held_};
  auto out = std::string{};
  auto i = size_t{0};
  for (; i < text.size(); ++i) {
    auto was_covered = covered_ > 0;
    if (first_bytes_.test(static_cast<unsigned char>(text[i]))) {
      auto rest = text.substr(i);
      covered_ = std::max(covered_, longest_at_start(rest));
      if (!last && may_begin(rest)) {
        // Decided again, with more bytes, when they come.
        if (!was_covered)
          covered_ = 0;
        break;
      }
    }
    if (covered_ == 0) {
      out.push_back(text[i]);
      continue;
    }
    if (!was_covered)
      out.append(mask);
    --covered_;
  }
  held_.erase(0, i);
  return out;
}

std::string secret_mask::mask_urls(std::string_view bytes, bool last) {
  url_held_.append(bytes);
  auto text = std::string_view{url_held_};
  auto out = std::string{};
  while (true) {
    auto start = text.find(url_start);
    if (start == std::string_view::npos)
      break;
    auto user = text.substr(start + url_start.size(), longest_user_part);
    auto end = user.find_first_of(url_end);
    if (end == std::string_view::npos && user.size() < longest_user_part && !last) {
      out.append(text.substr(0, start));
      url_held_ = std::string{text.substr(start)};
      return out;
    }
    out.append(text.substr(0, start + url_start.size()));
    text.remove_prefix(start + url_start.size());
    if (end != std::string_view::npos && end > 0 && text[end] == '@') {
      out.append(mask);
      text.remove_prefix(end);
    }
  }
  // The start of "://" itself may be split.
  auto keep = size_t{0};
  if (!last)
    keep = text.ends_with(":/") ? 2 : text.ends_with(":") ? 1 : 0;
  out.append(text.substr(0, text.size() - keep));
  url_held_ = std::string{text.substr(text.size() - keep)};
  return out;
}

} // namespace troupe
