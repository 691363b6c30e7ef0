// What a program's main must do so that engines can be tried in processes of their own (onnx_engines.h).
#pragma once

#include "uir/base/file.h"

namespace uir {

// The first argument of such a process; behind it the request.
inline constexpr const char* kEngineTrial = "--engine-trial";
// Answers it; the program's exit code.
int engine_trial_main(const fs::path& request);

}  // namespace uir
