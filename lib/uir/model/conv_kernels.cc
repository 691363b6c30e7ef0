#include "uir/model/conv_kernels.h"

namespace uir {

#if UIR_HAS_AVX512
template <>
bool has_conv_kernels<float>() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
template <>
bool has_conv_kernels<Bf16>() {
  return has_conv_kernels<float>() && __builtin_cpu_supports("avx512bf16");
}
#else
template <>
bool has_conv_kernels<float>() {
  return false;
}
template <>
bool has_conv_kernels<Bf16>() {
  return false;
}
#endif

}  // namespace uir
