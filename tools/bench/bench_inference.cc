// Embedding: a network of ours, or an ONNX file in every engine of this build.
//
//   bench_inference [NETWORK|FILE.onnx [batch [threads [rounds]]]]
//
// int8, where the processor has AVX-512 VNNI: its ranges are those of drawn faces.
// NETWORK: mbf (default), mbf_large, r18 to r200, with random weights; batch 64; threads 0: one per
// processor; rounds 3. "ours …" is the network alone, on prepared pixels in memory; "extraction …" what
// uir-extract does: JPEGs of an index, read, checked, decoded, embedded, without mirror images. Every
// measurement is a process of its own (the program calls itself), a round measures each variant once, in
// turn; rates are medians over the rounds [images/s], each the median of calls over at least three seconds.
// peak_MB: the process's largest resident set. difference, of networks of ours: the largest one of ten drawn
// faces' embeddings to those of the network's layers in float32, relative to their norm. Prints JSON. Beside other programs: what they reach in the
// same hour.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <sys/resource.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "timing.h"
#include "uir/base/allocator.h"
#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/embed/extractor.h"
#include "uir/pipeline/onnx_engines.h"
#include "uir/pipeline/sample_faces.h"
#include "variants.h"

namespace uir {
namespace {

struct Setup {
  std::string network = "mbf";
  int64_t batch = 64;
  int threads = 0;
  int rounds = 3;

