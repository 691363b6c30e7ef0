// Convolutions, products, pools and norms over channels.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/onnx/operators.h"

namespace uir {
namespace {

const Array& image(const OnnxCall& call) {
  const Array& x = call.input(0);
  if (x.rank() != 4) call.refuse(concat("its input has ", x.rank(), " dimensions, 4 are computed"));
  return x;
}

// out [m, n] += a [m, k] · b [k, n], in tiles of columns; rows in turn, four at once.
void add_product(const double* a, const double* b, double* out, int64_t m, int64_t k, int64_t n) {
  constexpr int64_t kTile = 256, kRows = 4;
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t columns = std::min(kTile, n - begin);
    for (int64_t row = 0; row < m; row += kRows) {
      const int64_t rows = std::min(kRows, m - row);
      std::array<double, kRows * kTile> sums{};
      for (int64_t i = 0; i < k; ++i) {
        const double* from = b + i * n + begin;
        for (int64_t r = 0; r < rows; ++r) {
          const double factor = a[(row + r) * k + i];
          double* to = sums.data() + r * kTile;
          for (int64_t c = 0; c < columns; ++c) to[c] += factor * from[c];
        }
      }
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) out[(row + r) * n + begin + c] += sums[r * kTile + c];
      }
    }
  }
}

// --- Convolution ------------------------------------------------------------------------------------------

struct Convolution {
  Window window;
  int64_t channels, out_channels, groups, height, width;
  int64_t kernel_size() const { return channels / groups * window.kernel_y * window.kernel_x; }
  int64_t out_pixels() const { return window.out_height * window.out_width; }
};

// [kernel size, columns]: for each of the output's pixels [begin, end) what the kernel of a group sees.
std::vector<double> columns_of(const Convolution& c, const double* group, int64_t begin, int64_t end) {
  const Window& w = c.window;
  std::vector<double> columns(static_cast<size_t>(c.kernel_size() * (end - begin)));
  double* to = columns.data();
  for (int64_t channel = 0; channel < c.channels / c.groups; ++channel) {
    const double* plane = group + channel * c.height * c.width;
    for (int64_t ky = 0; ky < w.kernel_y; ++ky) {
      for (int64_t kx = 0; kx < w.kernel_x; ++kx) {
        for (int64_t pixel = begin; pixel < end; ++pixel, ++to) {
          const int64_t y = pixel / w.out_width * w.stride_y + ky * w.dilation_y - w.top;
          const int64_t x = pixel % w.out_width * w.stride_x + kx * w.dilation_x - w.left;
          const bool inside = y >= 0 && y < c.height && x >= 0 && x < c.width;
          *to = inside ? plane[y * c.width + x] : 0;
        }
      }
    }
  }
  return columns;
}

void convolve(const Convolution& c, const double* image, const double* weight, double* out, int threads) {
  constexpr int64_t kPixels = 256;
  const int64_t per_group = c.out_channels / c.groups, pixels = c.out_pixels();
  const int64_t blocks = (pixels + kPixels - 1) / kPixels;
  parallel_blocks(c.groups * blocks, 1, threads, [&](int64_t task, int64_t) {
    const int64_t group = task / blocks, begin = task % blocks * kPixels,
                  end = std::min(pixels, begin + kPixels);
    const std::vector<double> columns =
        columns_of(c, image + group * (c.channels / c.groups) * c.height * c.width, begin, end);
    std::vector<double> sums(static_cast<size_t>(per_group * (end - begin)), 0);
    add_product(weight + group * per_group * c.kernel_size(), columns.data(), sums.data(), per_group,
                c.kernel_size(), end - begin);
    for (int64_t o = 0; o < per_group; ++o)
      std::copy_n(sums.data() + o * (end - begin), end - begin,
                  out + (group * per_group + o) * pixels + begin);
  });
}

