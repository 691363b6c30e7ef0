// OpenBLAS on processors that it does not know.
//
// OpenBLAS 0.3.21 (Debian 12) does not recognise newer processors and falls back to kernels of 2004: products
// of float32 matrices at a third to a fifth of the speed. Which kernels it takes is decided while it is
// loaded, and only the environment variable OPENBLAS_CORETYPE changes that; hence the second start.
#pragma once

#include <optional>
#include <string_view>

namespace uir {

// The value of OPENBLAS_CORETYPE that suits a processor better than what OpenBLAS chose; none if its choice
// is fine.
std::optional<std::string_view> better_blas_core(std::string_view chosen, bool has_avx2, bool has_avx512);

// Starts the program again with better kernels where OpenBLAS is loaded and chose badly; else returns. A
// value in the environment is respected. Call it first in main: nothing that ran before survives.
void choose_blas_kernels(char** argv);

}  // namespace uir
