#include "uir/search_device/torch_filter.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/search/rounding.h"

namespace uir {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Of the numbers of a type: their distance as a share of them, the smallest normal and the largest one.
struct Spacing {
  double relative, smallest, largest;
};
Spacing spacing_of(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return {0x1p-10, 0x1p-14, 65504};
    case at::kBFloat16:
      return {0x1p-7, 0x1p-126, 0x1.fep127};
    case at::kFloat:
      return {0x1p-23, 0x1p-126, FLT_MAX};
    default:
      fail(ErrorKind::kInternal, "no filter computes in ", c10::toString(type));
  }
}

// The bound for vectors of a length and an error.
double bound_of(double norm_x, double error_x, double norm_y, double error_y, int64_t dim) {
  const auto d = static_cast<double>(dim);
  const double sums = d * 0x1p-22 / (1 - d * 0x1p-22) + d * 0x1p-52;
  return (error_x * norm_y + (norm_x + error_x) * error_y + sums * (norm_x + error_x) * (norm_y + error_y)) *
             (1 + 1e-12) +
         d * 0x1p-124;
}

class TorchVectors : public BlockFilter::DeviceVectors {
 public:
  TorchVectors(int64_t size, int64_t dim, at::Device device, at::ScalarType type)
      : values_(at::empty({size, dim}, at::TensorOptions(device).dtype(type))),
        error_(static_cast<size_t>(size)),
        norm_(static_cast<size_t>(size)) {}

  void set(int64_t first, std::span<const float> values) override {
    const int64_t dim = values_.size(1), n = std::ssize(values) / dim;
    at::Tensor copy = at::empty({n, dim}, at::TensorOptions(at::kCPU).dtype(values_.scalar_type()));
    switch (values_.scalar_type()) {
      case at::kHalf:
        convert(values, copy.data_ptr<at::Half>(), first);
        break;
      case at::kBFloat16:
        convert(values, copy.data_ptr<at::BFloat16>(), first);
        break;
      default:
        convert(values, copy.data_ptr<float>(), first);
    }
    values_.narrow(0, first, n).copy_(copy);
  }

  const at::Tensor& values() const { return values_; }
  int64_t dim() const { return values_.size(1); }
  double error(int64_t i) const { return error_[static_cast<size_t>(i)]; }
  double norm(int64_t i) const { return norm_[static_cast<size_t>(i)]; }
  float largest_error(RowRange range) const { return largest(error_, range); }
  float largest_norm(RowRange range) const { return largest(norm_, range); }

 private:
  static float largest(const std::vector<float>& of, RowRange range) {
    return *std::max_element(of.begin() + range.begin, of.begin() + range.end);
  }
  template <class T>
  void convert(std::span<const float> values, T* out, int64_t first) {
    const auto smallest = static_cast<float>(spacing_of(values_.scalar_type()).smallest);
    const auto dim = static_cast<size_t>(values_.size(1));
    for (size_t at = 0; at < values.size(); at += dim, ++first) {
      double squares = 0, residuals = 0;
      for (size_t d = at; d < at + dim; ++d) {
        out[d] = static_cast<T>(values[d]);
        if (std::abs(static_cast<float>(out[d])) < smallest) out[d] = static_cast<T>(0.0F);
        const double residual = double{values[d]} - double{static_cast<float>(out[d])};
        squares += double{values[d]} * double{values[d]};
        residuals += residual * residual;
      }
      norm_[static_cast<size_t>(first)] = norm_bound(squares);
      error_[static_cast<size_t>(first)] = norm_bound(residuals);
    }
  }

  at::Tensor values_;  // [size, dim]
  std::vector<float> error_, norm_;
};

const TorchVectors& of_torch(const BlockFilter::DeviceVectors& vectors) {
  return static_cast<const TorchVectors&>(vectors);
}

class TorchProduct : public BlockFilter::Product {
 public:
  TorchProduct(const TorchVectors& rows, RowRange row_range, const TorchVectors& columns,
               RowRange column_range)
      : rows_(rows),
        columns_(columns),
        first_row_(row_range.begin),
        first_column_(column_range.begin),
        scores_(at::mm(rows.values().narrow(0, row_range.begin, row_range.size()),
                       columns.values().narrow(0, column_range.begin, column_range.size()).t())) {}

  bool passing(RowRange rows, RowRange columns, std::span<const double> thresholds, int64_t most,
               std::vector<BlockFilter::Pair>& found) const override {
    const at::Tensor part = scores_.narrow(0, rows.begin - first_row_, rows.size())
                                .narrow(1, columns.begin - first_column_, columns.size());
    // A comparison that what is not a number passes.
    const at::Tensor passes = part.lt(limits(rows, columns, thresholds)).logical_not_();
    const auto n = passes.sum().item<int64_t>();
    if (n > most) return false;
    if (n == 0) return true;
    const at::Tensor places = passes.nonzero().to(at::kCPU).contiguous();
    const int64_t* place = places.data_ptr<int64_t>();
    found.reserve(static_cast<size_t>(n));
    for (int64_t i = 0; i < places.size(0); ++i)
      found.push_back({rows.begin + place[2 * i], columns.begin + place[2 * i + 1]});
    return true;
  }