std::vector<Array> conv(const OnnxCall& call) {
  const Array &x = image(call), &weight = call.input(1);
  const int64_t groups = call.integer("group", 1), channels = x.shape[1];
  if (weight.rank() != 4 || groups < 1 || weight.shape[0] % groups != 0 || weight.shape[0] < 1 ||
      weight.shape[2] < 1 || weight.shape[3] < 1 || channels != weight.shape[1] * groups)
    call.refuse(concat("its weights do not fit ", channels, " channels in ", groups, " groups"));
  const Convolution c{window_of(call, {weight.shape[2], weight.shape[3]}, x.shape[2], x.shape[3]),
                      channels,
                      weight.shape[0],
                      groups,
                      x.shape[2],
                      x.shape[3]};
  const Array* bias = call.optional(2);
  if (bias != nullptr && bias->size() != c.out_channels) call.refuse("its bias does not fit its weights");
  Array out{{x.shape[0], c.out_channels, c.window.out_height, c.window.out_width}, {}};
  out.values.resize(static_cast<size_t>(checked_size(call, out.shape)));
  for (int64_t b = 0; b < x.shape[0]; ++b) {
    double* result = out.values.data() + b * c.out_channels * c.out_pixels();
    convolve(c, x.values.data() + b * channels * c.height * c.width, weight.values.data(), result,
             call.threads());
    for (int64_t o = 0; bias != nullptr && o < c.out_channels; ++o) {
      for (int64_t p = 0; p < c.out_pixels(); ++p)
        result[o * c.out_pixels() + p] += bias->values[static_cast<size_t>(o)];
    }
  }
  return one(std::move(out));
}

// --- Products ---------------------------------------------------------------------------------------------

Array transposed(const Array& x) {
  Array out{{x.shape[1], x.shape[0]}, std::vector<double>(x.values.size())};
  for (int64_t i = 0; i < x.shape[0]; ++i) {
    for (int64_t j = 0; j < x.shape[1]; ++j)
      out.values[static_cast<size_t>(j * x.shape[0] + i)] = x.values[static_cast<size_t>(i * x.shape[1] + j)];
  }
  return out;
}

Array product(const OnnxCall& call, const Array& a, const Array& b) {
  if (a.rank() != 2 || b.rank() != 2 || a.shape[1] != b.shape[0])
    call.refuse("its factors do not fit together");
  Array out{{a.shape[0], b.shape[1]}, {}};
  out.values.assign(static_cast<size_t>(checked_size(call, out.shape)), 0);
  add_product(a.values.data(), b.values.data(), out.values.data(), a.shape[0], a.shape[1], b.shape[1]);
  return out;
}

std::vector<Array> gemm(const OnnxCall& call) {
  const Array &a = call.input(0), &b = call.input(1);
  if (a.rank() != 2 || b.rank() != 2) call.refuse("its factors are no matrices");
  Array out = product(call, call.integer("transA", 0) ? transposed(a) : a,
                      call.integer("transB", 0) ? transposed(b) : b);
  const double alpha = call.number("alpha", 1), beta = call.number("beta", 1);
  for (double& value : out.values) value *= alpha;
  const Array* c = call.optional(2);
  if (c == nullptr) return one(std::move(out));
  const int64_t rows = out.shape[0], columns = out.shape[1];
  const int64_t c_columns = c->rank() > 0 ? c->shape.back() : 1, c_rows = c->rank() > 1 ? c->shape[0] : 1;
  if (c->rank() > 2 || (c_columns != columns && c_columns != 1) || (c_rows != rows && c_rows != 1))
    call.refuse("its third input does not fit the product");
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j)
      out.values[static_cast<size_t>(i * columns + j)] +=
          beta * c->values[static_cast<size_t>((c_rows == 1 ? 0 : i) * c_columns + (c_columns == 1 ? 0 : j))];
  }
  return one(std::move(out));
}

// A matrix of a stack.
Array matrix(const Array& x, int64_t i) {
  const int64_t rows = x.shape[x.shape.size() - 2], columns = x.shape.back();
  const auto begin = x.values.begin() + i * rows * columns;
  return {{rows, columns}, {begin, begin + rows * columns}};
}

