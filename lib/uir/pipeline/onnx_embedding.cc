#include "uir/pipeline/onnx_embedding.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "uir/base/child_process.h"
#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/passing_folder.h"
#include "uir/base/progress.h"
#include "uir/embed/pixel_probe.h"
#include "uir/pipeline/onnx_engines.h"

namespace uir {
namespace {

constexpr std::array kCpuEngines{EngineChoice::kOpenCv, EngineChoice::kOpenVino, EngineChoice::kOnnxRuntime};

std::optional<PixelRange> asked_range(const OnnxConfig& config) {
  if (config.pixels == PixelsChoice::kAuto) return std::nullopt;
  return kPixelRanges.at(static_cast<size_t>(config.pixels) - 1);
}
std::optional<ColorOrder> asked_order(const OnnxConfig& config) {
  if (config.color_order == ColorOrderChoice::kAuto) return std::nullopt;
  return kColorOrders.at(static_cast<size_t>(config.color_order) - 1);
}

std::string precision_text(at::ScalarType type) { return type == at::kFloat ? "float32" : "bf16"; }

// "1 - 3.2e-08"
std::string cosine_text(double cosine) {
  char text[48];
  std::snprintf(text, sizeof(text), "1 - %.1e", std::max(0.0, 1 - cosine));
  return text;
}

std::string label_of(const EngineCandidate& candidate) {
  return concat(engine_name(candidate.engine), " in ", precision_text(candidate.type));
}

struct Choice {
  PixelPreparation preparation;
  std::string because;
  EngineCandidate candidate;
};

// Makes the choice of a run. The first rank's business.
class Chooser {
 public:
  Chooser(const Experiment& experiment, const FaceNetwork& network, const OwnFaces& own_faces,
          const Compute& compute)
      : experiment_(experiment),
        config_(experiment.extract.onnx),
        network_(network),
        own_faces_(own_faces),
        compute_(compute),
        work_(experiment.run_folder() / "onnx.trial") {}

  Choice run() {
    const std::vector<EngineCandidate> wanted = candidates();
    if (network_.range && asked_range(config_) && network_.range != asked_range(config_))
      log_warning("extract.onnx.pixels is taken as asked for, though ", network_.told_by, " (",
                  text_of(*network_.range), ")");
    std::vector<EngineTrial> right = trials(wanted);
    const PixelDecision decision = decide(right.front().candidate);
    if (!decision.range || !decision.order) undecided(decision);
    Choice choice{{*decision.range, *decision.order}, decision.because, right.front().candidate};
    for (const EngineTrial& trial : right) {
      choice.candidate = trial.candidate;
      if (trial.candidate.type == at::kFloat || experiment_.train.precision != Precision::kAuto ||
          agrees_on_own_faces(right, choice))
        break;
    }
    log_info("pixels: ", text_of(choice.preparation), " (", choice.because, ")");
    log_info("engine: ", label_of(choice.candidate));
    return choice;
  }

 private:
  bool wants_libtorch() const {
    return config_.engine == EngineChoice::kAuto || config_.engine == EngineChoice::kLibTorch;
  }
  bool in_int8() const { return experiment_.extract.precision == ExtractPrecision::kInt8; }

  // The types to try: as asked for; auto: float32, and bf16 where that is fast.
  std::vector<at::ScalarType> types() const {
    if (in_int8()) return {at::kFloat};
    switch (experiment_.train.precision) {
      case Precision::kAuto:
        if (compute_.pixel_type == at::kBFloat16) return {at::kFloat, at::kBFloat16};
        return {at::kFloat};
      case Precision::kFloat32:
        return {at::kFloat};
      case Precision::kBFloat16:
        return {at::kBFloat16};
      case Precision::kFloat16:
        break;
    }
    fail(ErrorKind::kConfig,
         "train.precision: an ONNX network is computed in float32 or bf16, not in float16");
  }

  std::vector<EngineCandidate> candidates() const {
    std::vector<EngineCandidate> found;
    const auto wants = [&](EngineChoice engine) {
      if (in_int8()) return engine == EngineChoice::kLibTorch;
      return config_.engine == engine || config_.engine == EngineChoice::kAuto;
    };
    const bool cpu = compute_.device.is_cpu(), grouped = network_.fixed_batch.has_value();
    for (const at::ScalarType type : types()) {
      if (wants(EngineChoice::kLibTorch)) found.push_back({EngineChoice::kLibTorch, type, compute_.device});
      for (const EngineChoice engine : kCpuEngines) {
        const bool can = type == at::kFloat || engine == EngineChoice::kOpenVino;
        if (wants(engine) && cpu && can && !engine_name(engine).empty())
          found.push_back({engine, type, at::kCPU, grouped});
      }
    }
    if (in_int8() && !wants_libtorch())
      fail(ErrorKind::kConfig,
           "extract.precision: int8 is computed by LibTorch; use extract.onnx.engine: auto");
    if (!found.empty()) return found;
    if (engine_name(config_.engine).empty())
      fail(ErrorKind::kConfig, "extract.onnx.engine: ", enum_name(config_.engine),
           ", but this build has none (docs/building.md); use auto");
    fail(ErrorKind::kConfig, "extract.onnx.engine: ", enum_name(config_.engine), " computes on CPUs",
         config_.engine == EngineChoice::kOpenVino ? "" : " in float32",
         "; set train.device: cpu and train.precision: float32, or engine: auto");
  }

