#include "actors/runners/docker/image.hpp"

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr auto inspect_limit = 30s;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto i = text.find(what); i != std::string::npos; i = text.find(what, i + with.size()))
    text.replace(i, what.size(), with);
}

/// Returns the image's architecture. Errors: `ec::not_found`, as `engine_client::call`.
caf::expected<std::string> architecture(engine_client& engine, const std::string& reference,
                                        std::stop_token stop) {
  auto reply = engine.call({"GET", "/images/" + encode_query(reference) + "/json", {}},
                           within(inspect_limit, stop));
  if (!reply)
    return std::move(reply.error());
  auto text = engine_message(reply->body);
  switch (meaning_of(engine_call::image, reply->status, text)) {
    case engine_meaning::ok: break;
    case engine_meaning::no_image:
      return fault(ec::not_found, "no image " + reference + " on this host");
    default: return fault(ec::unavailable, "inspect image " + reference + ": " + text);
  }
  auto parsed = engine_json(*reply);
  if (!parsed)
    return std::move(parsed.error());
  return text_at(*parsed, {"Architecture"});
}

caf::error pull(engine_client& engine, const image_options& options, const std::string& reference,
                std::string_view arch, std::stop_token stop) {
  auto [name, tag] = split_reference(reference);
  auto target = "/images/create?fromImage=" + encode_query(name);
  if (!tag.empty())
    target += "&tag=" + encode_query(tag);
  if (!arch.empty())
    target += "&platform=" + encode_query("linux/" + std::string{arch});
  auto reply = engine.call({"POST", target, {}}, within(options.pull_limit, stop));
  if (!reply) {
    if (explain(reply.error()).code == ec::canceled)
      return std::move(reply.error());
    return fault(ec::not_found, "pull " + reference + ": " + one_line(reply.error()));
  }
  if (reply->status != 200)
    return fault(ec::not_found, "pull " + reference + ": " + engine_message(reply->body));
  // A failed pull is a 200 as well.
  if (auto text = pull_error(reply->body); !text.empty())
    return fault(ec::not_found, "pull " + reference + ": " + text.substr(0, 500));
  return caf::none;
}

} // namespace

std::string image_for(const image_options& options, const test_spec& spec) {
  auto key = spec.dist_name + '-' + spec.dist_version + '-' + spec.dist_arch;
  if (auto i = options.images.find(key); i != options.images.end())
    return i->second;
  auto out = options.pattern;
  replace_all(out, "{dist_name}", spec.dist_name);
  replace_all(out, "{dist_version}", spec.dist_version);
  replace_all(out, "{dist_arch}", spec.dist_arch);
  return out;
}

std::string_view engine_arch(std::string_view dist_arch) {
  constexpr auto names = std::array<std::pair<std::string_view, std::string_view>, 11>{{
    {"x86_64", "amd64"},
    {"amd64", "amd64"},
    {"x86_64_v2", "amd64"},
    {"i386", "386"},
    {"i486", "386"},
    {"i586", "386"},
    {"i686", "386"},
    {"aarch64", "arm64"},
    {"arm64", "arm64"},
    {"ppc64le", "ppc64le"},
    {"s390x", "s390x"},
  }};
  for (const auto& [asked, name] : names)
    if (asked == dist_arch)
      return name;
  return {};
}

std::pair<std::string, std::string> split_reference(std::string_view reference) {
  if (reference.find('@') != std::string_view::npos)
    return {std::string{reference}, {}};
  auto colon = reference.rfind(':');
  auto slash = reference.rfind('/');
  // A colon before the last slash belongs to a registry's port.
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash))
    return {std::string{reference}, "latest"};
  return {std::string{reference.substr(0, colon)}, std::string{reference.substr(colon + 1)}};
}

caf::error ensure_image(engine_client& engine, const image_options& options,
                        const std::string& reference, std::string_view dist_arch,
                        std::stop_token stop) {
  auto wanted = engine_arch(dist_arch);
  if (wanted.empty())
    return fault(ec::unsupported, "unknown architecture " + std::string{dist_arch});
  auto may_pull = options.policy != image_policy::never && !reference.starts_with("localhost/");
  if (may_pull && options.policy == image_policy::always)
    if (auto why = pull(engine, options, reference, wanted, stop))
      return why;
  auto found = architecture(engine, reference, stop);
  if (!found && may_pull && explain(found.error()).code == ec::not_found) {
    if (auto why = pull(engine, options, reference, wanted, stop))
      return why;
    found = architecture(engine, reference, stop);
  }
  if (!found)
    return std::move(found.error());
  // The engine takes whatever image has the name, also for another machine.
  if (*found != wanted)
    return fault(ec::unsupported,
                 "image " + reference + " is for " + *found + ", asked was " + std::string{wanted});
  return caf::none;
}

} // namespace troupe
