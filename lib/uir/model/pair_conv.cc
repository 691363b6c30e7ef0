#include "uir/model/pair_conv.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "uir/model/pair_conv_kernels.h"
#include "uir/model/row_threads.h"

namespace uir {
namespace {

ImageShape shape_of(const at::Tensor& x) { return {x.size(0), x.size(2), x.size(3), x.size(1)}; }

int64_t num_chunks(int64_t channels) { return (channels + kChunk - 1) / kChunk; }

// The weights [C, 2, 3, 3] in the kernels' order. `transposed`: of the convolution that maps the gradient
// in y to the one in x, with mirrored taps and inputs and outputs exchanged.
std::vector<PairWeights> pack(const at::Tensor& weight, bool transposed) {
  const int64_t channels = weight.size(0);
  const float* w = weight.data_ptr<float>();
  const auto at = [&](int64_t out, int64_t in, int64_t tap) { return w[(out * 2 + in % 2) * kTaps + tap]; };
  std::vector<PairWeights> packed(num_chunks(channels));
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t pair = c ^ 1;
    for (int64_t tap = 0; tap < kTaps; ++tap) {
      const int64_t source = transposed ? kTaps - 1 - tap : tap;
      PairWeights& chunk = packed[c / kChunk];
      chunk.from_own[tap][c % kChunk] = at(c, c, source);
      chunk.to_other[tap][c % kChunk] = transposed ? at(c, pair, source) : at(pair, c, source);
    }
  }
  return packed;
}

template <class T>
at::Tensor convolve(const at::Tensor& x, const std::vector<PairWeights>& weights) {
  at::Tensor y = at::empty_like(x);
  const ImageShape shape = shape_of(x);
  const int64_t stride = shape.height * shape.width * shape.channels;
  RowThreads(shape.images, stride).run([&](int64_t, int64_t begin, int64_t end) {
    ImageShape part = shape;
    part.images = end - begin;
    pair_convolve(part, static_cast<const T*>(x.data_ptr()) + begin * stride, weights.data(),
                  static_cast<T*>(y.data_ptr()) + begin * stride);
  });
  return y;
}

template <class T>
at::Tensor weight_gradient(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& weight) {
  const ImageShape shape = shape_of(x);
  const int64_t stride = shape.height * shape.width * shape.channels;
  const int64_t count = num_chunks(shape.channels) * 2 * kTaps * kChunk;
  const auto sum = RowThreads(shape.images, stride).sum(count, [&](int64_t begin, int64_t end, double* sums) {
    ImageShape part = shape;
    part.images = end - begin;
    pair_weight_gradient(part, static_cast<const T*>(x.data_ptr()) + begin * stride,
                         static_cast<const T*>(dy.data_ptr()) + begin * stride, sums);
  });
  at::Tensor gradient = at::empty_like(weight);
  float* out = gradient.data_ptr<float>();
  for (int64_t c = 0; c < shape.channels; ++c) {
    const double* chunk = sum.data() + c / kChunk * 2 * kTaps * kChunk + c % kChunk;
    for (int64_t tap = 0; tap < kTaps; ++tap) {
      // A lane is an input channel; the second half of the sums belongs to the output of its pair.
      out[(c * 2 + c % 2) * kTaps + tap] = static_cast<float>(chunk[tap * kChunk]);
      out[((c ^ 1) * 2 + c % 2) * kTaps + tap] = static_cast<float>(chunk[(kTaps + tap) * kChunk]);
    }
  }
  return gradient;
}

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

class PairConvFunction : public torch::autograd::Function<PairConvFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight) {
    const at::Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
    context->save_for_backward({input, weight});
    return of_type(input, pack(weight, /*transposed=*/false));
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const bool narrow = dy.scalar_type() == at::kBFloat16;
    return {of_type(dy, pack(saved[1], /*transposed=*/true)),
            narrow ? weight_gradient<Bf16>(saved[0], dy, saved[1])
                   : weight_gradient<float>(saved[0], dy, saved[1])};
  }

 private:
  static at::Tensor of_type(const at::Tensor& x, const std::vector<PairWeights>& weights) {
    return x.scalar_type() == at::kBFloat16 ? convolve<Bf16>(x, weights) : convolve<float>(x, weights);
  }
};

bool has_kernels(const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         weight.scalar_type() == at::kFloat && weight.is_contiguous();
}

}  // namespace

at::Tensor pair_conv(const at::Tensor& x, const at::Tensor& weight) {
  if (has_kernels(x, weight)) return PairConvFunction::apply(x, weight);
  return at::conv2d(x, weight.to(x.scalar_type()), {}, 1, 1, 1, weight.size(0) / 2);
}

}  // namespace uir