  // Those that are right, the fastest first.
  std::vector<EngineTrial> trials(const std::vector<EngineCandidate>& wanted) {
    log_info("checking engines: two faces by the file's own arithmetic in float64 …");
    const EngineReference reference = compute_reference(network_);
    const PassingFolder folder(work_);
    std::vector<EngineTrial> right;
    std::string problems;
    for (const EngineCandidate& candidate : wanted) {
      const EngineTrial trial = tried(candidate, reference);
      const std::string told =
          trial.problem.empty() ? concat("cosine ", cosine_text(trial.cosine), " to that") : trial.problem;
      if (trial.right()) {
        right.push_back(trial);
        log_info("  ", label_of(candidate), ": ", told, ", ", std::lround(trial.images_per_s), " images/s");
      } else {
        log_warning(label_of(candidate), " is not used: ", told);
        problems += concat(problems.empty() ? "" : "; ", label_of(candidate), ": ", told);
      }
    }
    if (right.empty())
      fail(ErrorKind::kData, network_.file.path.string(), ": no engine computes it right: ", problems);
    std::ranges::stable_sort(right, std::greater<>(), &EngineTrial::images_per_s);
    return right;
  }

  // A file with a fixed batch may take any other all the same.
  EngineTrial tried(EngineCandidate candidate, const EngineReference& reference) const {
    const auto run = [&] {
      return try_engine(network_, candidate, reference, experiment_.extract.batch, own_program(), work_);
    };
    EngineTrial trial = run();
    if (trial.right() || candidate.in_groups || !network_.fixed_batch) return trial;
    candidate.in_groups = true;
    return run();
  }

  PixelDecision decide(EngineCandidate candidate) const {
    const auto range = asked_range(config_) ? asked_range(config_) : network_.range;
    const auto order = asked_order(config_) ? asked_order(config_) : network_.order;
    std::string known = asked_range(config_) || asked_order(config_) ? "as asked for" : "";
    if (!network_.told_by.empty() && !asked_range(config_))
      known += (known.empty() ? "" : ", ") + network_.told_by;
    if (range && order) return {range, order, {}, known};
    constexpr int64_t kPairs = 256;
    const at::Tensor faces = own_faces_.genuine_pairs(kPairs);
    Progress progress("finding out what its pixels are", "faces", 0);
    PixelDecision decision = decide_pixels(
        faces, range, order, [&](const at::Tensor& images, const PixelPreparation& preparation) {
          const Embedder embedder = make_embedder(network_, candidate, preparation);
          std::vector<at::Tensor> parts;
          for (const at::Tensor& part : images.split(experiment_.extract.batch)) {
            parts.push_back(embedder.embed(part.to(candidate.device)).cpu());
            progress.add(part.size(0));
          }
          return at::cat(parts);
        });
    for (const PixelCandidate& tried : decision.tried) {
      char numbers[96];
      std::snprintf(numbers, sizeof(numbers), "mean cosine of one person %.3f, of two %.3f", tried.genuine,
                    tried.impostor);
      log_info("  ", text_of(tried.preparation), ": ", numbers);
    }
    decision.because = concat(known, known.empty() ? "" : "; ", decision.because);
    return decision;
  }

  [[noreturn]] void undecided(const PixelDecision& decision) const {
    const char* range = decision.range ? "" : "extract.onnx.pixels: bytes, signed, unit …";
    const char* order = decision.order ? "" : "extract.onnx.color_order: rgb or bgr";
    fail(ErrorKind::kConfig, network_.file.path.string(),
         ": not decided how it wants its pixels: ", decision.because, "; say it: ", range,
         *range && *order ? ", " : "", order, " (docs/models.md)");
  }

  // Whether bf16 keeps the embeddings of the first batch.
  bool agrees_on_own_faces(const std::vector<EngineTrial>& right, const Choice& choice) const {
    const auto exact =
        std::ranges::find(right, at::kFloat, [](const EngineTrial& t) { return t.candidate.type; });
    if (exact == right.end()) return true;
    const at::Tensor faces = own_faces_.first(experiment_.extract.batch).to(compute_.device);
    if (faces.size(0) == 0) return true;
    const auto embed = [&](const EngineCandidate& candidate) {
      return make_embedder(network_, candidate, choice.preparation).embed(faces).to(at::kDouble);
    };
    const double cosine = smallest_cosine(embed(choice.candidate), embed(exact->candidate));
    const bool agrees = cosine >= kShortCosine;
    if (!agrees)
      log_warning("bf16 is not used: the first images' embeddings have a cosine of ", cosine,
                  " to those of float32");
    return agrees;
  }