std::vector<Array> mat_mul(const OnnxCall& call) {
  const Array &a = call.input(0), &b = call.input(1);
  if (a.rank() < 2 || b.rank() < 2) call.refuse("its factors are no matrices");
  std::vector<int64_t> stack_a{a.shape.begin(), a.shape.end() - 2},
      stack_b{b.shape.begin(), b.shape.end() - 2};
  // Stacks of equal shape, or one matrix for all of a stack.
  if (stack_a != stack_b && !stack_a.empty() && !stack_b.empty())
    call.refuse("its stacks of matrices differ");
  const std::vector<int64_t>& stack = stack_a.empty() ? stack_b : stack_a;
  int64_t count = 1;
  for (const int64_t size : stack) count *= size;
  Array out{stack, {}};
  out.shape.insert(out.shape.end(), {a.shape[a.shape.size() - 2], b.shape.back()});
  out.values.reserve(static_cast<size_t>(checked_size(call, out.shape)));
  for (int64_t i = 0; i < count; ++i) {
    const Array each = product(call, matrix(a, stack_a.empty() ? 0 : i), matrix(b, stack_b.empty() ? 0 : i));
    out.values.insert(out.values.end(), each.values.begin(), each.values.end());
  }
  return one(std::move(out));
}

// --- Pools ------------------------------------------------------------------------------------------------

// One pixel of a pooled plane from those that its window covers; padded: pixels of the padding among them.
using Pool = double (*)(const std::vector<double>& seen, int64_t padded);

double largest(const std::vector<double>& seen, int64_t) {
  return seen.empty() ? -std::numeric_limits<double>::infinity() : *std::ranges::max_element(seen);
}
double mean(const std::vector<double>& seen, int64_t padded) {
  double sum = 0;
  for (const double value : seen) sum += value;
  return sum / static_cast<double>(std::max<int64_t>(1, static_cast<int64_t>(seen.size()) + padded));
}

std::vector<Array> pool(const OnnxCall& call, Pool combine, bool counts_padding) {
  const Array& x = image(call);
  const std::vector<int64_t> kernel = call.integers("kernel_shape");
  if (kernel.size() != 2) call.refuse("its window is not of two dimensions");
  const int64_t height = x.shape[2], width = x.shape[3];
  const Window w = window_of(call, kernel, height, width);
  Array out{{x.shape[0], x.shape[1], w.out_height, w.out_width}, {}};
  out.values.reserve(static_cast<size_t>(checked_size(call, out.shape)));
  std::vector<double> seen;
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
    const double* pixels = x.values.data() + plane * height * width;
    for (int64_t oy = 0; oy < w.out_height; ++oy) {
      for (int64_t ox = 0; ox < w.out_width; ++ox) {
        seen.clear();
        int64_t padded = 0;
        for (int64_t ky = 0; ky < w.kernel_y; ++ky) {
          for (int64_t kx = 0; kx < w.kernel_x; ++kx) {
            const int64_t y = oy * w.stride_y + ky * w.dilation_y - w.top;
            const int64_t at = ox * w.stride_x + kx * w.dilation_x - w.left;
            if (y >= 0 && y < height && at >= 0 && at < width) {
              seen.push_back(pixels[y * width + at]);
            } else if (counts_padding && y < height + w.bottom && at < width + w.right) {
              ++padded;
            }
          }
        }
        out.values.push_back(combine(seen, padded));
      }
    }
  }
  return one(std::move(out));
}

std::vector<Array> max_pool(const OnnxCall& call) { return pool(call, largest, false); }
std::vector<Array> average_pool(const OnnxCall& call) {
  return pool(call, mean, call.integer("count_include_pad", 0) != 0);
}

std::vector<Array> global_pool(const OnnxCall& call, Pool combine) {
  const Array& x = image(call);
  const int64_t pixels = x.shape[2] * x.shape[3];
  Array out{{x.shape[0], x.shape[1], 1, 1}, {}};
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
    const auto begin = x.values.begin() + plane * pixels;
    out.values.push_back(combine({begin, begin + pixels}, 0));
  }
  return one(std::move(out));
}

