// The passes of batch_norm.h over rows of channels-last data, for one thread. Free of LibTorch.
//
// Data: rows × channels, contiguous; a row holds the channels of one pixel. Per-channel arrays have
// `channels` elements. Each function is compiled for several instruction sets and the processor's best one
// is chosen when the program starts. Sums run in float over blocks of rows and in double over blocks (in
// double alone for double data).
#pragma once

#include <cstdint>

#include "uir/model/lanes.h"

namespace uir {

template <class T>
struct Rows {
  const T* x;
  int64_t rows, channels;
};

// z = x · scale + shift; y = prelu(z) with the slopes, z where there are none.
template <class A>
struct Activation {
  const A* scale;
  const A* shift;
  const A* slope;  // or nullptr
};

// Sums of d and d² where d = x − pivot: pass a pivot near the mean. Added to sum and sum_of_squares.
template <class A>
struct Moments {
  const A* pivot;
  double* sum;
  double* sum_of_squares;
};

// With g = dL/dz (from dL/dy and the activation's slope): sums of g, g · (x − mean), and of dL/dy · z where
// z ≤ 0, which is the slope's gradient. Added.
template <class A>
struct GradientSums {
  const A* mean;
  double* g;
  double* g_x;
  double* slope;
};

// dL/dx = scale · g + from_x · (x − mean) + constant: every term of batch normalisation's gradient is of
// this form.
template <class A>
struct InputGradient {
  const A* mean;
  const A* from_x;
  const A* constant;
};

#define UIR_DECLARE_BATCH_NORM_KERNELS(T)                                                         \
  void add_moments(const Rows<T>& in, const Moments<ComputeType<T>>& out);                        \
  /* residual: added to the activation's result, or nullptr */                                    \
  void activate(const Rows<T>& in, const Activation<ComputeType<T>>& f, const T* residual, T* y); \
  void add_gradient_sums(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f,     \
                         const GradientSums<ComputeType<T>>& out);                                \
  void input_gradient(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f,        \
                      const InputGradient<ComputeType<T>>& terms, T* dx);

UIR_DECLARE_BATCH_NORM_KERNELS(float)
UIR_DECLARE_BATCH_NORM_KERNELS(double)
UIR_DECLARE_BATCH_NORM_KERNELS(Bf16)
#undef UIR_DECLARE_BATCH_NORM_KERNELS

}  // namespace uir
