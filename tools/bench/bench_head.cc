// What the head costs: peak memory against weight + gradient + momentum, time against its three matrix
// products alone, and what the UIR loss adds at the same number of rows.
//
//   bench_head [classes=200000] [embedding=512] [labeled=96] [unlabeled=32] [threads=2] [rounds=5] [tile=0]
//     [sample_rate=1]
//
// `sampled` is `released` with the labeled rows on sample_rate of the classes; memory is measured at that
// rate. Prints one JSON object. Memory is this process's peak above what it held before the head existed.
// Times are medians over rounds in which all variants run one after the other; the optimizer is excluded, the
// momentum only held.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "uir/base/blas.h"
#include "uir/head/head.h"

namespace {

using uir::Head;
using uir::UirReduction;

struct Settings {
  int64_t classes = 200000, embedding = 512, labeled = 96, unlabeled = 32, threads = 2, rounds = 5, tile = 0;
  double sample_rate = 1;
  int64_t rows() const { return labeled + unlabeled; }
};

Settings settings_of(int argc, char** argv) {
  Settings s;
  int64_t* const values[] = {&s.classes, &s.embedding, &s.labeled, &s.unlabeled,
                             &s.threads, &s.rounds,    &s.tile};
  for (int i = 1; i < argc && i <= 7; ++i) *values[i - 1] = std::atoll(argv[i]);
  if (argc > 8) s.sample_rate = std::atof(argv[8]);
  return s;
}

// A line of /proc/self/status such as VmHWM, in MiB.
double process_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::atof(line.c_str() + key.size() + 1) / 1024;
  }
  return 0;
}

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Head make_head(const Settings& s, UirReduction reduction, double sample_rate) {
  uir::HeadConfig config;
  config.class_tile = s.tile;
  config.sample_rate = sample_rate;
  return Head(config, reduction, s.classes, s.embedding, 1, std::make_shared<uir::Communicator>(), at::kCPU);
}

struct Batch {
  explicit Batch(const Settings& s)
      : embeddings(at::randn({s.rows(), s.embedding})),
        labels(at::randint(s.classes, {s.rows()}, at::kLong)) {}
  at::Tensor embeddings, labels;

  void step(Head& head, int64_t num_labeled) const {
    head.loss_and_gradients(embeddings, labels.narrow(0, 0, num_labeled), {num_labeled, 0.1});
  }
};

nlohmann::json measure_memory(const Settings& s, const Batch& batch) {
  const double before = process_mib("VmRSS");
  Head head = make_head(s, UirReduction::kReleased, s.sample_rate);
  at::Tensor momentum = at::ones_like(head.centers());
  for (int i = 0; i < 2; ++i) batch.step(head, s.labeled);
  const double peak = process_mib("VmHWM") - before;
  const double state = 3.0 * static_cast<double>(s.classes * s.embedding * 4) / (1 << 20);
  return {{"peak_mib", peak}, {"weight_gradient_momentum_mib", state}, {"ratio", peak / state}};
}

// Logits, gradient of the embeddings and gradient of the centers, at full width.
class ProductsAlone {
 public:
  explicit ProductsAlone(const Settings& s)
      : weights_(at::randn({s.classes, s.embedding})),
        gradient_(at::zeros({s.classes, s.embedding})),
        logits_(at::zeros({s.rows(), s.classes})),
        embeddings_gradient_(at::zeros({s.rows(), s.embedding})) {}

  void operator()(const at::Tensor& embeddings) {
    at::mm_out(logits_, embeddings, weights_.t());
    at::mm_out(embeddings_gradient_, logits_, weights_);
    at::mm_out(gradient_, logits_.t(), embeddings);
  }

 private:
  at::Tensor weights_, gradient_, logits_, embeddings_gradient_;
};

nlohmann::json measure_time(const Settings& s, const Batch& batch) {
  ProductsAlone products(s);
  Head mean = make_head(s, UirReduction::kMean, 1), released = make_head(s, UirReduction::kReleased, 1);
  Head sampled = make_head(s, UirReduction::kReleased, s.sample_rate);
  const std::vector<std::pair<std::string, std::function<void()>>> variants = {
      {"products_alone", [&] { products(batch.embeddings); }},
      {"uir_off", [&] { batch.step(mean, s.rows()); }},
      {"mean", [&] { batch.step(mean, s.labeled); }},
      {"released", [&] { batch.step(released, s.labeled); }},
      {"sampled", [&] { batch.step(sampled, s.labeled); }}};
  std::vector<std::vector<double>> times(variants.size());
  for (int64_t round = 0; round <= s.rounds; ++round) {
    for (size_t v = 0; v < variants.size(); ++v) {
      const double time = milliseconds(variants[v].second);
      if (round > 0) times[v].push_back(time);  // the first round warms up
    }
  }
  nlohmann::json result;
  for (size_t v = 0; v < variants.size(); ++v) {
    result[variants[v].first] = {{"ms", median(times[v])},
                                 {"fastest_ms", *std::min_element(times[v].begin(), times[v].end())},
                                 {"to_products", median(times[v]) / median(times[0])},
                                 {"to_uir_off", median(times[v]) / median(times[1])}};
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  const Settings s = settings_of(argc, argv);
  at::set_num_threads(static_cast<int>(s.threads));
  const Batch batch(s);
  nlohmann::json report = {{"classes", s.classes},     {"embedding", s.embedding},    {"labeled", s.labeled},
                           {"unlabeled", s.unlabeled}, {"threads", s.threads},        {"rounds", s.rounds},
                           {"class_tile", s.tile},     {"sample_rate", s.sample_rate}};
  report["memory"] = measure_memory(s, batch);
  report["time"] = measure_time(s, batch);
  std::cout << report.dump(2) << '\n';
}
