#include "uir/train/optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "uir/base/error.h"
#include "uir/device/transfer.h"

namespace uir {
namespace {

// Elements that one thread handles at a time: the four arrays of a block fit into the second-level cache.
constexpr int64_t kBlock = 1 << 15;
// Elements of touched rows that are gathered at a time on a device.
constexpr int64_t kGatheredElements = 1 << 24;

// The numbers of one update.
struct Update {
  double lr = 0, factor = 1, decay = 0;
  double momentum = 0;  // sgd
  double beta1 = 0, beta2 = 0, epsilon = 0, correction1 = 1,
         correction2 = 1;  // adamw; corrections 1 - beta^t
};

// All but the factor and the decay, which differ between parameters.
Update next_update(const OptimizerConfig& config, double lr, int64_t t) {
  Update update{.lr = lr};
  if (const auto* sgd = std::get_if<SgdConfig>(&config.rule)) {
    update.momentum = sgd->momentum;
  } else {
    const auto& adamw = std::get<AdamWConfig>(config.rule);
    update.beta1 = adamw.beta1;
    update.beta2 = adamw.beta2;
    update.epsilon = adamw.epsilon;
    update.correction1 = 1 - std::pow(adamw.beta1, t);
    update.correction2 = 1 - std::pow(adamw.beta2, t);
  }
  return update;
}

std::vector<const char*> state_names(const OptimizerConfig& config) {
  if (std::holds_alternative<SgdConfig>(config.rule)) return {"momentum"};
  return {"mean", "square"};
}

bool has_own_kernel(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble;
}

bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t i = 0; i < a.dim(); ++i) {
    if (a.size(i) != 1 && a.stride(i) != b.stride(i)) return false;
  }
  return true;
}

// The gradient in the parameter's memory layout, so that both can be walked element by element.
at::Tensor aligned_gradient(const at::Tensor& parameter) {
  const at::Tensor& gradient = parameter.grad();
  ensure(gradient.sizes() == parameter.sizes() && gradient.scalar_type() == parameter.scalar_type(),
         "a gradient has its parameter's shape and type");
  if (same_layout(gradient, parameter)) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

// All elements of a dense tensor in memory order.
at::Tensor flat(const at::Tensor& tensor) { return tensor.detach().as_strided({tensor.numel()}, {1}); }

// The elements of a parameter that are updated, in memory order and in fixed blocks of about kBlock: all, or
// those of some rows (int64, on the CPU).
class Blocks {
 public:
  Blocks(const at::Tensor& parameter, const at::Tensor& rows) : elements_(parameter.numel()) {
    if (!rows.defined()) return;
    rows_ = rows.contiguous();
    row_size_ = elements_ / std::max<int64_t>(1, parameter.size(0));
    elements_ = rows.numel() * row_size_;
    block_ = std::max<int64_t>(1, kBlock / std::max<int64_t>(1, row_size_)) * row_size_;
  }
  int64_t size() const { return block_ > 0 ? (elements_ + block_ - 1) / block_ : 0; }

  // Runs kernel(block, begin, end) on LibTorch's threads for each contiguous piece; those of a block in
  // order.
  template <class Kernel>
  void for_each(Kernel&& kernel) const {
    at::parallel_for(0, size(), 1, [&](int64_t first, int64_t last) {
      for (int64_t block = first; block < last; ++block) {
        const int64_t begin = block * block_, end = std::min(elements_, begin + block_);
        rows_.defined() ? for_rows(block, begin, end, kernel) : kernel(block, begin, end);
      }
    });
  }

 private:
  template <class Kernel>
  void for_rows(int64_t block, int64_t begin, int64_t end, Kernel&& kernel) const {
    const int64_t* rows = rows_.data_ptr<int64_t>();
    for (int64_t i = begin / row_size_; i < end / row_size_; ++i) {
      kernel(block, rows[i] * row_size_, (rows[i] + 1) * row_size_);
    }
  }

  int64_t elements_, row_size_ = 0, block_ = kBlock;
  at::Tensor rows_;
};

template <class T>
void sgd_kernel(T* __restrict w, const T* __restrict g, T* __restrict v, int64_t n, const Update& update) {
  const T lr = static_cast<T>(update.lr), factor = static_cast<T>(update.factor);
  const T decay = static_cast<T>(update.decay), momentum = static_cast<T>(update.momentum);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    v[i] = momentum * v[i] + (factor * g[i] + decay * w[i]);
    w[i] -= lr * v[i];
  }
}

