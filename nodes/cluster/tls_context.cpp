#include "nodes/cluster/tls_context.hpp"

namespace troupe {

tls_context::tls_context(tls_files files, std::shared_ptr<const tls_material> material)
  : files_{std::move(files)}, material_{std::move(material)} {}

caf::expected<std::shared_ptr<tls_context>> tls_context::make(tls_files files) {
  auto material = read_tls_material(files);
  if (!material)
    return std::move(material.error());
  return std::shared_ptr<tls_context>{new tls_context{std::move(files), std::move(*material)}};
}

caf::error tls_context::reload() {
  auto fresh = read_tls_material(files_);
  if (!fresh)
    return std::move(fresh.error());
  auto lock = std::lock_guard{mutex_};
  const auto& now = material_->own.names.front();
  const auto& then = (*fresh)->own.names.front();
  if (now != then)
    return fault_at(ec::conflict, files_.certificate,
                    "is for the node \"" + then + "\"; this one is \"" + now + '"');
  material_ = std::move(*fresh);
  return caf::none;
}

std::shared_ptr<const tls_material> tls_context::current() const {
  auto lock = std::lock_guard{mutex_};
  return material_;
}

std::string tls_context::name() const {
  return current()->own.names.front();
}

std::chrono::system_clock::time_point tls_context::expires() const {
  return std::chrono::system_clock::time_point{std::chrono::seconds{current()->own.not_after}};
}

} // namespace troupe
