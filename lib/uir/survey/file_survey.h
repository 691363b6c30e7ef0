// Single files: RecordIO, tar shards, .bin sets, ONNX networks, videos. What cannot be read is left out with
// the reader's words. Cost: record 0 of InsightFace's layout, else the head of every record; the pickle of a
// .bin without its images; an ONNX file whole.
#pragma once

#include <optional>

#include "uir/survey/collected.h"

namespace uir {

// True if the file is one of those, or belongs to one (.idx, property): then it was dealt with. Lists are
// noted in `texts`.
bool survey_file(const fs::path& file, std::optional<Role> role, Collected& collected);

// A folder of video files, the first of which is looked at.
void survey_videos(const fs::path& folder, const std::vector<std::string>& names, std::optional<Role> role,
                   Collected& collected);

}  // namespace uir
