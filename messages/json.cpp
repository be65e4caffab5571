#include "messages/json.hpp"

#include <set>

namespace troupe {

namespace {

/// Walks the text without building anything; stops at the first breach.
class limit_check final : public nlohmann::json_sax<json> {
public:
  explicit limit_check(json_limits limits) : limits_{limits} {}

  std::string fault;
  size_t offset = 0;

  bool null() override {
    return one_more();
  }
  bool boolean(bool) override {
    return one_more();
  }
  bool number_integer(number_integer_t) override {
    return one_more();
  }
  bool number_unsigned(number_unsigned_t) override {
    return one_more();
  }
  bool number_float(number_float_t, const string_t&) override {
    return one_more();
  }
  bool string(string_t&) override {
    return one_more();
  }
  bool binary(binary_t&) override {
    return one_more();
  }
  bool start_object(size_t) override {
    keys_.emplace_back();
    return one_more() && deeper();
  }
  bool end_object() override {
    keys_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(size_t) override {
    return one_more() && deeper();
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (++count_ > limits_.keys)
      return stop("has more than " + std::to_string(limits_.keys) + " keys");
    if (!keys_.back().insert(name).second)
      return stop("key \"" + name + "\" appears twice");
    return true;
  }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    offset = position;
    return stop("is not valid JSON");
  }

private:
  /// A list of a million small values takes many times its text in memory.
  bool one_more() {
    auto most = 20'000 + 4 * limits_.keys;
    return ++values_ <= most || stop("has more than " + std::to_string(most) + " values");
  }
  bool deeper() {
    return ++depth_ <= limits_.depth
           || stop("is nested deeper than " + std::to_string(limits_.depth));
  }
  bool stop(std::string why) {
    fault = std::move(why);
    return false;
  }

  json_limits limits_;
  size_t depth_ = 0;
  size_t count_ = 0;
  size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;
};

} // namespace

caf::error check_json_text(std::string_view text, json_limits limits) {
  auto check = limit_check{limits};
  if (json::sax_parse(text, &check))
    return {};
  auto place =
    check.offset > 0 ? "offset " + std::to_string(check.offset - 1) : std::string{"body"};
  return fault_at(ec::invalid_argument, std::move(place), check.fault);
}

caf::expected<json> parse_json_text(std::string_view text, json_limits limits) {
  if (auto why = check_json_text(text, limits))
    return why;
  return json::parse(text, nullptr, false);
}

std::string json_text(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool detail::in_choice(std::string_view choices, std::string_view word) {
  while (true) {
    auto bar = choices.find('|');
    if (choices.substr(0, bar) == word)
      return true;
    if (bar == std::string_view::npos)
      return false;
    choices.remove_prefix(bar + 1);
  }
}

caf::error to_error(const std::vector<json_fault>& faults) {
  auto text = faults.front().text;
  if (faults.size() > 1)
    text += " (and " + std::to_string(faults.size() - 1) + " more)";
  return fault_at(ec::invalid_argument, faults.front().place, std::move(text));
}

bool json_reader::read_integer(const json& in, int64_t& x, const std::string& place,
                               const rule& must) {
  if (!in.is_number_integer() || (in.is_number_unsigned() && in.get<uint64_t>() > INT64_MAX)) {
    complain(place, "must be a whole number");
    return false;
  }
  x = in.get<int64_t>();
  if (x < must.min || x > must.max) {
    complain(place,
             "must be between " + std::to_string(must.min) + " and " + std::to_string(must.max));
    return false;
  }
  return true;
}

void json_reader::read_text(const json& in, std::string& x, const std::string& place,
                            const rule& must) {
  if (!in.is_string())
    return complain(place, "must be a string");
  const auto& text = in.get_ref<const std::string&>();
  if (text.size() > must.max_size)
    return complain(place, "is longer than " + std::to_string(must.max_size) + " bytes");
  if (must.required && text.empty())
    return complain(place, "must not be empty");
  if (*must.one_of && !detail::in_choice(must.one_of, text))
    return complain(place, "must be one of " + std::string{must.one_of});
  if (!text.empty() && !obeys(must.pattern, text))
    return complain(place, "has characters that are not allowed in a " + std::string{must.pattern});
  x = text;
}

void json_reader::read_text(const json& in, job_id& x, const std::string& place, const rule&) {
  auto id = parse_job_id(in.is_string() ? in.get_ref<const std::string&>() : std::string{});
  if (!id)
    return complain(place, "must be a UUID");
  x = *id;
}

void json_reader::read_text(const json& in, caf::timestamp& x, const std::string& place,
                            const rule&) {
  auto time = parse_iso8601(in.is_string() ? in.get_ref<const std::string&>() : std::string{});
  if (!time)
    return complain(place, "must be an RFC 3339 time");
  x = *time;
}

void json_reader::read_text(const json& in, caf::timespan& x, const std::string& place,
                            const rule&) {
  if (!in.is_number() || in.get<double>() < 0 || in.get<double>() > 1e9)
    return complain(place, "must be a number of seconds");
  x = std::chrono::duration_cast<caf::timespan>(std::chrono::duration<double>(in.get<double>()));
}

} // namespace troupe
