// Convolutions in int8 against integer arithmetic in plain loops, and networks in int8 against themselves in
// float32.
#include <torch/torch.h>

#include <array>
#include <cmath>
#include <vector>

#include "uir/base/error.h"
#include "uir/model/inference_conv.h"
#include "uir/model/int8_ranges.h"
//
#include "support/catch.h"
#include "support/random_network.h"
#include "support/tensor_errors.h"

namespace uir {
namespace {

bool missing() {
  if (!InferenceConv::runs_int8()) WARN("this processor has no such kernels");
  return !InferenceConv::runs_int8();
}

struct Case {
  int64_t images, in, height, width, out, kernel, stride;

  Op op() const {
    Op op;
    op.name = "conv";
    op.in_channels = in;
    op.out_channels = out;
    op.kernel = kernel;
    op.stride = stride;
    op.padding = kernel / 2;
    return op;
  }
  int64_t points() const { return kernel == 3 && stride == 1 && in % 64 == 0 ? 16 : 1; }
};

at::Tensor whole_numbers(at::IntArrayRef shape, int64_t most, int64_t seed) {
  return at::randint(-most, most + 1, shape, at::make_generator<at::CPUGeneratorImpl>(seed),
                     at::TensorOptions(at::kFloat));
}
at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

// x [in, H, W] outside of which there are zeros.
double value_at(const at::TensorAccessor<float, 4>& x, int64_t image, int64_t c, int64_t row,
                int64_t column) {
  const bool inside = row >= 0 && row < x.size(2) && column >= 0 && column < x.size(3);
  return inside ? x[image][c][row][column] : 0;
}

// Sums of products of whole numbers, pixel by pixel.
at::Tensor direct_oracle(const Case& c, const at::Tensor& x, const at::Tensor& weight) {
  const int64_t high = (c.height - 1) / c.stride + 1, wide = (c.width - 1) / c.stride + 1;
  at::Tensor y = at::empty({c.images, c.out, high, wide}, at::kDouble);
  auto to = y.accessor<double, 4>();
  const auto from = x.accessor<float, 4>(), w = weight.accessor<float, 4>();
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t column = i % wide, row = i / wide % high, k = i / (wide * high) % c.out,
                  image = i / (wide * high * c.out);
    int64_t sum = 0;
    for (int64_t in = 0; in < c.in; ++in)
      for (int64_t tap = 0; tap < c.kernel * c.kernel; ++tap) {
        const int64_t dy = tap / c.kernel, dx = tap % c.kernel;
        const double value = value_at(from, image, in, row * c.stride + dy - c.kernel / 2,
                                      column * c.stride + dx - c.kernel / 2);
        sum += static_cast<int64_t>(value) * static_cast<int64_t>(w[k][in][dy][dx]);
      }
    to[image][k][row][column] = static_cast<double>(sum);
  }
  return y;
}

constexpr double kInput[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
constexpr double kWeight[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
constexpr double kOutput[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};

using Points = std::array<double, 16>;

// Transformed weights of an output as int8, and their steps.
struct RoundedWeights {
  std::vector<Points> of_input;
  Points steps{};
};
RoundedWeights rounded_weights(const Case& c, const at::TensorAccessor<float, 4>& w, int64_t k) {
  RoundedWeights rounded{std::vector<Points>(static_cast<size_t>(c.in))};
  for (size_t p = 0; p < 16; ++p) {
    float largest = 0;
    for (int64_t in = 0; in < c.in; ++in) {
      double value = 0;
      for (size_t a = 0; a < 3; ++a)
        for (size_t b = 0; b < 3; ++b)
          value += kWeight[p / 4][a] * kWeight[p % 4][b] *
                   w[k][in][static_cast<int64_t>(a)][static_cast<int64_t>(b)];
      rounded.of_input[static_cast<size_t>(in)][p] = value;
      largest = std::max(largest, static_cast<float>(std::abs(value)));
    }
    const float step = largest / 127;
    for (Points& points : rounded.of_input) points[p] = std::nearbyintf(static_cast<float>(points[p]) / step);
    rounded.steps[p] = step;
  }
  return rounded;
}

// Tiles of 2×2 pixels; whole-numbered inputs, each range 127.
at::Tensor tile_oracle(const Case& c, const at::Tensor& x, const at::Tensor& weight) {
  at::Tensor y = at::empty({c.images, c.out, c.height, c.width}, at::kDouble);
  auto to = y.accessor<double, 4>();
  const auto from = x.accessor<float, 4>(), w = weight.accessor<float, 4>();
  for (int64_t k = 0; k < c.out; ++k) {
    const RoundedWeights rounded = rounded_weights(c, w, k);
    for (int64_t i = 0; i < c.images * c.height * c.width; ++i) {
      const int64_t image = i / (c.height * c.width), row = i / c.width % c.height, column = i % c.width;
      const int64_t top = row / 2 * 2 - 1, left = column / 2 * 2 - 1;
      double value = 0;
      for (size_t p = 0; p < 16; ++p) {
        const double share = kOutput[row % 2][p / 4] * kOutput[column % 2][p % 4];
        if (share == 0) continue;
        int64_t sum = 0;
        for (int64_t in = 0; in < c.in; ++in) {
          double input = 0;
          for (size_t t = 0; t < 16; ++t)
            if (const double factor = kInput[p / 4][t / 4] * kInput[p % 4][t % 4]; factor != 0)
              input += factor * value_at(from, image, in, top + static_cast<int64_t>(t / 4),
                                         left + static_cast<int64_t>(t % 4));
          sum += std::clamp<int64_t>(static_cast<int64_t>(input), -128, 127) *
                 static_cast<int64_t>(rounded.of_input[static_cast<size_t>(in)][p]);
        }
        value += share * static_cast<double>(sum) * rounded.steps[p];
      }
      to[image][k][row][column] = value;
    }
  }
  return y;
}

const std::vector<Case> kCases{{2, 64, 7, 5, 32, 3, 1},  {1, 128, 4, 4, 96, 3, 1}, {1, 64, 1, 1, 32, 3, 1},
                               {1, 192, 1, 9, 64, 3, 1}, {9, 64, 8, 8, 32, 3, 1},  {2, 32, 7, 5, 32, 3, 1},
                               {2, 64, 7, 5, 32, 3, 2},  {1, 96, 6, 8, 64, 3, 2},  {2, 32, 9, 1, 32, 3, 2},
                               {3, 64, 7, 5, 32, 1, 1},  {1, 96, 5, 5, 96, 1, 1},  {5, 32, 13, 9, 64, 1, 1},
                               {2, 128, 7, 6, 32, 1, 2}, {1, 160, 3, 3, 64, 1, 2}};

ModelConfig network_config(bool mobile) {
  if (mobile) return {MobileFaceNetConfig{}};
  return {IResNetConfig{.depth = 18}};
}

at::Tensor pixels(int64_t images, int64_t seed) {
  return channels_last(random_tensor({images, 3, 112, 112}, seed).clamp(-1, 1));
}

}  // namespace

TEST_CASE("convolutions in int8 are sums of products of whole numbers", "[int8]") {
  if (missing()) return;
  for (const Case& c : kCases) {
    INFO(c.in << " to " << c.out << ", kernel " << c.kernel << ", stride " << c.stride << ", " << c.height
              << "x" << c.width);
    // Steps of 1: the largest weight of every output is 127, as is the range of inputs. Some tiles saturate.
    const int64_t most = c.points() == 16 ? 40 : 7;
    const at::Tensor x = channels_last(whole_numbers({c.images, c.in, c.height, c.width}, most, 1));
    const at::Tensor weight = whole_numbers({c.out, c.in, c.kernel, c.kernel}, 7, 2);
    weight.select(1, 0).select(1, c.kernel / 2).select(1, c.kernel / 2).fill_(127);
    const std::vector<float> ranges(static_cast<size_t>(c.points()), 127.F);
    const at::Tensor y = InferenceConv(c.op(), weight, ranges)(x.to(at::kBFloat16), {});
    CHECK(y.scalar_type() == at::kBFloat16);
    CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    const at::Tensor plain = x.contiguous();
    if (c.points() == 1) {
      CHECK(at::equal(y, direct_oracle(c, plain, weight).to(at::kFloat).to(at::kBFloat16)));
    } else {
      CHECK(relative_error(y, tile_oracle(c, plain, weight)) < 2.5e-3);  // bf16's
    }
  }
}

TEST_CASE("inputs beyond the range saturate", "[int8]") {
  if (missing()) return;
  const Case c{1, 32, 3, 3, 32, 1, 1};
  const at::Tensor weight = at::eye(32).view({32, 32, 1, 1});
  const at::Tensor x = channels_last(at::full({1, 32, 3, 3}, 1.F)).to(at::kBFloat16);
  const auto largest = [&](double factor, float range) {
    return InferenceConv(c.op(), weight, std::vector<float>{range})(x * factor, {})
        .to(at::kFloat)
        .abs()
        .max()
        .item<double>();
  };
  CHECK(largest(1, 1) == 1);
  CHECK(largest(5, 1) == 1);
  CHECK(largest(-5, 1) == Approx(128 / 127.).epsilon(4e-3));
  CHECK(largest(0, 1) == 0);
  CHECK(largest(1, 0) < 1e-12);  // a convolution that was only given zeros
}

TEST_CASE("what is around a convolution in int8 is in float", "[int8]") {
  if (missing()) return;
  for (const Case& c : kCases) {
    INFO(c.in << " to " << c.out << ", kernel " << c.kernel << ", stride " << c.stride);
    const at::Tensor x =
        channels_last(random_tensor({c.images, c.in, c.height, c.width}, 1)).to(at::kBFloat16);
    const at::Tensor weight = random_tensor({c.out, c.in, c.kernel, c.kernel}, 2);
    ConvEdges edges{random_tensor({c.in}, 5),  random_tensor({c.in}, 6),  random_tensor({c.out}, 7),
                    random_tensor({c.out}, 8), random_tensor({c.out}, 9), {}};
    RangeSamples samples;
    samples.add("conv", c.op(), x, edges);
    const std::vector<float> ranges = samples.ranges().at("conv");
    CHECK(std::ssize(ranges) == c.points());
    const InferenceConv conv(c.op(), weight, ranges);
    edges.residual = channels_last(random_tensor(conv.sizes_of_result(x), 3)).to(at::kBFloat16);
    const auto wide = [](const at::Tensor& v) { return v.to(at::kDouble).view({1, -1, 1, 1}); };
    const at::Tensor before = x.to(at::kDouble) * wide(edges.in_scale) + wide(edges.in_shift);
    at::Tensor wanted = at::conv2d(before, weight.to(at::kDouble), {}, c.stride, c.kernel / 2);
    wanted = wanted * wide(edges.scale) + wide(edges.shift);
    wanted = at::where(wanted > 0, wanted, wanted * wide(edges.slope)) + edges.residual.to(at::kDouble);
    CHECK(relative_error(conv(x, edges), wanted) < 0.035);
  }
}

TEST_CASE("an image's values in int8 depend neither on its batch nor on threads", "[int8]") {
  if (missing()) return;
  for (const Case& c :
       {Case{9, 64, 14, 14, 64, 3, 1}, Case{9, 64, 14, 14, 64, 3, 2}, Case{9, 64, 14, 14, 96, 1, 1}}) {
    const at::Tensor x = channels_last(random_tensor({9, 64, 14, 14}, 1)).to(at::kBFloat16);
    const InferenceConv conv(c.op(), random_tensor({c.out, 64, c.kernel, c.kernel}, 2),
                             std::vector<float>(static_cast<size_t>(c.points()), 6.F));
    const at::Tensor all = conv(x, {});
    const int threads = at::get_num_threads();
    at::set_num_threads(3);
    CHECK(at::equal(conv(x, {}), all));
    at::set_num_threads(threads);
    CHECK(at::equal(conv(x.slice(0, 4, 5), {}), all.slice(0, 4, 5)));
  }
}

TEST_CASE("samples are what products are given", "[int8]") {
  Case c{2, 64, 5, 6, 32, 3, 1};
  const at::Tensor x = whole_numbers({2, 64, 5, 6}, 9, 1);
  const at::Tensor tiles = InferenceConv::sample_inputs(c.op(), x, {});
  REQUIRE(tiles.size(0) == 16);
  CHECK(tiles.size(1) == 2 * 3 * 3 * 64);                             // so few: all of them
  CHECK(tiles[0][0].item<double>() == x[0][0][1][1].item<double>());  // the rest of it lies outside
  c.stride = 2;
  const at::Tensor rows = InferenceConv::sample_inputs(c.op(), x, {});
  CHECK(rows.sizes() == at::IntArrayRef({1, 2 * 3 * 3 * 64 * 9}));
  CHECK(rows.abs().max().item<double>() == 9);
  RangeSamples samples;
  samples.add("conv", c.op(), x, {});
  CHECK(samples.ranges().at("conv") == std::vector<float>{9});
}

TEST_CASE("networks in int8 keep their embeddings", "[int8]") {
  if (missing()) return;
  const bool mobile = GENERATE(false, true);
  const auto network = random_network(network_config(mobile), 0.3);
  const at::NoGradGuard no_grad;
  const Int8Ranges ranges = network->find_int8_ranges(pixels(8, 1));
  CHECK(ranges.size() == (mobile ? 30 : 20));
  const at::Tensor faces = pixels(6, 2), exact = network->forward(faces),
                   bf16 = network->forward(faces.to(at::kBFloat16));
  network->infer_in_int8(ranges);
  const at::Tensor int8 = network->forward(faces.to(at::kBFloat16));
  CHECK_FALSE(at::equal(int8, bf16));
  CHECK(at::cosine_similarity(int8, exact).min().item<double>() > 0.99);
  CHECK(at::equal(network->forward(faces), exact));
  CHECK(at::equal(network->forward(faces.to(at::kBFloat16)), int8));
  network->infer_in_int8({});
  CHECK(at::equal(network->forward(faces.to(at::kBFloat16)), bf16));
}

}  // namespace uir
