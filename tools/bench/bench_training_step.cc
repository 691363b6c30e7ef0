// Forward and backward pass of a network against the same network from LibTorch's own operators.
//
//   bench_training_step [network [batch [threads [rounds [width [device [only]]]]]]]
//
// network: mbf (default), mbf_large, r18, r34, r50, r100, r200; batch 64; threads 0: one per processor;
// rounds 3; device cpu; only: the variants whose names begin so, default "": all. The baseline
// (tests/support/plain_network.h) runs in float32 and in bf16 (weights cast as autocast would), in NCHW
// and channels-last, each with the allocator as glibc sets it up; ours with tune_memory_allocator, in
// float32 and bf16, called each time and as recorded passes (train.cuda_graphs; CPUs rehearse them).
// Since allocator settings belong to a process, every measurement is a process of its own: the program
// calls itself. A round measures each variant once, in turn; rates are medians over the rounds
// [images/s], each the median of several steps. Prints JSON; what counts is ratio_to_best (target 2 on a
// CPU with AMX; null unless there are variants of both).
#include <torch/torch.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "support/plain_network.h"
#include "timing.h"
#include "uir/base/allocator.h"
#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/device/use_device.h"
#include "uir/model/backbone.h"
#include "uir/train/network_passes.h"
#include "variants.h"

namespace uir {
namespace {

struct Setup {
  std::string network = "mbf";
  int64_t batch = 64;
  int threads = 0;
  int rounds = 3;
  double width = 1;
  at::Device device = at::kCPU;
  std::string only;
};

// In the order of the command line.
Setup parse(const std::vector<std::string>& words) {
  Setup setup;
  if (words.size() > 0) setup.network = words[0];
  if (words.size() > 1) setup.batch = std::stoll(words[1]);
  if (words.size() > 2) setup.threads = std::stoi(words[2]);
  if (words.size() > 3) setup.rounds = std::stoi(words[3]);
  if (words.size() > 4) setup.width = std::stod(words[4]);
  if (words.size() > 5) setup.device = at::Device(words[5]);
  if (!setup.device.is_cpu() && !setup.device.has_index()) setup.device.set_index(0);
  if (words.size() > 6) setup.only = words[6];
  return setup;
}

struct Variant {
  std::string name;
  bool ours;
  bool graphs;
  at::ScalarType type;
  at::MemoryFormat layout;

  bool is_wanted(const Setup& setup) const { return name.starts_with(setup.only); }
};

const Variant kVariants[] = {
    {"plain float32 NCHW", false, false, at::kFloat, at::MemoryFormat::Contiguous},
    {"plain float32 channels-last", false, false, at::kFloat, at::MemoryFormat::ChannelsLast},
    {"plain bf16 NCHW", false, false, at::kBFloat16, at::MemoryFormat::Contiguous},
    {"plain bf16 channels-last", false, false, at::kBFloat16, at::MemoryFormat::ChannelsLast},
    {"ours float32", true, false, at::kFloat, at::MemoryFormat::ChannelsLast},
    {"ours bf16", true, false, at::kBFloat16, at::MemoryFormat::ChannelsLast},
    {"graphs float32", true, true, at::kFloat, at::MemoryFormat::ChannelsLast},
    {"graphs bf16", true, true, at::kBFloat16, at::MemoryFormat::ChannelsLast},
};

// Median seconds of a step after two to warm up; on a device the mean of many, after which the host waits.
template <class Step>
double time_steps(at::Device device, Step&& step) {
  const int warm_up = 2, timed = 5, steps = device.is_cpu() ? 1 : 10;
  std::vector<double> seconds;
  for (int i = 0; i < warm_up + timed; ++i) {
    const double all = cost_of([&] {
                         for (int k = 0; k < steps; ++k) step();
                         if (!device.is_cpu()) at::zeros({1}, device).item<float>();
                       }).seconds;
    if (i >= warm_up) seconds.push_back(all / steps);
  }
  return median(seconds);
}

// The measuring process: images/s of one variant.
double measure(const Setup& setup, const Variant& variant) {
  if (variant.ours) tune_memory_allocator();
  at::set_num_threads(resolve_threads(setup.threads));
  use_device(setup.device);
  const auto network = make_backbone(named_network(setup.network, setup.width), 1);
  move_to(*network, setup.device);
  const at::Tensor images = at::randint(0, 256, {setup.batch, 112, 112, 3}, at::kByte).to(setup.device);
  const at::Tensor pixels = normalize_pixels(images, variant.type).contiguous(variant.layout);
  const at::Tensor direction = at::randn({setup.batch, network->embedding_size()}, setup.device);
  double seconds;
  if (variant.graphs) {
    NetworkPasses passes(network, variant.type, make_step_graphs(setup.device));
    seconds = time_steps(setup.device, [&] {
      for (const at::Tensor& parameter : network->parameters()) {
        if (parameter.grad().defined()) parameter.grad().zero_();
      }
      passes.forward(images);
      passes.backward(direction);
    });
  } else if (variant.ours) {
    seconds = time_steps(setup.device, [&] {
      network->zero_grad();
      network->forward(pixels).backward(direction);
    });
  } else {
    PlainNetwork plain(*network, /*training=*/true);
    seconds = time_steps(setup.device, [&] {
      plain.clear_gradients();
      plain.forward(pixels).backward(direction);
    });
  }
  return static_cast<double>(setup.batch) / seconds;
}

void run(const std::string& program, const std::vector<std::string>& words) {
  const Setup setup = parse(words);
  std::map<std::string, std::vector<double>> rates;
  for (int round = 0; round < setup.rounds; ++round) {
    for (size_t v = 0; v < std::size(kVariants); ++v) {
      if (!kVariants[v].is_wanted(setup)) continue;
      rates[kVariants[v].name].push_back(measure_in_process(program, words, v, 1)[0]);
    }
  }
  Json json{{"network", setup.network}, {"width", setup.width},
            {"batch", setup.batch},     {"threads", resolve_threads(setup.threads)},
            {"rounds", setup.rounds},   {"device", setup.device.str()}};
  double best[2] = {0, 0};
  for (const Variant& variant : kVariants) {
    if (!variant.is_wanted(setup)) continue;
    const double rate = median(rates[variant.name]);
    json["images_per_s"][variant.name] = rate;
    best[variant.ours] = std::max(best[variant.ours], rate);
  }
  json["ratio_to_best"] = best[0] > 0 && best[1] > 0 ? Json(best[1] / best[0]) : Json();
  for (const size_t v : {0, 3}) {
    if (!kVariants[v].is_wanted(setup) || best[1] == 0) continue;
    json["ratio_to " + kVariants[v].name] = best[1] / median(rates[kVariants[v].name]);
  }
  std::cout << json.dump(2) << "\n";
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() > 1 && words[0] == "--variant") {
      const uir::Setup setup = uir::parse({words.begin() + 2, words.end()});
      std::cout << uir::measure(setup, uir::kVariants[std::stoul(words[1])]) << "\n";
    } else {
      uir::run(argv[0], words);
    }
  } catch (const std::exception& e) {
    std::cerr << "bench_training_step: " << e.what() << "\n";
    return 1;
  }
}
