#include "uir/data/sources.h"

#include "uir/data/source_kinds.h"

namespace uir {

std::unique_ptr<Source> open_source(const SourceConfig& config) {
  return std::visit([&](const auto& kind) { return make_source(kind, config.role); }, config.kind);
}

}  // namespace uir