  const Experiment& experiment_;
  const OnnxConfig& config_;
  const FaceNetwork& network_;
  const OwnFaces& own_faces_;
  const Compute& compute_;
  const fs::path work_;
};

// --- <run>/onnx.json --------------------------------------------------------------------------------------

// What the choice depends on: another value, another choice.
Json question(const Experiment& experiment, const FaceNetwork& network, const Compute& compute) {
  const OnnxConfig& config = experiment.extract.onnx;
  const bool int8 = experiment.extract.precision == ExtractPrecision::kInt8;
  return {{"network", network.file.checksum},
          {"output", network.output},
          {"pixels", enum_name(config.pixels)},
          {"color_order", enum_name(config.color_order)},
          {"engine", enum_name(config.engine)},
          {"precision", int8 ? "int8" : enum_name(experiment.train.precision)},
          {"device", compute.device.is_cpu() ? "cpu" : "cuda"},
          {"engines",
           {engine_name(EngineChoice::kLibTorch), engine_name(EngineChoice::kOpenCv),
            engine_name(EngineChoice::kOpenVino), engine_name(EngineChoice::kOnnxRuntime)}}};
}

Json to_json(const Choice& choice, const Json& question) {
  return {{"question", question},
          {"pixels", text_of(choice.preparation.range)},
          {"color_order", text_of(choice.preparation.order)},
          {"because", choice.because},
          {"engine", enum_name(choice.candidate.engine)},
          {"precision", precision_text(choice.candidate.type)},
          {"in_groups", choice.candidate.in_groups}};
}

template <class E, size_t N>
std::optional<E> with_text(const std::array<E, N>& values, const std::string& text) {
  for (const E value : values) {
    if (text_of(value) == text) return value;
  }
  return std::nullopt;
}

// None if the file answers another question, or is damaged.
std::optional<Choice> read_choice(const fs::path& path, const Json& question, at::Device device) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Json json = read_json_file(path);
    if (json.value("question", Json()) != question) return std::nullopt;
    const auto range = with_text(kPixelRanges, json_at<std::string>(json, "pixels", path.string()));
    const auto order = with_text(kColorOrders, json_at<std::string>(json, "color_order", path.string()));
    const auto engine = enum_from_name<EngineChoice>(json_at<std::string>(json, "engine", path.string()));
    if (!range || !order || !engine) return std::nullopt;
    const bool bf16 = json_at<std::string>(json, "precision", path.string()) == "bf16";
    return Choice{{*range, *order},
                  json_at<std::string>(json, "because", path.string()),
                  {*engine, bf16 ? at::kBFloat16 : at::kFloat, device,
                   json_at<bool>(json, "in_groups", path.string())}};
  } catch (const Error& error) {
    log_warning(error.what(), "; deciding anew");
    return std::nullopt;
  }
}

}  // namespace

OnnxEmbedding onnx_embedding(const Experiment& experiment, const fs::path& file, const OwnFaces& faces,
                             const Compute& compute, const Communicator& ranks) {
  const FaceNetwork network = open_face_network(file, experiment.extract.onnx.output, at::get_num_threads());
  log_info(description(network));
  log_info("the model section is not used: the file brings its own network");
  const fs::path path = experiment.run_folder() / "onnx.json";
  const Json question = uir::question(experiment, network, compute);
  std::optional<Choice> choice = read_choice(path, question, compute.device);
  if (ranks.sum(choice ? 0 : 1) > 0) {
    if (ranks.rank() == 0) {
      choice = Chooser(experiment, network, faces, compute).run();
      create_folders(experiment.run_folder());
      write_file_atomically(path, json_text(to_json(*choice, question), 1) + "\n");
    }
    ranks.sum(0);
    choice = read_choice(path, question, compute.device);
    if (!choice) fail(ErrorKind::kIo, path.string(), ": the first rank's choice cannot be read here");
  } else {
    log_info("pixels: ", text_of(choice->preparation), "; engine: ", label_of(choice->candidate), " (",
             path.string(), ")");
  }
  OnnxEmbedding result{{},
                       network.file.checksum,
                       {{"color_order", text_of(choice->preparation.order)},
                        {"normalization", text_of(choice->preparation.range)},
                        {"pixels_because", choice->because},
                        {"precision", c10::toString(choice->candidate.type)},
                        {"engine", engine_name(choice->candidate.engine)}}};
  if (experiment.extract.precision == ExtractPrecision::kInt8) {
    const Int8Embedding int8 = int8_embedding(
        experiment, int8_network(network, choice->candidate.in_groups, choice->preparation), faces, ranks);
    result.embedder = {network.embedding_size, int8.embed};
    result.manifest.update(int8.manifest);
  } else {
    result.embedder = make_embedder(network, choice->candidate, choice->preparation);
  }
  return result;
}

}  // namespace uir
