// The model section of a config as the JSON that weights and exported files carry in their metadata
// (docs/checkpoints.md: "architecture"), and back.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "uir/base/json.h"
#include "uir/network/config.h"

namespace uir {

// Its key in the metadata of weights and exported files; the value is the JSON as text.
inline constexpr const char* kArchitectureKey = "architecture";

Json architecture_json(const ModelConfig& model);

// What architecture_json made of a config, as that config. Throws kData naming the place for anything else.
ModelConfig parse_architecture(const std::string& json, const std::string& place);

}  // namespace uir
