// The convolutions of inference, alone and in networks, against LibTorch's operators in float64.
#include <torch/torch.h>

#include <array>
#include <vector>

#include "uir/model/fused_convs.h"
#include "uir/model/inference_conv.h"
//
#include "support/catch.h"
#include "support/plain_network.h"
#include "support/random_network.h"
#include "support/tensor_errors.h"

namespace uir {
namespace {

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

Op conv_op(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t groups) {
  Op op;
  op.in_channels = in;
  op.out_channels = out;
  op.kernel = kernel;
  op.stride = stride;
  op.padding = kernel / 2;
  op.groups = groups;
  return op;
}

at::Tensor per_channel(const at::Tensor& vector) { return vector.to(at::kDouble).view({1, -1, 1, 1}); }

// What the edges mean, in float64.
at::Tensor exact(const Op& op, const at::Tensor& given, const at::Tensor& weight, const ConvEdges& edges) {
  at::Tensor x = given.to(at::kDouble);
  if (edges.in_scale.defined()) x = x * per_channel(edges.in_scale) + per_channel(edges.in_shift);
  at::Tensor y = at::conv2d(x, weight.to(at::kDouble), {}, op.stride, op.padding, 1, op.groups);
  if (edges.scale.defined()) y = y * per_channel(edges.scale) + per_channel(edges.shift);
  if (edges.slope.defined()) y = at::where(y > 0, y, y * per_channel(edges.slope));
  if (edges.residual.defined()) y = y + edges.residual.to(at::kDouble);
  return y;
}

ConvEdges edges_of(int64_t in, int64_t out, const at::Tensor& residual, int64_t kind) {
  if (kind == 0) return {};
  ConvEdges edges{random_tensor({in}, 5),
                  random_tensor({in}, 6),
                  random_tensor({out}, 7),
                  random_tensor({out}, 8),
                  {},
                  {}};
  if (kind == 1) edges.slope = random_tensor({out}, 9);
  if (kind == 2) edges.residual = residual;
  return edges;
}

ModelConfig iresnet_of_width(double width) {
  IResNetConfig config;
  config.depth = 18;
  config.width = width;
  config.embedding_size = 64;
  return {config};
}

at::Tensor pixels(int64_t images, at::ScalarType type) {
  return channels_last(random_tensor({images, 3, 112, 112}, 3).clamp(-1, 1)).to(type);
}

double least_cosine(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a.to(at::kDouble), b.to(at::kDouble)).min().item<double>();
}

}  // namespace

TEST_CASE("convolutions of inference equal LibTorch's in float64", "[inference]") {
  struct Case {
    Op op;
    int64_t images, height, width;
  };
  std::vector<Case> cases;
  for (const auto& [images, in, height, width, out] :
       std::vector<std::array<int64_t, 5>>{{2, 64, 7, 5, 32},
                                           {3, 128, 4, 4, 96},
                                           {1, 64, 1, 1, 32},
                                           {2, 192, 1, 9, 64},
                                           {5, 64, 13, 30, 64},
                                           {40, 64, 7, 7, 64}}) {
    cases.push_back({conv_op(in, out, 3, 1, 1), images, height, width});
    cases.push_back({conv_op(in / 2, out, 1, 1, 1), images, height, width});
    cases.push_back({conv_op(in / 2, out, 1, 2, 1), images, height, width});
    cases.push_back({conv_op(in / 2, out, 3, 2, 1), images, height, width});
    cases.push_back({conv_op(in, in, 3, 1, in), images, height, width});
    cases.push_back({conv_op(in / 4, in / 4, 3, 2, in / 4), images, height, width});
  }
  for (const Case& c : cases) {
    REQUIRE(InferenceConv::suits(c.op));
    const int64_t in = c.op.in_channels, out = c.op.out_channels, k = c.op.kernel;
    const at::Tensor x = channels_last(random_tensor({c.images, in, c.height, c.width}, 1)),
                     weight = random_tensor({out, in / c.op.groups, k, k}, 2);
    const at::Tensor residual = channels_last(
        random_tensor({c.images, out, (c.height - 1) / c.op.stride + 1, (c.width - 1) / c.op.stride + 1}, 3));
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      if (!InferenceConv::runs(type)) continue;
      const InferenceConv conv(c.op, weight, type);
      for (int64_t kind = 0; kind < 3; ++kind) {
        INFO(in << " to " << out << ", kernel " << k << ", stride " << c.op.stride << ", " << c.height << "x"
                << c.width << " " << c10::toString(type) << " " << kind);
        const auto edges = edges_of(in, out, residual.to(type), kind);
        const at::Tensor typed = x.to(type), y = conv(typed, edges);
        CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
        CHECK(y.scalar_type() == type);
        CHECK(relative_error(y, exact(c.op, typed, weight, edges)) < (type == at::kFloat ? 5e-6 : 8e-3));
      }
    }
  }
}

