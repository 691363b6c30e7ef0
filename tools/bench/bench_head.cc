// What the head costs: peak memory against weight + gradient + momentum, time against its three matrix
// products alone, and what the UIR loss adds at the same number of rows.
//
//   bench_head [classes=200000] [embedding=512] [labeled=96] [unlabeled=32] [threads=2] [rounds=5] [tile=0]
//     [sample_rate=1] [device=cpu]
//
// `sampled` is `released` with the labeled rows on sample_rate of the classes; memory is measured at that
// rate. Prints one JSON object. Memory is this process's peak above what it held before the head existed; of
// a device what its tensors held (null with a LibTorch before 2.10). Times are medians over rounds in which
// all variants run one after the other; the optimizer is excluded, the momentum only held. A device does each
// variant several times in a row before the host waits for it.
//
// to_products compares with the three products that every head needs (logits, gradients of embeddings and of
// centers), each over all classes at once; to_own_products with those that this head does: the logits once
// more in the backward walk, and `released` those of the unlabeled rows a third time.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/blas.h"
#include "uir/device/memory.h"
#include "uir/device/use_device.h"
#include "uir/head/head.h"

namespace {

using uir::Head;
using uir::UirReduction;

struct Settings {
  int64_t classes = 200000, embedding = 512, labeled = 96, unlabeled = 32, threads = 2, rounds = 5, tile = 0;
  double sample_rate = 1;
  at::Device device = at::kCPU;
  int64_t rows() const { return labeled + unlabeled; }
};

Settings settings_of(int argc, char** argv) {
  Settings s;
  int64_t* const values[] = {&s.classes, &s.embedding, &s.labeled, &s.unlabeled,
                             &s.threads, &s.rounds,    &s.tile};
  for (int i = 1; i < argc && i <= 7; ++i) *values[i - 1] = std::atoll(argv[i]);
  if (argc > 8) s.sample_rate = std::atof(argv[8]);
  if (argc > 9) s.device = at::Device(argv[9]);
  if (!s.device.is_cpu() && !s.device.has_index()) s.device.set_index(0);
  uir::use_device(s.device);
  return s;
}

at::TensorOptions on_device(const Settings& s) { return at::TensorOptions(s.device); }

// Until the device has done all that was queued.
void wait_for(const Settings& s) {
  if (!s.device.is_cpu()) at::zeros({1}, on_device(s)).item<float>();
}

// A line of /proc/self/status such as VmHWM, in MiB.
double process_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::atof(line.c_str() + key.size() + 1) / 1024;
  }
  return 0;
}