// --- Norms ------------------------------------------------------------------------------------------------

std::vector<Array> batch_norm(const OnnxCall& call) {
  const Array& x = call.input(0);
  if (x.rank() < 2) call.refuse("its input has no channels");
  if (call.integer("training_mode", 0) != 0)
    call.refuse(
        "is in training mode: its result would depend on the batch; export the network in evaluation mode");
  const int64_t channels = x.shape[1];
  for (int64_t i = 1; i <= 4; ++i) {
    if (call.input(i).size() != channels)
      call.refuse(concat("its input ", i, " is not of ", channels, " channels"));
  }
  const int64_t pixels = x.shape[0] * channels > 0 ? x.size() / (x.shape[0] * channels) : 0;
  const double epsilon = call.number("epsilon", 1e-5F);
  Array out = x;
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<size_t>(i / pixels % channels);
    const double scale = call.input(1).values[c] / std::sqrt(call.input(4).values[c] + epsilon);
    double& value = out.values[static_cast<size_t>(i)];
    value = (value - call.input(3).values[c]) * scale + call.input(2).values[c];
  }
  return one(std::move(out));
}

}  // namespace

Window window_of(const OnnxCall& call, const std::vector<int64_t>& kernel, int64_t height, int64_t width) {
  const std::vector<int64_t> strides = call.integers("strides", {1, 1}),
                             dilations = call.integers("dilations", {1, 1});
  std::vector<int64_t> pads = call.integers("pads", {0, 0, 0, 0});
  const std::vector<int64_t> named = call.integers("kernel_shape", kernel);
  if (kernel.size() != 2 || strides.size() != 2 || dilations.size() != 2 || pads.size() != 4)
    call.refuse("is not of two dimensions");
  if (named != kernel) call.refuse("its weights are not of its kernel's shape");
  const std::array<int64_t, 2> size{height, width};
  std::array<int64_t, 2> out{};
  const std::string automatic = call.text("auto_pad", "NOTSET");
  constexpr int64_t kLargest = 1 << 20;
  for (size_t i = 0; i < 2; ++i) {
    for (const int64_t value : {kernel[i], strides[i], dilations[i], pads[i] + 1, pads[i + 2] + 1}) {
      if (value < 1 || value > kLargest) call.refuse("its window has an impossible shape");
    }
    const int64_t reach = (kernel[i] - 1) * dilations[i] + 1;
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      out[i] = (size[i] + strides[i] - 1) / strides[i];
      const int64_t padding = std::max<int64_t>(0, (out[i] - 1) * strides[i] + reach - size[i]);
      pads[i] = automatic == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
      pads[i + 2] = padding - pads[i];
      continue;
    }
    if (automatic == "VALID") pads[i] = pads[i + 2] = 0;
    const int64_t room = size[i] + pads[i] + pads[i + 2] - reach;
    if (room < 0) call.refuse("its window is larger than its input");
    const bool up = call.integer("ceil_mode", 0) != 0;
    out[i] = (room + (up ? strides[i] - 1 : 0)) / strides[i] + 1;
    // A window that would begin in the padding behind the image is none.
    if (up && (out[i] - 1) * strides[i] >= size[i] + pads[i]) --out[i];
  }
  return {kernel[0], kernel[1], strides[0], strides[1], dilations[0], dilations[1],
          pads[0],   pads[1],   pads[2],    pads[3],    out[0],       out[1]};
}

std::vector<NamedOperator> layer_operators() {
  return {{"Conv", conv},
          {"Gemm", gemm},
          {"MatMul", mat_mul},
          {"MaxPool", max_pool},
          {"AveragePool", average_pool},
          {"GlobalAveragePool", [](const OnnxCall& call) { return global_pool(call, mean); }},
          {"GlobalMaxPool", [](const OnnxCall& call) { return global_pool(call, largest); }},
          {"BatchNormalization", batch_norm}};
}

}  // namespace uir