  bool is_file() const { return network.ends_with(".onnx"); }
};

Setup parse(const std::vector<std::string>& words) {
  Setup setup;
  if (words.size() > 0) setup.network = words[0];
  if (words.size() > 1) setup.batch = std::stoll(words[1]);
  if (words.size() > 2) setup.threads = std::stoi(words[2]);
  if (words.size() > 3) setup.rounds = std::stoi(words[3]);
  return setup;
}

struct Variant {
  std::string name;
  EngineCandidate candidate;  // of a file
  bool extraction = false;
  bool int8 = false;  // ranges from drawn faces
};

std::vector<Variant> variants_of(const Setup& setup) {
  std::vector<Variant> variants;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const std::string precision = type == at::kFloat ? "float32" : "bf16";
    for (const bool extraction : {false, true}) {
      const std::string name = concat(extraction ? "extraction " : "ours ", precision);
      if (!setup.is_file()) variants.push_back({name, {EngineChoice::kLibTorch, type}, extraction});
    }
    for (const EngineChoice engine :
         {EngineChoice::kLibTorch, EngineChoice::kOpenCv, EngineChoice::kOpenVino}) {
      const bool has = engine != EngineChoice::kOpenCv || type == at::kFloat;
      if (setup.is_file() && has && !engine_name(engine).empty())
        variants.push_back({concat("ours ", precision, ", ", engine_name(engine)), {engine, type}});
    }
  }
  if (InferenceConv::runs_int8())
    variants.push_back(
        {setup.is_file() ? concat("ours int8, ", engine_name(EngineChoice::kLibTorch)) : "ours int8",
         {EngineChoice::kLibTorch, at::kBFloat16},
         false,
         true});
  return variants;
}

// Drawn faces give other ranges than real ones, in as much time.
Embedder in_int8(int64_t dim, const Int8Network& network) {
  return {dim, network.in_int8(network.find_ranges(drawn_faces(16)))};
}

// Median rate of calls that embed so many images each.
double rate_of(int64_t images, const std::function<void()>& call) {
  constexpr double kLong_s = 3;
  for (int i = 0; i < 2; ++i) call();
  std::vector<double> seconds;
  for (double all = 0; all < kLong_s || seconds.size() < 3; all += seconds.back())
    seconds.push_back(cost_of(call).seconds);
  return static_cast<double>(images) / median(seconds);
}

double measured_rate(const Setup& setup, const Variant& variant) {
  tune_memory_allocator();
  at::set_num_threads(resolve_threads(setup.threads));
  Embedder embedder;
  if (setup.is_file()) {
    const FaceNetwork network = open_face_network(setup.network, "", at::get_num_threads());
    EngineCandidate candidate = variant.candidate;
    candidate.in_groups = network.fixed_batch.has_value();
    const PixelPreparation preparation{network.range.value_or(PixelRange::kSigned), ColorOrder::kRgb};
    embedder = variant.int8
                   ? in_int8(network.embedding_size, int8_network(network, candidate.in_groups, preparation))
                   : make_embedder(network, candidate, preparation);
  } else {
    const std::shared_ptr<Backbone> network = make_backbone(named_network(setup.network), 1);
    embedder = variant.int8 ? in_int8(network->embedding_size(), int8_network(network, ""))
                            : embedder_of(network, variant.candidate.type);
  }
  if (!variant.extraction) {
    const at::Tensor faces = drawn_faces(setup.batch);
    return rate_of(setup.batch, [&] { embedder.embed(faces); });
  }
  const TempFolder folder;
  constexpr int64_t kPeople = 8;
  write_faces(folder / "faces", kPeople, setup.batch / 2);
  const Index index = make_index(folder / "index", {folder_source("faces", Role::kTest, folder / "faces")});
  const std::vector<int64_t> rows = index.set_rows("faces");
  ExtractOptions options;
  options.batch = setup.batch;
  options.mirrored = false;
  return rate_of(static_cast<int64_t>(rows.size()),
                 [&] { embed_rows(index, rows, 0, embedder, options, [](const EmbeddingBlock&) {}); });
}

// What inference's own kernels and bf16 change; layers: as in training, with gradients.
Json differences(const std::string& name) {
  const std::shared_ptr<Backbone> network = make_backbone(named_network(name), 1);
  network->eval();
  const at::Tensor faces = drawn_faces(10);
  const auto embed = [&](at::ScalarType type, bool layers) {
    const at::AutoGradMode gradients(layers);
    return network->forward(normalize_pixels(faces, type)).detach().to(at::kDouble);
  };
  const at::Tensor exact = embed(at::kFloat, true);
  const auto difference = [&](const at::Tensor& found) {
    return ((found - exact).norm(2, 1) / exact.norm(2, 1)).max().item<double>();
  };
  Json json{{"float32", difference(embed(at::kFloat, false))},
            {"bf16", difference(embed(at::kBFloat16, false))},
            {"layers in bf16", difference(embed(at::kBFloat16, true))}};
  if (InferenceConv::runs_int8()) {
    network->infer_in_int8(network->find_int8_ranges(normalize_pixels(drawn_faces(64), at::kFloat)));
    json["int8"] = difference(embed(at::kBFloat16, false));
  }
  return json;
}

void run(const std::string& program, const std::vector<std::string>& words) {
  const Setup setup = parse(words);
  const std::vector<Variant> variants = variants_of(setup);
  std::map<std::string, std::vector<double>> rates, peaks;
  for (int round = 0; round < setup.rounds; ++round) {
    for (size_t v = 0; v < variants.size(); ++v) {
      const std::vector<double> found = measure_in_process(program, words, v, 2);
      rates[variants[v].name].push_back(found[0]);
      peaks[variants[v].name].push_back(found[1]);
    }
  }
  Json json{{"network", setup.network},
            {"batch", setup.batch},
            {"threads", resolve_threads(setup.threads)},
            {"rounds", setup.rounds}};
  for (const Variant& variant : variants) {
    json["images_per_s"][variant.name] = median(rates[variant.name]);
    json["peak_MB"][variant.name] = median(peaks[variant.name]);
  }
  if (!setup.is_file()) json["difference"] = differences(setup.network);
  std::cout << json.dump(2) << "\n";
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() > 1 && words[0] == "--variant") {
      const uir::Setup setup = uir::parse({words.begin() + 2, words.end()});
      const double rate = uir::measured_rate(setup, uir::variants_of(setup).at(std::stoul(words[1])));
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      std::cout << rate << " " << static_cast<double>(usage.ru_maxrss) / 1024 << "\n";
    } else {
      uir::run(argv[0], words);
    }
  } catch (const std::exception& e) {
    std::cerr << "bench_inference: " << e.what() << "\n";
    return 1;
  }
}
