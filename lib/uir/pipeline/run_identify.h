// Who appears when: uir-identify on films and photos.
#pragma once

#include <string>

#include "uir/identify/request.h"

namespace uir {

// Writes a timeline beside every input. Given back: a summary line a person. kUsage for a request that lacks
// something; errors as in identification.h, gallery.h and face_model.h.
std::string run_identify(const IdentifyRequest& request);

}  // namespace uir
