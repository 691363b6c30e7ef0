// Builds an index from the sources of a config, and verifies one by decoding everything.
//
// Determinism: the same files give a byte-identical index for any number of threads and after any
// interruption.
// Cost: every new or changed image is read, and every video decoded, once; files whose size and time stamp
// are those of the index that stands in the folder are not read again. Memory grows with the number of
// identities, not of images.
// Errors: missing files kMissingInput, all of a source named in one error (the first twenty, and how many);
// lists, records and labels that cannot be explained kData naming file
// and line or record. Images whose header cannot be read are marked kBad and reported, not refused; excluded
// ones need not be there.
// Published by the commit protocol: an interrupted build leaves the old index intact.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uir/data/config.h"
#include "uir/data/image_source.h"
#include "uir/data/index.h"
#include "uir/data/index_report.h"

namespace uir {

// Indexes all sources of the config into `folder`, which is made or replaced. kConfig for a config without
// sources and for a held_out share of test images; errors name the source. threads: 0, one per processor.
// stop (may be empty) is asked on all of them: kStopped, and nothing is changed, once it says so.
IndexReport build_index(const DataConfig& config, const fs::path& folder, int threads = 0,
                        const std::function<bool()>& stop = {});

struct VerifyReport {
  int64_t images = 0;         // decoded; neither synthetic ones, which cannot fail, nor excluded ones
  std::vector<BadImage> bad;  // in row order
  std::vector<std::string> lines() const;
};

// Decodes every image on all threads and commits the index again with kBad set on exactly those that failed,
// so that training skips them. kMissingInput without an index in the folder.
VerifyReport verify_index(const fs::path& folder, int threads = 0);

}  // namespace uir
