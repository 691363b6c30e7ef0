#include "uir/model/inference_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "uir/base/error.h"
#include "uir/model/depthwise_kernels.h"
#include "uir/model/pointwise_kernels.h"
#include "uir/model/winograd_kernels.h"

namespace uir {
namespace {

enum class Kind { kNone, kWinograd, kPointwise, kDepthwise };

Kind kind_of(const Op& c) {
  if (c.kind != OpKind::kConv || c.bias) return Kind::kNone;
  const bool dense = c.groups == 1 && c.in_channels % 32 == 0 && c.out_channels % 32 == 0;
  if (dense && c.kernel == 1 && c.stride == 1 && c.padding == 0) return Kind::kPointwise;
  if (c.kernel != 3 || c.padding != 1) return Kind::kNone;
  if (dense && c.stride == 1 && c.in_channels % 64 == 0) return Kind::kWinograd;
  const bool depthwise = c.groups == c.in_channels && c.in_channels == c.out_channels;
  return depthwise && c.stride <= 2 && c.in_channels % 16 == 0 ? Kind::kDepthwise : Kind::kNone;
}

const float* values_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}
template <class T>
T* data_of(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

template <class T>
at::Tensor pack(const Op& c, const at::Tensor& weight, at::ScalarType type) {
  const float* w = weight.data_ptr<float>();
  switch (kind_of(c)) {
    case Kind::kWinograd: {
      const at::Tensor packed = at::empty({Winograd<T>::weight_values(c.in_channels, c.out_channels)}, type);
      pack_winograd(w, c.in_channels, c.out_channels, data_of<T>(packed));
      return packed;
    }
    case Kind::kPointwise: {
      const at::Tensor packed = at::empty({c.in_channels * c.out_channels}, type);
      pack_pointwise(w, {c.in_channels, c.out_channels}, data_of<T>(packed));
      return packed;
    }
    case Kind::kDepthwise:
      return weight.view({c.in_channels, 9}).t().contiguous();
    case Kind::kNone:
      break;
  }
  fail(ErrorKind::kInternal, "no convolution of inference");
}

// body(begin, end, memory) for pieces of [0, n) of at most `piece`; each thread has a run of them, at least
// `least` long, and memory of its own.
template <class Memory, class Body>
void run_pieces(int64_t n, int64_t least, int64_t piece, const Memory& memory, const Body& body) {
  const int64_t parts = std::clamp<int64_t>(n / least, 1, at::get_num_threads());
  at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
    const auto own = memory();
    for (int64_t part = first; part < last; ++part) {
      const int64_t end = n * (part + 1) / parts;
      for (int64_t i = n * part / parts; i < end; i += piece) body(i, std::min(end, i + piece), own);
    }
  });
}

}  // namespace

bool InferenceConv::suits(const Op& conv) { return kind_of(conv) != Kind::kNone; }

bool InferenceConv::runs(at::ScalarType type) {
  return (type == at::kFloat && has_conv_kernels<float>()) ||
         (type == at::kBFloat16 && has_conv_kernels<Bf16>());
}

InferenceConv::InferenceConv(const Op& conv, const at::Tensor& weight, at::ScalarType type)
    : conv_(conv), type_(type) {
  const at::Tensor source = weight.to(at::kFloat).contiguous();
  packed_ = type == at::kFloat ? pack<float>(conv, source, type) : pack<Bf16>(conv, source, type);
}

std::vector<int64_t> InferenceConv::sizes_of_result(const at::Tensor& x) const {
  return {x.size(0), conv_.out_channels, (x.size(2) - 1) / conv_.stride + 1,
          (x.size(3) - 1) / conv_.stride + 1};
}

at::Tensor InferenceConv::operator()(const at::Tensor& x, const ConvEdges& edges) const {
  ensure(x.dim() == 4 && x.scalar_type() == type_ && x.size(1) == conv_.in_channels,
         "the convolution is made for such inputs");
  for (const at::Tensor& behind : {edges.scale, edges.shift, edges.slope})
    ensure(!behind.defined() || behind.numel() == conv_.out_channels, "one value for each output channel");
  for (const at::Tensor& before : {edges.in_scale, edges.in_shift})
    ensure(!before.defined() || before.numel() == conv_.in_channels, "one value for each input channel");
  ensure(!edges.residual.defined() || (edges.residual.scalar_type() == type_ &&
                                       edges.residual.sizes() == at::IntArrayRef(sizes_of_result(x))),
         "the residual is like the result");
  return type_ == at::kFloat ? run<float>(x, edges) : run<Bf16>(x, edges);
}

template <class T>
at::Tensor InferenceConv::run(const at::Tensor& given, const ConvEdges& around) const {
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor residual = around.residual.defined()
                                  ? around.residual.contiguous(at::MemoryFormat::ChannelsLast)
                                  : around.residual;
  const int64_t images = x.size(0), height = x.size(2), width = x.size(3);
  const DepthwiseShape lines{images, height, width, conv_.in_channels, conv_.stride};
  at::Tensor y = at::empty(sizes_of_result(x), x.options(), at::MemoryFormat::ChannelsLast);
  const EdgePointers<T> edges{
      values_of(around.in_scale), values_of(around.in_shift),
      values_of(around.scale),    values_of(around.shift),
      values_of(around.slope),    residual.defined() ? data_of<T>(residual) : nullptr};
  const T* from = data_of<T>(x);
  T* to = data_of<T>(y);
  const auto values = [&](int64_t count) { return at::empty({count}, x.options()); };
  switch (kind_of(conv_)) {
    case Kind::kWinograd: {
      const WinogradShape shape{images, height, width, conv_.in_channels, conv_.out_channels};
      const auto memory = [&] {
        return std::pair(values(Winograd<T>::input_values(shape)),
                         at::empty({Winograd<T>::product_values(shape)}, at::kFloat));
      };
      run_pieces(Winograd<T>::tiles(shape), 16, Winograd<T>::kGroup, memory,
                 [&](int64_t begin, int64_t end, const auto& own) {
                   winograd_tiles(shape, edges, from, data_of<const T>(packed_), begin, end,
                                  data_of<T>(own.first), own.second.template data_ptr<float>(), to);
                 });
      return y;
    }
    case Kind::kPointwise: {
      const PointwiseShape shape{conv_.in_channels, conv_.out_channels};
      run_pieces(
          images * height * width, 64, kPointwiseRows, [&] { return values(pointwise_values(shape)); },
          [&](int64_t begin, int64_t end, const at::Tensor& own) {
            pointwise_rows(shape, edges, from, data_of<const T>(packed_), begin, end, data_of<T>(own), to);
          });
      return y;
    }
    default:
      run_pieces(
          images * lines.out_height(), 8, 8, [] { return 0; },
          [&](int64_t begin, int64_t end, int) {
            depthwise_rows(lines, edges, from, packed_.data_ptr<float>(), begin, end, to);
          });
      return y;
  }
}

}  // namespace uir