TEST_CASE("other convolutions are not among them", "[inference]") {
  CHECK_FALSE(InferenceConv::suits(conv_op(3, 64, 3, 1, 1)));
  CHECK_FALSE(InferenceConv::suits(conv_op(64, 48, 1, 1, 1)));
  CHECK_FALSE(InferenceConv::suits(conv_op(64, 64, 3, 3, 1)));
  CHECK_FALSE(InferenceConv::suits(conv_op(64, 64, 3, 1, 32)));
  CHECK_FALSE(InferenceConv::suits(conv_op(64, 64, 5, 1, 64)));
}

// `-s` shows what docs/results.md says of it.
TEST_CASE("what fewer multiplications lose beside LibTorch's convolution", "[inference]") {
  const auto [type, channels, most] = GENERATE(table<at::ScalarType, int64_t, double>(
      {{at::kFloat, 64, 6.0}, {at::kFloat, 512, 6.0}, {at::kBFloat16, 64, 2.0}, {at::kBFloat16, 512, 2.0}}));
  if (!InferenceConv::runs(type)) {
    WARN("this processor has no such kernels");
    return;
  }
  const Op op = conv_op(channels, channels, 3, 1, 1);
  const at::Tensor x = channels_last(random_tensor({8, channels, 14, 14}, 1)).to(type),
                   weight = random_tensor({channels, channels, 3, 3}, 2);
  const at::Tensor wanted = exact(op, x, weight, {});
  const double theirs = relative_error(at::conv2d(x, weight.to(type), {}, 1, 1), wanted),
               ours = relative_error(InferenceConv(op, weight, type)(x, {}), wanted);
  INFO(c10::toString(type) << ", " << channels << " channels: theirs " << theirs << ", ours " << ours);
  CHECK(ours < most * theirs);
}

TEST_CASE("an image's values depend neither on its batch nor on threads", "[inference]") {
  for (const Op& op : {conv_op(64, 64, 3, 1, 1), conv_op(64, 96, 1, 1, 1), conv_op(64, 64, 3, 2, 64)}) {
    const at::Tensor x = channels_last(random_tensor({9, 64, 14, 14}, 1)),
                     weight = random_tensor({op.out_channels, 64 / op.groups, op.kernel, op.kernel}, 2);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      if (!InferenceConv::runs(type)) continue;
      const InferenceConv conv(op, weight, type);
      const at::Tensor typed = x.to(type), all = conv(typed, {});
      const int threads = at::get_num_threads();
      at::set_num_threads(3);
      CHECK(at::equal(conv(typed, {}), all));
      at::set_num_threads(threads);
      CHECK(at::equal(conv(typed.slice(0, 4, 5), {}), all.slice(0, 4, 5)));
    }
  }
}

TEST_CASE("inference computes what the network computes", "[inference]") {
  const bool mobile = GENERATE(false, true);
  const auto network = random_network(mobile ? ModelConfig{MobileFaceNetConfig{}} : iresnet_of_width(1), 0.3);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = pixels(3, type), with_gradients = network->forward(x).detach();
    const at::NoGradGuard no_grad;
    const at::Tensor plain = PlainNetwork(*network, /*training=*/false).forward(pixels(3, at::kFloat));
    const at::Tensor inferred = network->forward(x);
    CHECK(least_cosine(inferred, plain) > (type == at::kFloat ? 0.9999999 : 0.999));
    CHECK(least_cosine(inferred, with_gradients) > (type == at::kFloat ? 0.9999999 : 0.999));
    CHECK(at::equal(network->forward(x), inferred));
  }
}

TEST_CASE("packed weights are those of the network as it is", "[inference]") {
  const at::NoGradGuard no_grad;
  const auto network = random_network(iresnet_of_width(1), 0.3);
  const at::Tensor x = pixels(2, at::kFloat), before = network->forward(x);
  const auto same_as_plain = [&] {
    return least_cosine(network->forward(x), PlainNetwork(*network, false).forward(x)) > 0.9999999;
  };
  for (const auto& [key, tensor] : named_state(*network)) {
    if (key == "layer3.0.conv1.weight") tensor.mul_(-1);  // a write that LibTorch counts
  }
  CHECK(same_as_plain());
  CHECK(least_cosine(network->forward(x), before) < 0.99);
  for (const auto& [key, tensor] : named_state(*network)) {
    if (key == "layer2.0.bn1.running_mean") tensor.add_(1);
  }
  CHECK(same_as_plain());
  network->train();  // behind which our own kernels write, uncounted
  for (const auto& [key, tensor] : named_state(*network)) {
    if (key != "layer4.1.conv1.weight") continue;
    float* values = tensor.data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) values[i] *= -1;
  }
  network->eval();
  CHECK(same_as_plain());
}

}  // namespace uir
