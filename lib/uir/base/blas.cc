#include "uir/base/blas.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace uir {
namespace {

constexpr const char* kVariable = "OPENBLAS_CORETYPE";

}  // namespace

std::optional<std::string_view> better_blas_core(std::string_view chosen, bool has_avx2, bool has_avx512) {
  // Kernels without AVX2 that OpenBLAS falls back to; all others are a choice of its own.
  constexpr std::array<std::string_view, 5> kFallbacks{"Prescott", "Core2", "Nehalem", "Generic",
                                                       "Northwood"};
  if (std::ranges::find(kFallbacks, chosen) == kFallbacks.end()) return std::nullopt;
  if (has_avx512) return "SkylakeX";
  if (has_avx2) return "Haswell";
  return std::nullopt;
}

void choose_blas_kernels(char** argv) {
#ifdef __x86_64__
  using CoreName = char* (*)();
  const auto core_name = reinterpret_cast<CoreName>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  if (core_name == nullptr || std::getenv(kVariable) != nullptr) return;
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const std::optional<std::string_view> better = better_blas_core(core_name(), avx2, avx512);
  if (!better) return;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);  // its name is what ps shows
  if (error) return;
  ::setenv(kVariable, better->data(), 1);  // a literal: it ends with a zero
  ::execv(program.c_str(), argv);          // returns only if it cannot; then the slow kernels do
#else
  static_cast<void>(argv);
#endif
}

}  // namespace uir
