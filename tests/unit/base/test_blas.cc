#include "support/catch.h"
#include "uir/base/blas.h"

using uir::better_blas_core;

TEST_CASE(
    "OpenBLAS's fallback kernels are replaced by what the processor can run, its own choices are kept") {
  CHECK(better_blas_core("Prescott", true, true) == "SkylakeX");
  CHECK(better_blas_core("Nehalem", true, false) == "Haswell");
  CHECK(better_blas_core("Prescott", false, false) == std::nullopt);
  for (const char* chosen : {"Haswell", "SkylakeX", "Zen", "Cooperlake", "Sapphirerapids", ""}) {
    CHECK(better_blas_core(chosen, true, true) == std::nullopt);
  }
}
