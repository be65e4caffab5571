#include "bridges/http/routes/machine_text.hpp"

#include "bridges/http/routes/naive_time.hpp"
#include "messages/json.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Bytes of one machine in the list, roughly.
constexpr auto usual_size = size_t{160};

/// Ids of workers need no escapes; what the rest of the world calls a status may.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
}

} // namespace

void sighting_writer::add_text(std::string_view key, std::string_view text) {
  out_.append(key);
  if (!is_plain(text)) {
    out_ += json_text(text);
    return;
  }
  out_ += '"';
  out_.append(text);
  out_ += '"';
}

void sighting_writer::add(const machine_sighting& x) {
  out_ += out_.size() == 1 ? "\n  {" : ",\n  {";
  auto id = std::string_view{x.id};
  auto colon = id.find(':');
  add_text("\n    \"datacenter\": ", id.substr(0, colon));
  add_text(",\n    \"machine\": ", id.substr(std::min(colon, id.size() - 1) + 1));
  out_ += ",\n    \"lastseen\": \"";
  append_naive(out_, x.lastseen);
  out_ += '"';
  if (fields_ == sighting_fields::status)
    for (auto [key, text] : {std::pair{",\n    \"machines-last-status\": ", &x.laststatus},
                             {",\n    \"machines-last-taskid\": ", &x.lasttaskid}}) {
      if (text->empty())
        out_.append(key).append("null");
      else
        add_text(key, *text);
    }
  out_ += "\n  }";
}

void sighting_writer::add(const std::vector<machine_sighting>& machines) {
  out_.reserve(out_.size() + machines.size() * usual_size);
  for (const auto& x : machines)
    add(x);
}

std::string sighting_writer::finish() {
  out_ += out_.size() == 1 ? "]" : "\n]";
  return std::move(out_);
}

} // namespace troupe