template <class T>
void adamw_kernel(T* __restrict w, const T* __restrict g, T* __restrict m, T* __restrict s, int64_t n,
                  const Update& update) {
  const T keep = static_cast<T>(1 - update.lr * update.decay), factor = static_cast<T>(update.factor);
  const T beta1 = static_cast<T>(update.beta1), beta2 = static_cast<T>(update.beta2);
  const T rest1 = static_cast<T>(1 - update.beta1), rest2 = static_cast<T>(1 - update.beta2);
  const T epsilon = static_cast<T>(update.epsilon), rate = static_cast<T>(update.lr / update.correction1);
  const T root = static_cast<T>(std::sqrt(update.correction2));
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = factor * g[i];
    m[i] = beta1 * m[i] + rest1 * gradient;
    s[i] = beta2 * s[i] + rest2 * gradient * gradient;
    w[i] = keep * w[i] - rate * m[i] / (std::sqrt(s[i]) / root + epsilon);
  }
}

template <class T>
void update_typed(const at::Tensor& parameter, const std::vector<at::Tensor>& state, const at::Tensor& rows,
                  const Update& update) {
  const at::Tensor gradient = aligned_gradient(parameter);
  T* w = parameter.data_ptr<T>();
  const T* g = gradient.data_ptr<T>();
  T* first = state[0].data_ptr<T>();
  T* second = state.size() > 1 ? state[1].data_ptr<T>() : nullptr;
  Blocks(parameter, rows).for_each([&](int64_t, int64_t begin, int64_t end) {
    if (second) {
      adamw_kernel(w + begin, g + begin, first + begin, second + begin, end - begin, update);
    } else {
      sgd_kernel(w + begin, g + begin, first + begin, end - begin, update);
    }
  });
}

void update_on_cpu(const at::Tensor& parameter, const std::vector<at::Tensor>& state, const at::Tensor& rows,
                   const Update& update) {
  parameter.scalar_type() == at::kFloat ? update_typed<float>(parameter, state, rows, update)
                                        : update_typed<double>(parameter, state, rows, update);
}

// All tensors in memory order, which is the same for all of a parameter's.
void add_whole(UpdateLists& lists, const at::Tensor& parameter, const std::vector<at::Tensor>& state) {
  lists.weights.push_back(flat(parameter));
  lists.gradients.push_back(flat(aligned_gradient(parameter)));
  lists.first.push_back(flat(state[0]));
  if (state.size() > 1) lists.second.push_back(flat(state[1]));
}

template <class T>
double square_sum(const T* g, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  return sum;
}

