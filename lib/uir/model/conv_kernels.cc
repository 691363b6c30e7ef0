#include "uir/model/conv_kernels.h"

namespace uir {

template <class P>
void pack_panels(const float* weight, int64_t in, int64_t out, P* packed) {
  using namespace conv_kernels;
  for (int64_t k = 0; k < out; ++k) {
    for (int64_t c = 0; c < in; ++c)
      put_weight(weight[k * in + c], c, k % kPanel, packed + k / kPanel * kPanel * in);
  }
}
template void pack_panels(const float*, int64_t, int64_t, float*);
template void pack_panels(const float*, int64_t, int64_t, Bf16*);
template void pack_panels(const float*, int64_t, int64_t, int8_t*);

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
template <>
bool has_conv_kernels<uint8_t>() {
  return has_conv_kernels<float>() && __builtin_cpu_supports("avx512vnni");
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
template <>
bool has_conv_kernels<uint8_t>() {
  return false;
}
#endif

}  // namespace uir
