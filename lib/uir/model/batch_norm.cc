#include "uir/model/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/prelu.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/model/batch_norm_kernels.h"
#include "uir/model/row_threads.h"

namespace uir {
namespace {

at::Tensor batch_norm_by_library(const BatchNormArgs& a) {
  at::Tensor y =
      at::batch_norm(a.x, a.weight, a.bias, a.running_mean, a.running_var, a.training, a.momentum, a.epsilon,
                     /*cudnn_enabled=*/true);
  if (a.slope.defined()) y = at::prelu(y, a.slope.to(y.scalar_type()));
  return a.residual.defined() ? y.add(a.residual) : y;
}

// Our kernels know CPU tensors of three types, with parameters of the type they compute in.
bool has_kernels(const BatchNormArgs& a) {
  const at::ScalarType type = a.x.scalar_type();
  const at::ScalarType parameters = type == at::kDouble ? at::kDouble : at::kFloat;
  return a.x.is_cpu() && (a.x.dim() == 2 || a.x.dim() == 4) && a.x.numel() > 0 &&
         (type == at::kFloat || type == at::kBFloat16 || type == at::kDouble) &&
         a.weight.scalar_type() == parameters;
}

at::Tensor rows_contiguous(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous();
}

template <class T>
const T* data_of(const at::Tensor& x) {
  return x.defined() ? static_cast<const T*>(x.data_ptr()) : nullptr;
}
template <class T>
T* mutable_data_of(const at::Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

// Calls run(T{}) with the kernels' type of the elements.
template <class Run>
void dispatch(at::ScalarType type, Run&& run) {
  if (type == at::kFloat) return run(float{});
  if (type == at::kBFloat16) return run(Bf16{});
  run(double{});
}

// x as rows of channels.
template <class T>
Rows<T> rows_of(const at::Tensor& x) {
  return {data_of<T>(x), x.numel() / x.size(1), x.size(1)};
}
template <class T>
Rows<T> slice(const Rows<T>& in, int64_t begin, int64_t end) {
  return {in.x + begin * in.channels, end - begin, in.channels};
}

// Per-channel statistics that normalise: the batch's or the running ones.
template <class A>
struct Statistics {
  std::vector<A> mean, invstd;
  double count = 0;  // of the batch's values per channel
};

// Mean and (biased) variance per channel of so many values.
struct BatchMoments {
  double count = 0;
  std::vector<double> mean, variance;
};

// Chan, Golub and LeVeque, 1983, in rank order.
BatchMoments moments_of_all(const BatchMoments& mine, const GatherRows& gather) {
  const auto C = static_cast<int64_t>(mine.mean.size());
  const at::Tensor row = at::empty({1, 2 * C + 1}, at::kDouble);
  double* numbers = row.data_ptr<double>();
  numbers[0] = mine.count;
  std::copy(mine.mean.begin(), mine.mean.end(), numbers + 1);
  std::copy(mine.variance.begin(), mine.variance.end(), numbers + 1 + C);
  const at::Tensor rows = gather(row).contiguous();
  BatchMoments all{0, std::vector<double>(C), std::vector<double>(C)};
  for (int64_t rank = 0; rank < rows.size(0); ++rank) {
    const double* theirs = rows.data_ptr<double>() + rank * (2 * C + 1);
    const double share = theirs[0] / (all.count + theirs[0]);
    for (int64_t c = 0; c < C; ++c) {
      const double difference = theirs[1 + c] - all.mean[c];
      all.mean[c] += difference * share;
      all.variance[c] +=
          share * (theirs[1 + C + c] - all.variance[c]) + share * (1 - share) * difference * difference;
    }
    all.count += theirs[0];
  }
  return all;
}

std::vector<double> sum_over_ranks(const std::vector<double>& mine, const GatherRows& gather) {
  const auto size = static_cast<int64_t>(mine.size());
  const at::Tensor row = at::empty({1, size}, at::kDouble);
  std::copy(mine.begin(), mine.end(), row.data_ptr<double>());
  const at::Tensor rows = gather(row).contiguous();
  std::vector<double> sums(mine.size());
  for (int64_t i = 0; i < rows.numel(); ++i) sums[i % size] += rows.data_ptr<double>()[i];
  return sums;
}

// The mean of a few rows spread over the data: near enough to the mean to keep the variance from cancelling.
template <class T, class A = ComputeType<T>>
std::vector<A> rough_mean(const Rows<T>& in) {
  const int64_t samples = std::min<int64_t>(16, in.rows);
  std::vector<A> mean(in.channels);
  for (int64_t i = 0; i < samples; ++i) {
    const T* x = in.x + in.rows * i / samples * in.channels;
    for (int64_t c = 0; c < in.channels; ++c) mean[c] += widened(x[c]) / static_cast<A>(samples);
  }
  return mean;
}

template <class A>
void move_towards(const at::Tensor& running, const std::vector<double>& batch, double momentum) {
  A* values = mutable_data_of<A>(running);
  for (size_t c = 0; c < batch.size(); ++c) {
    values[c] = static_cast<A>((1 - momentum) * static_cast<double>(values[c]) + momentum * batch[c]);
  }
}

template <class T, class A = ComputeType<T>>
Statistics<A> batch_statistics(const Rows<T>& in, const BatchNormArgs& args) {
  const int64_t C = in.channels;
  const auto n = static_cast<double>(in.rows);
  const std::vector<A> pivot = rough_mean(in);
  const std::vector<double> sums =
      RowThreads(in.rows, C).sum(2 * C, [&](int64_t begin, int64_t end, double* sum) {
        add_moments(slice(in, begin, end), {pivot.data(), sum, sum + C});
      });
  BatchMoments moments{n, std::vector<double>(C), std::vector<double>(C)};
  for (int64_t c = 0; c < C; ++c) {
    const double offset = sums[c] / n;
    moments.mean[c] = static_cast<double>(pivot[c]) + offset;
    moments.variance[c] = std::max(0.0, sums[C + c] / n - offset * offset);
  }
  if (args.gather) moments = moments_of_all(moments, args.gather);
  Statistics<A> statistics{std::vector<A>(C), std::vector<A>(C)};
  std::vector<double> unbiased(C);
  for (int64_t c = 0; c < C; ++c) {
    unbiased[c] = moments.variance[c] * moments.count / (moments.count - 1);
    statistics.mean[c] = static_cast<A>(moments.mean[c]);
    statistics.invstd[c] = static_cast<A>(1 / std::sqrt(moments.variance[c] + args.epsilon));
  }
  statistics.count = moments.count;
  move_towards<A>(args.running_mean, moments.mean, args.momentum);
  move_towards<A>(args.running_var, unbiased, args.momentum);
  return statistics;
}

template <class A>
Statistics<A> running_statistics(const BatchNormArgs& args) {
  const int64_t C = args.running_mean.numel();
  const A* mean = data_of<A>(args.running_mean);
  Statistics<A> statistics{{mean, mean + C}, std::vector<A>(C), 0};
  for (int64_t c = 0; c < C; ++c) {
    const auto variance = static_cast<double>(data_of<A>(args.running_var)[c]);
    statistics.invstd[c] = static_cast<A>(1 / std::sqrt(variance + args.epsilon));
  }
  return statistics;
}

// Normalisation, weight and bias as one affine map of x: x · scale + shift.
template <class A>
struct Affine {
  std::vector<A> scale, shift;

  Affine(const Statistics<A>& statistics, const at::Tensor& weight, const at::Tensor& bias)
      : scale(statistics.mean.size()), shift(scale.size()) {
    for (size_t c = 0; c < scale.size(); ++c) {
      scale[c] = data_of<A>(weight)[c] * statistics.invstd[c];
      shift[c] = data_of<A>(bias)[c] - statistics.mean[c] * scale[c];
    }
  }
  Activation<A> with(const at::Tensor& slope) const {
    return {scale.data(), shift.data(), data_of<A>(slope)};
  }
};

template <class A>
at::Tensor vector_tensor(const std::vector<A>& values, const at::Tensor& like) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, like.options());
  std::copy(values.begin(), values.end(), mutable_data_of<A>(tensor));
  return tensor;
}
template <class A>
std::vector<A> vector_of(const at::Tensor& tensor) {
  return {data_of<A>(tensor), data_of<A>(tensor) + tensor.numel()};
}

template <class T, class A = ComputeType<T>>
at::Tensor forward_pass(const BatchNormArgs& args, const Statistics<A>& statistics) {
  at::Tensor y = at::empty_like(args.x);
  const Rows<T> in = rows_of<T>(args.x);
  const Affine<A> affine(statistics, args.weight, args.bias);
  RowThreads(in.rows, in.channels).run([&](int64_t, int64_t begin, int64_t end) {
    const int64_t at = begin * in.channels;
    const T* residual = data_of<T>(args.residual);
    activate(slice(in, begin, end), affine.with(args.slope), residual ? residual + at : nullptr,
             mutable_data_of<T>(y) + at);
  });
  return y;
}

struct Gradients {
  at::Tensor x, weight, bias, slope;
};

// The gradients of y (without residual) in x and the parameters; x and dy are contiguous rows.
template <class T, class A = ComputeType<T>>
Gradients backward_pass(const BatchNormArgs& args, const Statistics<A>& statistics, const at::Tensor& dy) {
  const Rows<T> in = rows_of<T>(args.x);
  const int64_t C = in.channels;
  const T* gradient = data_of<T>(dy);
  const Affine<A> affine(statistics, args.weight, args.bias);
  const RowThreads threads(in.rows, C);
  const std::vector<double> sums = threads.sum(3 * C, [&](int64_t begin, int64_t end, double* sum) {
    add_gradient_sums(slice(in, begin, end), gradient + begin * C, affine.with(args.slope),
                      {statistics.mean.data(), sum, sum + C, sum + 2 * C});
  });

  std::vector<A> weight(C), bias(C), slope(C), from_x(C), constant(C);
  std::vector<double> batch(sums.begin(), sums.begin() + 2 * C);  // of all ranks
  if (args.training && args.gather) batch = sum_over_ranks(batch, args.gather);
  const double n = statistics.count;
  for (int64_t c = 0; c < C; ++c) {
    const auto scale = static_cast<double>(affine.scale[c]),
               invstd = static_cast<double>(statistics.invstd[c]);
    bias[c] = static_cast<A>(sums[c]);
    weight[c] = static_cast<A>(sums[C + c] * invstd);
    slope[c] = static_cast<A>(sums[2 * C + c]);
    if (!args.training) continue;  // the running statistics do not depend on x
    from_x[c] = static_cast<A>(-scale * invstd * invstd * batch[C + c] / n);
    constant[c] = static_cast<A>(-scale * batch[c] / n);
  }

  at::Tensor dx = at::empty_like(args.x);
  threads.run([&](int64_t, int64_t begin, int64_t end) {
    input_gradient(slice(in, begin, end), gradient + begin * C, affine.with(args.slope),
                   {statistics.mean.data(), from_x.data(), constant.data()},
                   mutable_data_of<T>(dx) + begin * C);
  });
  return {dx, vector_tensor(weight, args.weight), vector_tensor(bias, args.weight),
          vector_tensor(slope, args.weight)};
}

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// An absent tensor, as autograd functions take it.
c10::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? c10::optional<at::Tensor>(tensor) : c10::nullopt;
}

