// Aligns raw photos or videos: watches for a stop request, logs what came out.
#pragma once

#include "uir/align/align_run.h"

namespace uir {

// What the command line gives; empty: not given.
struct AlignRequest {
  std::vector<fs::path> inputs;  // one folder, or video files
  fs::path list;                 // photos or videos below the folder
  std::string format;            // of the list of photos
  fs::path landmarks;            // CSV
  bool videos = false;           // the folder holds videos
  VideosSource sampling;
  AlignRun run;
};

// kUsage for a request that contradicts itself; errors as in align_run.h.
void run_align(const AlignRequest& request);

}  // namespace uir