// Blocks are summed in order, whichever thread did them: the result does not depend on the number of threads.
template <class T>
double square_sum_typed(const at::Tensor& gradient, const at::Tensor& rows) {
  const T* g = gradient.data_ptr<T>();
  const Blocks blocks(gradient, rows);
  std::vector<double> sums(static_cast<size_t>(blocks.size()));
  blocks.for_each(
      [&](int64_t block, int64_t begin, int64_t end) { sums[block] += square_sum(g + begin, end - begin); });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double square_sum_on_cpu(const at::Tensor& gradient, const at::Tensor& rows) {
  return gradient.scalar_type() == at::kFloat ? square_sum_typed<float>(gradient, rows)
                                              : square_sum_typed<double>(gradient, rows);
}

// The sum of the squares of all of these gradients, a float64 scalar on their device. Each tensor's own sum
// is float32.
at::Tensor square_sum_on_device(const std::vector<at::Tensor>& gradients, at::Device device) {
  if (gradients.empty()) return at::zeros({}, at::TensorOptions(at::kDouble).device(device));
  return at::stack(at::_foreach_norm(gradients, 2)).to(at::kDouble).square().sum();
}

double value_on_cpu(const at::Tensor& scalar) { return *scalar.data_ptr<double>(); }

void load_tensor(at::Tensor target, const std::string& name, const at::Tensor& source) {
  if (source.sizes() != target.sizes() || source.scalar_type() != target.scalar_type()) {
    fail(ErrorKind::kData, "optimizer state '", name, "': ", c10::toString(source.scalar_type()), " ",
         source.sizes(), ", expected ", c10::toString(target.scalar_type()), " ", target.sizes(),
         "; it belongs to another network or optimizer");
  }
  target.copy_(source);
}

// Both maps must have the same names.
void load_tensors(const NamedTensors& targets, const NamedTensors& sources) {
  for (const auto& [name, source] : sources) {
    if (!targets.contains(name))
      fail(ErrorKind::kData, "optimizer state '", name, "' is unknown to this run's optimizer");
  }
  for (const auto& [name, target] : targets) {
    const auto source = sources.find(name);
    if (source == sources.end())
      fail(ErrorKind::kData, "optimizer state '", name, "' is missing in the checkpoint");
    load_tensor(target, name, source->second);
  }
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<Parameter> parameters) : config_(config) {
  if (!parameters.empty()) device_ = parameters.front().tensor.device();
  for (Parameter& parameter : parameters) {
    ensure(parameter.tensor.device() == device_ && has_own_kernel(parameter.tensor),
           "parameters are float32 or float64, on one device");
    ensure(parameter.tensor.is_non_overlapping_and_dense(), "parameters are dense");
    ensure(!parameter.touched || (parameter.tensor.dim() > 0 && parameter.tensor.is_contiguous()),
           "a parameter with touched rows is contiguous");
    Slot slot{std::move(parameter), {}};
    for (size_t i = 0; i < state_names(config).size(); ++i) {
      slot.state.push_back(at::zeros_like(slot.parameter.tensor.detach()));
    }
    slots_.push_back(std::move(slot));
  }
  step_count_ = at::zeros({}, at::TensorOptions(at::kLong).device(device_));
}

GradientSquares Optimizer::gradient_squares() const {
  double on_cpu[2] = {0, 0};  // replicated and sharded
  std::vector<at::Tensor> elsewhere[2];
  for (const Slot& slot : slots_) {
    const at::Tensor& parameter = slot.parameter.tensor;
    if (!parameter.grad().defined()) continue;
    if (device_.is_cpu()) {
      on_cpu[slot.parameter.sharded] +=
          square_sum_on_cpu(aligned_gradient(parameter), rows_of(slot.parameter.touched.get()));
    } else {
      elsewhere[slot.parameter.sharded].push_back(flat(parameter.grad()));
    }
  }
  if (device_.is_cpu()) {
    return {at::scalar_tensor(on_cpu[0], at::kDouble), at::scalar_tensor(on_cpu[1], at::kDouble)};
  }
  return {square_sum_on_device(elsewhere[0], device_), square_sum_on_device(elsewhere[1], device_)};
}

void Optimizer::step(double learning_rate, const GradientFactors& factors) {
  const c10::NoGradGuard no_grad;
  device_.is_cpu() ? step_on_cpu(learning_rate, factors) : step_on_device(learning_rate, factors);
}

void Optimizer::step_on_cpu(double learning_rate, const GradientFactors& factors) {
  if (factors.skip.defined() && *factors.skip.data_ptr<bool>()) return;
  Update update = next_update(config_, learning_rate, ++*step_count_.data_ptr<int64_t>());
  for (const Slot& slot : slots_) {
    const at::Tensor& parameter = slot.parameter.tensor;
    if (!parameter.grad().defined()) continue;
    update.factor = value_on_cpu(slot.parameter.sharded ? factors.sharded : factors.replicated);
    update.decay = slot.parameter.decays ? config_.weight_decay : 0;
    update_on_cpu(parameter, slot.state, rows_of(slot.parameter.touched.get()), update);
  }
}

void Optimizer::step_on_device(double learning_rate, const GradientFactors& factors) {
  const at::Tensor skip =
      factors.skip.defined() ? factors.skip : at::zeros({}, at::TensorOptions(at::kBool).device(device_));
  step_count_.add_(skip.logical_not());
  const auto update = [&](const UpdateLists& lists, bool sharded, bool decays) {
    const at::Tensor& factor = sharded ? factors.sharded : factors.replicated;
    update_on_device(config_, learning_rate, decays ? config_.weight_decay : 0, lists,
                     {factor.to(device_), skip, step_count_});
  };
  UpdateLists lists[2][2];  // [sharded][decays]
  for (const Slot& slot : slots_) {
    const Parameter& parameter = slot.parameter;
    if (!parameter.tensor.grad().defined()) continue;
    const at::Tensor rows = rows_of(parameter.touched.get());
    if (!rows.defined()) {
      add_whole(lists[parameter.sharded][parameter.decays], parameter.tensor, slot.state);
    } else if (rows.numel() > 0) {
      update_rows(slot, upload(rows, device_), [&](const UpdateLists& gathered) {
        update(gathered, parameter.sharded, parameter.decays);
      });
    }
  }
  for (const bool sharded : {false, true}) {
    for (const bool decays : {false, true}) update(lists[sharded][decays], sharded, decays);
  }
}

// Rows are gathered, updated and put back, block by block.
void Optimizer::update_rows(const Slot& slot, const at::Tensor& rows,
                            const std::function<void(const UpdateLists&)>& update) const {
  const at::Tensor& parameter = slot.parameter.tensor;
  const int64_t row_size = std::max<int64_t>(1, parameter.numel() / parameter.size(0));
  const int64_t block = std::max<int64_t>(1, kGatheredElements / row_size);
  std::vector<at::Tensor> whole{parameter.detach()};
  whole.insert(whole.end(), slot.state.begin(), slot.state.end());
  for (int64_t begin = 0; begin < rows.numel(); begin += block) {
    const at::Tensor part = rows.narrow(0, begin, std::min(block, rows.numel() - begin));
    std::vector<at::Tensor> gathered;
    for (const at::Tensor& tensor : whole) gathered.push_back(tensor.index_select(0, part));
    UpdateLists lists{{gathered[0]}, {parameter.grad().index_select(0, part)}, {gathered[1]}, {}};
    if (gathered.size() > 2) lists.second.push_back(gathered[2]);
    update(lists);
    for (size_t i = 0; i < whole.size(); ++i) whole[i].index_copy_(0, part, gathered[i]);
  }
}

void Optimizer::zero_gradients() {
  for (const Slot& slot : slots_) {
    at::Tensor gradient = slot.parameter.tensor.grad();
    TouchedRows* touched = slot.parameter.touched.get();
    const at::Tensor rows = rows_of(touched);
    if (gradient.defined() && !rows.defined()) gradient.detach().zero_();
    if (gradient.defined() && rows.defined() && rows.numel() > 0) {
      gradient.detach().index_fill_(0, upload(rows, device_), 0);
    }
    if (touched) touched->clear();
  }
}

NamedTensors Optimizer::state(bool sharded) const {
  const std::vector<const char*> names = state_names(config_);
  NamedTensors tensors;
  for (const Slot& slot : slots_) {
    if (slot.parameter.sharded != sharded) continue;
    for (size_t i = 0; i < names.size(); ++i)
      tensors[concat(names[i], "/", slot.parameter.name)] = slot.state[i];
  }
  if (!sharded) tensors["step"] = step_count_;
  return tensors;
}

void Optimizer::load_state(const NamedTensors& replicated, const NamedTensors& sharded) {
  load_tensors(state(false), replicated);
  load_tensors(state(true), sharded);
}

GradientFactors::GradientFactors(double of_replicated, double of_sharded)
    : replicated(at::scalar_tensor(of_replicated, at::kDouble)),
      sharded(at::scalar_tensor(of_sharded, at::kDouble)) {}

at::Tensor clip_factor(const at::Tensor& norm, double clip_norm) {
  if (clip_norm == 0) return at::ones_like(norm);
  return at::full_like(norm, clip_norm).div_(norm + 1e-6).clamp_max_(1);
}

GradientFactors clip_factors(const OptimizerConfig& config, const GradientSquares& squares) {
  GradientFactors factors;
  const bool backbone_alone = config.clip_scope == ClipScope::kBackbone;
  const at::Tensor square = backbone_alone ? squares.replicated : squares.replicated + squares.sharded;
  factors.replicated = clip_factor(square.sqrt(), config.clip_norm);
  factors.sharded = backbone_alone ? at::ones_like(factors.replicated) : factors.replicated;
  return factors;
}

}  // namespace uir