 private:
  // [rows, 1], on the device.
  at::Tensor limits(RowRange rows, RowRange columns, std::span<const double> thresholds) const {
    const double norm = columns_.largest_norm(columns), error = columns_.largest_error(columns);
    const Spacing spacing = spacing_of(scores_.scalar_type());
    const at::Tensor limits = at::empty({rows.size(), 1}, at::kFloat);
    auto* limit = limits.data_ptr<float>();
    for (int64_t i = 0; i < rows.size(); ++i) {
      const int64_t row = rows.begin + i;
      const double least = thresholds[static_cast<size_t>(i)] -
                           bound_of(rows_.norm(row), rows_.error(row), norm, error, rows_.dim());
      limit[i] = rounded_down(least - spacing.relative * std::abs(least) - spacing.smallest);
      // Below what the type can hold: minus infinity may stand for a score that reaches the threshold.
      if (limit[i] <= -spacing.largest) limit[i] = -kInfinity;
    }
    // Infinity less infinity is no number either, and passes.
    for (int64_t i = 0; i < rows.size(); ++i) {
      if (thresholds[static_cast<size_t>(i)] == double{kInfinity}) limit[i] = kInfinity;
    }
    return limits.to(scores_.device());
  }

  const TorchVectors& rows_;
  const TorchVectors& columns_;
  int64_t first_row_, first_column_;
  at::Tensor scores_;
};

// Sums in float32 and products of float32 that are what they are called; of the process.
void forbid_reduced_precision() {
  const auto set = [](auto& context) {
    context.setFloat32MatmulPrecision("highest");
    context.setAllowFP16ReductionCuBLAS(false);
    if constexpr (requires { context.setAllowBF16ReductionCuBLAS(false); })  // LibTorch 2
      context.setAllowBF16ReductionCuBLAS(false);
  };
  set(at::globalContext());
}

}  // namespace

TorchFilter::TorchFilter(at::Device device, at::ScalarType type) : device_(device), type_(type) {
  spacing_of(type);
  forbid_reduced_precision();
  check_arithmetic();
}

std::string TorchFilter::name() const { return concat(c10::toString(type_), " products on ", device_.str()); }

std::unique_ptr<BlockFilter::DeviceVectors> TorchFilter::make_vectors(int64_t size, int64_t dim) const {
  return std::make_unique<TorchVectors>(size, dim, device_, type_);
}

std::unique_ptr<BlockFilter::Product> TorchFilter::multiply(const DeviceVectors& rows, RowRange row_range,
                                                            const DeviceVectors& columns,
                                                            RowRange column_range) const {
  return std::make_unique<TorchProduct>(of_torch(rows), row_range, of_torch(columns), column_range);
}

int64_t TorchFilter::vector_bytes(int64_t dim) const {
  // Twice: the copy on its way to the device.
  return dim * static_cast<int64_t>(c10::elementSize(type_)) * 2 + 8;
}

double TorchFilter::bound(const DeviceVectors& rows, int64_t row, const DeviceVectors& columns,
                          int64_t column) {
  const TorchVectors &x = of_torch(rows), &y = of_torch(columns);
  return bound_of(x.norm(row), x.error(row), y.norm(column), y.error(column), x.dim());
}

void TorchFilter::check_arithmetic() const {
  bool holds = false;
  try {
    holds = agrees(64, false) && agrees(4096, false) && agrees(4096, true);
  } catch (const c10::Error& e) {
    fail(ErrorKind::kConfig, device_.str(), " does not compute products in ", c10::toString(type_), ": ",
         e.what_without_backtrace());
  }
  if (holds) return;
  fail(ErrorKind::kConfig, device_.str(), " computes products in ", c10::toString(type_),
       " less precisely than sums in float32 are; is a reduced precision forced on it "
       "(NVIDIA_TF32_OVERRIDE)?");
}

// Whether products of vectors that the type holds (so that only the sums may err) keep to the bound. All
// values 1 + 2⁻¹² (float32; TensorFloat-32 loses the 2⁻¹²) or 2⁻⁶ behind a 1 (sums in half lose 2⁻¹²); with
// `cancels` large values that sum up to nothing.
bool TorchFilter::agrees(int64_t dim, bool cancels) const {
  constexpr int64_t kVectors = 256, kChecked = 8;
  std::vector<float> values(static_cast<size_t>(kVectors * dim));
  for (int64_t i = 0; i < kVectors; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      float& value = values[static_cast<size_t>(i * dim + d)];
      if (cancels) {
        value = (d % 2 == 0 || i % 2 == 0 ? 0x1p-6F : -0x1p-6F) * static_cast<float>(1 + (i + d / 2) % 61);
      } else if (type_ == at::kFloat) {
        value = 1 + 0x1p-12F * static_cast<float>(1 + (i + d) % 2);
      } else {
        value = d == 0 ? 1.0F : 0x1p-6F;
      }
    }
  }
  const std::unique_ptr<DeviceVectors> vectors = make_vectors(kVectors, dim);
  vectors->set(0, values);
  const TorchVectors& loaded = of_torch(*vectors);
  const at::Tensor products = at::mm(loaded.values(), loaded.values().t()).to(at::kCPU).to(at::kDouble);
  const Spacing spacing = spacing_of(type_);
  for (int64_t i = 0; i < kChecked; ++i) {
    for (int64_t j = 0; j < kVectors; ++j) {
      double exact = 0;
      for (int64_t d = 0; d < dim; ++d)
        exact += double{values[static_cast<size_t>(i * dim + d)]} *
                 double{values[static_cast<size_t>(j * dim + d)]};
      const double most = bound(*vectors, i, *vectors, j);
      const double rounding = spacing.relative * (std::abs(exact) + most) + spacing.smallest;
      if (!(std::abs(products[i][j].item<double>() - exact) <= most + rounding)) return false;
    }
  }
  return true;
}

std::unique_ptr<TorchFilter> fastest_torch_filter(at::Device device) {
  if (!device.is_cpu()) {
    for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
      try {
        return std::make_unique<TorchFilter>(device, type);
      } catch (const Error& e) {
        log_info(e.what());
      }
    }
  }
  return std::make_unique<TorchFilter>(device, at::kFloat);
}

}  // namespace uir