// What autograd keeps between the passes must be one of its values.
struct GatherHolder : torch::CustomClassHolder {
  explicit GatherHolder(GatherRows given) : gather(std::move(given)) {}
  GatherRows gather;
};
GatherRows gather_of(AutogradContext* context) {
  return c10::static_intrusive_pointer_cast<GatherHolder>(context->saved_data["gather"].toCapsule())->gather;
}

class BatchNormFunction : public torch::autograd::Function<BatchNormFunction> {
 public:
  // The tensors beside `args` are those of args that may have a gradient.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const c10::optional<at::Tensor>& /*slope*/,
                            const c10::optional<at::Tensor>& residual, BatchNormArgs args) {
    args.x = rows_contiguous(x);
    if (residual) args.residual = rows_contiguous(*residual);
    at::Tensor y, mean, invstd;
    dispatch(x.scalar_type(), [&]<class T>(T) {
      using A = ComputeType<T>;
      const Statistics<A> statistics =
          args.training ? batch_statistics(rows_of<T>(args.x), args) : running_statistics<A>(args);
      y = forward_pass<T>(args, statistics);
      mean = vector_tensor(statistics.mean, weight);
      invstd = vector_tensor(statistics.invstd, weight);
      context->saved_data["count"] = statistics.count;
    });
    context->saved_data["gather"] = c10::IValue::make_capsule(c10::make_intrusive<GatherHolder>(args.gather));
    context->save_for_backward({args.x, weight, bias, args.slope, mean, invstd});
    context->saved_data["training"] = args.training;
    context->saved_data["residual"] = residual.has_value();
    return y;
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const tensor_list saved = context->get_saved_variables();
    const BatchNormArgs args{.x = saved[0],
                             .weight = saved[1],
                             .bias = saved[2],
                             .slope = saved[3],
                             .training = context->saved_data["training"].toBool(),
                             .gather = gather_of(context)};
    const at::Tensor dy = rows_contiguous(gradients[0]);
    Gradients result;
    dispatch(args.x.scalar_type(), [&]<class T>(T) {
      using A = ComputeType<T>;
      result = backward_pass<T, A>(
          args, {vector_of<A>(saved[4]), vector_of<A>(saved[5]), context->saved_data["count"].toDouble()},
          dy);
    });
    const bool has_residual = context->saved_data["residual"].toBool();
    return {result.x,
            result.weight,
            result.bias,
            args.slope.defined() ? result.slope : at::Tensor(),
            has_residual ? gradients[0] : at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor batch_norm(const BatchNormArgs& args) {
  if (args.training && args.x.numel() <= args.x.size(1)) {
    fail(ErrorKind::kConfig,
         "model: batch normalisation needs more than one value per channel in training, got shape ",
         args.x.sizes(), "; use a batch of at least 2 images per rank");
  }
  if (!has_kernels(args)) {
    if (args.training && args.gather) {
      fail(ErrorKind::kConfig, "train.ranks.batch_norm: synchronized needs a CPU; use local on this device");
    }
    return batch_norm_by_library(args);
  }
  return BatchNormFunction::apply(args.x, args.weight, args.bias, optional(args.slope),
                                  optional(args.residual), args);
}

}  // namespace uir