// Of one call.
double milliseconds(const Settings& s, const std::function<void()>& work) {
  const int calls = s.device.is_cpu() ? 1 : 10;
  wait_for(s);
  const auto start = std::chrono::steady_clock::now();
  for (int call = 0; call < calls; ++call) work();
  wait_for(s);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / calls;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Head make_head(const Settings& s, UirReduction reduction, double sample_rate) {
  uir::HeadConfig config;
  config.class_tile = s.tile;
  config.sample_rate = sample_rate;
  return Head(config, reduction, s.classes, s.embedding, 1, std::make_shared<uir::Communicator>(), s.device);
}

struct Batch {
  explicit Batch(const Settings& s)
      : embeddings(at::randn({s.rows(), s.embedding}).to(s.device)),
        labels(at::randint(s.classes, {s.rows()}, at::kLong)) {}
  at::Tensor embeddings, labels;

  void step(Head& head, int64_t num_labeled) const {
    head.loss_and_gradients(embeddings, labels.narrow(0, 0, num_labeled), {num_labeled, 0.1});
  }
};

// The most memory so far; NaN, which JSON writes as null, where it is not known.
double peak_mib(const Settings& s) {
  if (s.device.is_cpu()) return process_mib("VmHWM");
  const std::optional<int64_t> peak = uir::peak_memory(s.device);
  return peak ? static_cast<double>(*peak) / (1 << 20) : std::numeric_limits<double>::quiet_NaN();
}

nlohmann::json measure_memory(const Settings& s, const Batch& batch) {
  const double before = s.device.is_cpu() ? process_mib("VmRSS") : peak_mib(s);
  Head head = make_head(s, UirReduction::kReleased, s.sample_rate);
  at::Tensor momentum = at::ones_like(head.centers());
  for (int i = 0; i < 2; ++i) batch.step(head, s.labeled);
  const double peak = peak_mib(s) - before;
  const double state = 3.0 * static_cast<double>(s.classes * s.embedding * 4) / (1 << 20);
  return {{"peak_mib", peak}, {"weight_gradient_momentum_mib", state}, {"ratio", peak / state}};
}

// Logits, gradient of the embeddings and gradient of the centers, at full width.
class ProductsAlone {
 public:
  explicit ProductsAlone(const Settings& s)
      : weights_(at::randn({s.classes, s.embedding}, on_device(s))),
        gradient_(at::zeros({s.classes, s.embedding}, on_device(s))),
        logits_(at::zeros({s.rows(), s.classes}, on_device(s))),
        embeddings_gradient_(at::zeros({s.rows(), s.embedding}, on_device(s))) {}

  // The logits of the last rows once more.
  void logits_again(const at::Tensor& embeddings, int64_t rows) {
    at::Tensor logits = logits_.narrow(0, logits_.size(0) - rows, rows);
    at::mm_out(logits, embeddings.narrow(0, embeddings.size(0) - rows, rows), weights_.t());
  }
  void operator()(const at::Tensor& embeddings) {
    logits_again(embeddings, embeddings.size(0));
    at::mm_out(embeddings_gradient_, logits_, weights_);
    at::mm_out(gradient_, logits_.t(), embeddings);
  }

 private:
  at::Tensor weights_, gradient_, logits_, embeddings_gradient_;
};

struct Variant {
  std::string name;
  std::function<void()> run;
  size_t own_products;  // the variant that does them alone
};

nlohmann::json compared(const std::vector<Variant>& variants, const std::vector<std::vector<double>>& times) {
  constexpr size_t kProductsAlone = 0, kUirOff = 3;
  nlohmann::json result;
  for (size_t v = 0; v < variants.size(); ++v) {
    const double time = median(times[v]);
    result[variants[v].name] = {{"ms", time},
                                {"fastest_ms", *std::min_element(times[v].begin(), times[v].end())},
                                {"to_products", time / median(times[kProductsAlone])},
                                {"to_own_products", time / median(times[variants[v].own_products])},
                                {"to_uir_off", time / median(times[kUirOff])}};
  }
  return result;
}

nlohmann::json measure_time(const Settings& s, const Batch& batch) {
  ProductsAlone products(s);
  Head mean = make_head(s, UirReduction::kMean, 1), released = make_head(s, UirReduction::kReleased, 1);
  Head sampled = make_head(s, UirReduction::kReleased, s.sample_rate);
  const auto own_products = [&](int64_t third_time) {
    products.logits_again(batch.embeddings, s.rows());
    if (third_time > 0) products.logits_again(batch.embeddings, third_time);
    products(batch.embeddings);
  };
  const std::vector<Variant> variants = {{"products_alone", [&] { products(batch.embeddings); }, 0},
                                         {"own_products", [&] { own_products(0); }, 1},
                                         {"own_products_released", [&] { own_products(s.unlabeled); }, 2},
                                         {"uir_off", [&] { batch.step(mean, s.rows()); }, 1},
                                         {"mean", [&] { batch.step(mean, s.labeled); }, 1},
                                         {"released", [&] { batch.step(released, s.labeled); }, 2},
                                         {"sampled", [&] { batch.step(sampled, s.labeled); }, 2}};
  std::vector<std::vector<double>> times(variants.size());
  for (int64_t round = 0; round <= s.rounds; ++round) {
    for (size_t v = 0; v < variants.size(); ++v) {
      const double time = milliseconds(s, variants[v].run);
      if (round > 0) times[v].push_back(time);  // the first round warms up
    }
  }
  return compared(variants, times);
}

}  // namespace

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  const Settings s = settings_of(argc, argv);
  at::set_num_threads(static_cast<int>(s.threads));
  const Batch batch(s);
  nlohmann::json report = {
      {"classes", s.classes},     {"embedding", s.embedding},     {"labeled", s.labeled},
      {"unlabeled", s.unlabeled}, {"threads", s.threads},         {"rounds", s.rounds},
      {"class_tile", s.tile},     {"sample_rate", s.sample_rate}, {"device", s.device.str()}};
  report["memory"] = measure_memory(s, batch);
  report["time"] = measure_time(s, batch);
  std::cout << report.dump(2) << '\n';
}
