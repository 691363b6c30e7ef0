#include "uir/model/inference_conv.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "uir/base/error.h"
#include "uir/model/depthwise_kernels.h"
#include "uir/model/direct_kernels.h"
#include "uir/model/winograd_kernels.h"

namespace uir {
namespace {

enum class Kind { kNone, kWinograd, kDirect, kDepthwise };

Kind kind_of(const Op& c) {
  if (c.kind != OpKind::kConv || c.bias || c.stride > 2 || c.padding != c.kernel / 2) return Kind::kNone;
  const bool dense = c.groups == 1 && c.in_channels % 32 == 0 && c.out_channels % 32 == 0;
  if (dense && c.kernel == 3 && c.stride == 1 && c.in_channels % 64 == 0) return Kind::kWinograd;
  if (dense && (c.kernel == 1 || c.kernel == 3)) return Kind::kDirect;
  const bool depthwise = c.groups == c.in_channels && c.in_channels == c.out_channels;
  return depthwise && c.kernel == 3 && c.in_channels % 16 == 0 ? Kind::kDepthwise : Kind::kNone;
}

const float* values_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}
template <class T>
T* data_of(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

// The weights of a dense convolution as its products take them: [points, out, row].
template <class P>
at::Tensor product_weights(const Op& c, const at::Tensor& weight) {
  const float* w = weight.data_ptr<float>();
  if (kind_of(c) == Kind::kWinograd) {
    const at::Tensor values = at::empty({Winograd<P>::kPoints, c.out_channels, c.in_channels}, at::kFloat);
    transform_weights<P>(w, c.in_channels, c.out_channels, values.data_ptr<float>());
    return values;
  }
  const at::Tensor values = at::empty({1, c.out_channels, c.in_channels * c.kernel * c.kernel}, at::kFloat);
  order_weights(w, {.in = c.in_channels, .out = c.out_channels, .kernel = c.kernel},
                values.data_ptr<float>());
  return values;
}

// P: float, Bf16, or int8_t.
template <class P>
at::Tensor pack(const at::Tensor& values, at::ScalarType type) {
  const int64_t each = values[0].numel();
  const at::Tensor packed = at::empty(values.sizes(), type);
  for (int64_t point = 0; point < values.size(0); ++point)
    pack_panels(values.data_ptr<float>() + point * each, values.size(2), values.size(1),
                data_of<P>(packed) + point * each);
  return packed;
}

// The same of all weights, a panel of outputs after the other: whole, the values in between would take as much
// memory again.
template <class P>
at::Tensor pack_weights(const Op& c, const at::Tensor& weight, at::ScalarType type) {
  Op panel = c;
  using conv_kernels::kPanel;
  panel.out_channels = kPanel;
  at::Tensor packed;
  for (int64_t k = 0; k < c.out_channels; k += kPanel) {
    const at::Tensor values = product_weights<P>(panel, weight.slice(0, k, k + kPanel));
    const int64_t points = values.size(0), row = values.size(2);
    if (k == 0) packed = at::empty({points, c.out_channels, row}, type);
    for (int64_t point = 0; point < points; ++point)
      pack_panels(values.data_ptr<float>() + point * kPanel * row, row, kPanel,
                  data_of<P>(packed) + (point * c.out_channels + k) * row);
  }
  return packed;
}

template <class P>
PackedWeights<P> packed_weights(const at::Tensor& packed, const at::Tensor&, const at::Tensor&,
                                const at::Tensor&) {
  return {data_of<const P>(packed)};
}
template <>
PackedWeights<uint8_t> packed_weights(const at::Tensor& packed, const at::Tensor& offsets,
                                      const at::Tensor& scales, const at::Tensor& in_scales) {
  return {data_of<const int8_t>(packed), data_of<const int32_t>(offsets), values_of(scales),
          values_of(in_scales)};
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
bool InferenceConv::suits_int8(const Op& conv) {
  return kind_of(conv) == Kind::kWinograd || kind_of(conv) == Kind::kDirect;
}

bool InferenceConv::runs(at::ScalarType type) {
  return (type == at::kFloat && has_conv_kernels<float>()) ||
         (type == at::kBFloat16 && has_conv_kernels<Bf16>());
}
bool InferenceConv::runs_int8() { return has_conv_kernels<uint8_t>(); }

at::Tensor InferenceConv::sample_inputs(const Op& conv, const at::Tensor& given, const ConvEdges& edges) {
  const bool tiles = kind_of(conv) == Kind::kWinograd;
  const int64_t window = tiles ? 4 : conv.kernel, step = tiles ? 2 : conv.stride, before = conv.kernel / 2;
  at::Tensor x = given.to(at::kFloat);
  if (edges.in_scale.defined())
    x = x * edges.in_scale.view({1, -1, 1, 1}) + edges.in_shift.view({1, -1, 1, 1});
  const int64_t down = before + (tiles ? x.size(2) % 2 : 0), right = before + (tiles ? x.size(3) % 2 : 0);
  const at::Tensor windows = at::constant_pad_nd(x, {before, right, before, down})
                                 .unfold(2, window, step)
                                 .unfold(3, window, step)
                                 .permute({0, 2, 3, 1, 4, 5});
  const int64_t high = windows.size(1), wide = windows.size(2), all = x.size(0) * high * wide;
  const int64_t places = std::min<int64_t>(all, std::max<int64_t>(128, 8192 / x.size(1)));
  std::vector<int64_t> image, row, column;
  for (int64_t i = 0; i < places; ++i) {
    const int64_t at = i * all / places;
    image.push_back(at / (high * wide));
    row.push_back(at / wide % high);
    column.push_back(at % wide);
  }
  const at::Tensor taken = windows.index({at::tensor(image), at::tensor(row), at::tensor(column)});
  const at::Tensor b =
      at::tensor(std::vector<float>{1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1}).view({4, 4});
  const at::Tensor samples =
      tiles ? b.matmul(taken).matmul(b.t()).permute({2, 3, 0, 1}).reshape({16, -1}) : taken.reshape({1, -1});
  // An odd step takes values of all channels.
  return samples.slice(1, 0, {}, (samples.size(1) / 8192) | 1).contiguous();
}

InferenceConv::InferenceConv(const Op& conv, const at::Tensor& weight, at::ScalarType type)
    : conv_(conv), type_(type), products_(type) {
  const at::Tensor source = weight.to(at::kFloat).contiguous();
  if (kind_of(conv) == Kind::kDepthwise) {
    packed_ = source.view({conv.in_channels, 9}).t().contiguous();
  } else if (type == at::kFloat) {
    packed_ = pack_weights<float>(conv, source, type);
  } else {
    packed_ = pack_weights<Bf16>(conv, source, type);
  }
}

InferenceConv::InferenceConv(const Op& conv, const at::Tensor& weight, const std::vector<float>& ranges)
    : conv_(conv), type_(at::kBFloat16), products_(at::kByte) {
  ensure(suits_int8(conv), "a convolution that can be computed in int8");
  const at::Tensor values = product_weights<uint8_t>(conv, weight.to(at::kFloat).contiguous());
  ensure(std::ssize(ranges) == values.size(0), "one range for each of the products");
  const at::Tensor in_steps = at::tensor(ranges).clamp_min(1e-20) / 127,
                   steps = values.abs().amax(2, /*keepdim=*/true).clamp_min(1e-20) / 127;
  const at::Tensor whole = (values / steps).round();
  packed_ = pack<int8_t>(whole, at::kChar);
  offsets_ = (whole.sum(2) * 128).to(at::kInt).contiguous();
  scales_ = (steps.squeeze(2) * in_steps.view({-1, 1})).contiguous();
  in_scales_ = in_steps.reciprocal();
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
  if (products_ == at::kByte) return run<Bf16, uint8_t>(x, edges);
  return type_ == at::kFloat ? run<float, float>(x, edges) : run<Bf16, Bf16>(x, edges);
}

template <class T, class P>
at::Tensor InferenceConv::run(const at::Tensor& given, const ConvEdges& around) const {
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor residual = around.residual.defined()
                                  ? around.residual.contiguous(at::MemoryFormat::ChannelsLast)
                                  : around.residual;
  const int64_t images = x.size(0), height = x.size(2), width = x.size(3);
  at::Tensor y = at::empty(sizes_of_result(x), x.options(), at::MemoryFormat::ChannelsLast);
  const EdgePointers<T> edges{
      values_of(around.in_scale), values_of(around.in_shift),
      values_of(around.scale),    values_of(around.shift),
      values_of(around.slope),    residual.defined() ? data_of<T>(residual) : nullptr};
  const T* from = data_of<T>(x);
  T* to = data_of<T>(y);
  const auto values = [&](int64_t count) { return at::empty({count}, products_); };
  const PackedWeights<P> weights = packed_weights<P>(packed_, offsets_, scales_, in_scales_);
  switch (kind_of(conv_)) {
    case Kind::kWinograd: {
      const WinogradShape shape{images, height, width, conv_.in_channels, conv_.out_channels};
      const auto memory = [&] {
        return std::pair(values(Winograd<P>::input_values(shape)),
                         at::empty({Winograd<P>::product_values(shape)}, at::kFloat));
      };
      run_pieces(Winograd<P>::tiles(shape), 16, Winograd<P>::kGroup, memory,
                 [&](int64_t begin, int64_t end, const auto& own) {
                   winograd_tiles(shape, edges, from, weights, begin, end, data_of<P>(own.first),
                                  own.second.template data_ptr<float>(), to);
                 });
      return y;
    }
    case Kind::kDirect: {
      const DirectShape shape{images,       height,      width, conv_.in_channels, conv_.out_channels,
                              conv_.kernel, conv_.stride};
      run_pieces(
          shape.rows(), 64, kDirectRows, [&] { return values(direct_values(shape)); },
          [&](int64_t begin, int64_t end, const at::Tensor& own) {
            direct_rows(shape, edges, from, weights, begin, end, data_of<P>(own), to);
          });
      return y;
    }
    default: {
      const DepthwiseShape lines{images, height, width, conv_.in_channels, conv_.stride};
      run_pieces(
          images * lines.out_height(), 8, 8, [] { return 0; },
          [&](int64_t begin, int64_t end, int) {
            depthwise_rows(lines, edges, from, packed_.data_ptr<float>(), begin, end, to);
          });
      return y;
    }
  }
}

}  // namespace uir
