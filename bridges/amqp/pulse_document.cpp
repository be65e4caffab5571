#include "bridges/amqp/pulse_document.hpp"

#include "messages/machine_events.hpp"

namespace troupe {

void pulse_value::complain(const char* why) const {
  if (!*fault_)
    *fault_ = fault_at(ec::invalid_argument, place_, why);
}

pulse_value pulse_value::member(const char* name) const {
  auto place = place_.empty() ? std::string{name} : place_ + '.' + name;
  if (at_ == nullptr)
    return {nullptr, std::move(place), *fault_};
  if (!at_->IsObject()) {
    complain("must be an object");
    return {nullptr, std::move(place), *fault_};
  }
  auto i = at_->FindMember(name);
  auto absent = i == at_->MemberEnd() || i->value.IsNull();
  return {absent ? nullptr : &i->value, std::move(place), *fault_};
}

pulse_value pulse_value::run(std::optional<uint32_t> run) const {
  if (at_ == nullptr)
    return *this;
  if (!at_->IsArray()) {
    complain("must be a list");
    return {nullptr, place_, *fault_};
  }
  // Nothing says that they stand in the order of their numbers; they nearly always do.
  for (auto i = at_->Size(); i-- > 0;) {
    auto& x = (*at_)[i];
    if (!x.IsObject())
      continue;
    auto id = x.FindMember("runId");
    if (!run || (id != x.MemberEnd() && id->value.IsUint() && id->value.GetUint() == *run))
      return {&x, place_ + '[' + std::to_string(i) + ']', *fault_};
  }
  return {nullptr, place_, *fault_};
}

std::string pulse_value::text(size_t most) const {
  if (at_ == nullptr)
    return {};
  if (!at_->IsString()) {
    complain("must be text");
    return {};
  }
  auto all = std::string_view{at_->GetString(), at_->GetStringLength()};
  if (all.size() <= most)
    return std::string{all};
  // Not in the middle of a letter.
  while (most > 0 && (static_cast<unsigned char>(all[most]) & 0xC0U) == 0x80U)
    --most;
  return std::string{all.substr(0, most)};
}

std::string pulse_value::needed_text(size_t most) const {
  auto out = text(most);
  if (out.empty())
    complain("is required");
  return out;
}

std::optional<uint32_t> pulse_value::number() const {
  if (at_ == nullptr)
    return std::nullopt;
  if (at_->IsUint())
    return at_->GetUint();
  complain("must be a whole number");
  return std::nullopt;
}

caf::timestamp pulse_value::time() const {
  if (at_ == nullptr)
    return {};
  constexpr auto longest_time = size_t{64};
  auto out = parse_machine_time(text(longest_time));
  // Nothing of a machine is older than the epoch; its own moment stands for "not said".
  if (!out || *out <= caf::timestamp{}) {
    complain("must be a time as in RFC 3339, after 1970");
    return {};
  }
  return *out;
}

caf::timestamp pulse_value::needed_time() const {
  if (at_ == nullptr)
    complain("is required");
  return time();
}

} // namespace troupe
