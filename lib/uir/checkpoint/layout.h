// Names and seals of a checkpoint's files, shared by the writer, the reader and the retention. Private to
// checkpoint/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/formats/safetensors.h"

namespace uir::checkpoint_layout {

inline constexpr std::string_view kFormat = "uir-checkpoint";
inline constexpr int64_t kVersion = 1;
inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kConfig = "config.yaml";
inline constexpr const char* kModel = "model.safetensors";
inline constexpr const char* kOptimizer = "optimizer.safetensors";
inline constexpr const char* kState = "state.safetensors";
inline constexpr const char* kCenters = "centers";  // shard stems
inline constexpr const char* kCentersOptimizer = "centers-optimizer";
inline constexpr const char* kCentersTensor = "centers";
inline constexpr const char* kLatest = "latest";
inline constexpr const char* kBest = "best";

// "centers-00000-of-00002.safetensors"
std::string shard_name(std::string_view stem, int64_t rank, int64_t num_ranks);
// The step of a checkpoint folder's name; none for other names.
std::optional<int64_t> parse_name(std::string_view name);

// JSON text whose last field is the checksum of everything before it, so that no byte can change unnoticed.
std::string seal(const Json& json);
// The JSON without the checksum; kData if the text is damaged or nests deeper than any of ours.
Json unseal(std::string_view text, const fs::path& path);

// The weights of a checkpoint folder, compared with the manifest; nothing else is read. Errors as
// open_checkpoint.
SafetensorsFile open_verified_model(const fs::path& folder);

}  // namespace uir::checkpoint_layout
