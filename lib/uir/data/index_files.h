// Names of an index's files and its manifest (docs/formats.md, "Index"): what its reader and its writers
// share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/data/index.h"

namespace uir {

namespace index_files {
inline constexpr std::string_view kOffsets = "offsets.u64";
inline constexpr std::string_view kSizes = "sizes.u32";
inline constexpr std::string_view kLabels = "labels.i64";
inline constexpr std::string_view kFlags = "flags.u32";
inline constexpr std::string_view kHashes = "hashes.u128";
inline constexpr std::string_view kPixelSizes = "pixel_sizes.u16x2";
inline constexpr std::string_view kMtimes = "mtimes.i64";
inline constexpr std::string_view kLandmarks = "landmarks.f32x10";
inline constexpr std::string_view kBoxes = "boxes.f32x4";
inline constexpr std::string_view kRules = "rules.u32";
inline constexpr std::string_view kItems = "items";              // .u64 and .text
inline constexpr std::string_view kIdentities = "identities";    // .u64 and .text
inline constexpr std::string_view kVideoFacts = "videos.files";  // not .facts, which OpenCV's frames filled
inline constexpr std::string_view kVideoFrames = "videos.frames";
inline constexpr std::string_view kVideoNames = "videos";  // .u64 and .text
inline constexpr std::string_view kManifest = "manifest.json";
}  // namespace index_files

struct IndexManifest {
  struct File {
    std::string name;
    uint64_t bytes = 0;
    std::string checksum;
  };
  int64_t rows = 0, num_classes = 0, num_test_identities = 0;
  std::vector<SourceInfo> sources;
  std::vector<File> files;

  // What stands in manifest.json, its own checksum included.
  std::string text() const;
  // kData unless the file is exactly what text() gives for its content, and its counts fit together.
  static IndexManifest read(const fs::path& folder);
  std::string fingerprint() const;
};

// manifest.json of a folder whose other files are closed.
void write_manifest(const fs::path& folder, const IndexManifest& manifest);

}  // namespace uir
