#include "bridges/http/event_reader.hpp"

namespace troupe {

namespace {

constexpr size_t max_event = 16 << 20;

} // namespace

bool event_reader::feed(std::string_view bytes, const event_callback& on_event) {
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() + event_.text.size() > max_event)
      return false;
    if (end == bytes.npos)
      return true;
    bytes.remove_prefix(end + 1);
    if (line_.ends_with('\r'))
      line_.pop_back();
    auto line = std::exchange(line_, {});
    if (!read_line(line, on_event))
      return false;
  }
  return true;
}

bool event_reader::read_line(std::string_view line, const event_callback& on_event) {
  if (line.empty()) {
    auto more = true;
    if (has_text_) {
      event_.text.pop_back(); // The '\n' after the last line.
      if (event_.name.empty())
        event_.name = "message";
      more = on_event(event_);
    }
    event_.name.clear();
    event_.text.clear();
    has_text_ = false;
    return more;
  }
  auto colon = line.find(':');
  auto name = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (name == "data") {
    event_.text.append(value).push_back('\n');
    has_text_ = true;
  } else if (name == "event") {
    event_.name = value;
  } else if (name == "id") {
    event_.id = value;
  }
  return true;
}

} // namespace troupe
