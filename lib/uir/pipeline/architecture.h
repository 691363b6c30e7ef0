// The model section of a config as the JSON that weights carry (docs/checkpoints.md: "architecture"), and back.
#pragma once

#include <string>

#include "uir/base/json.h"
#include "uir/model/config.h"

namespace uir {

Json architecture_json(const ModelConfig& model);

// Throws kData naming the place for anything else than what architecture_json made.
ModelConfig parse_architecture(const std::string& json, const std::string& place);

}  // namespace uir
