#include "uir/pipeline/onnx_engines.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <torch/version.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "uir/base/child_process.h"
#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/device/use_device.h"
#include "uir/engines/engine.h"
#include "uir/model/onnx_network.h"
#include "uir/onnx/interpreter.h"
#include "uir/pipeline/engine_trial.h"
#include "uir/pipeline/sample_faces.h"

namespace uir {
namespace {

constexpr int64_t kTrialFaces = 2;

// Calls embed with groups of the batch that the file fixes; the last one is filled up with black images.
at::Tensor in_groups(const at::Tensor& pixels, int64_t group,
                     const std::function<at::Tensor(const at::Tensor&)>& embed) {
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < pixels.size(0); begin += group) {
    const int64_t count = std::min(group, pixels.size(0) - begin);
    at::Tensor part = pixels.narrow(0, begin, count);
    if (count < group) {
      std::vector<int64_t> missing = pixels.sizes().vec();
      missing[0] = group - count;
      part = at::cat({part, at::zeros(missing, pixels.options())});
    }
    parts.push_back(embed(part).narrow(0, 0, count));
  }
  return at::cat(parts);
}

std::shared_ptr<Engine> open_engine(EngineChoice engine, const fs::path& file, const EngineOptions& options) {
  if (engine == EngineChoice::kOpenVino) return openvino_engine(file, options);
  if (engine == EngineChoice::kOnnxRuntime) return onnxruntime_engine(file, options);
  return opencv_engine(file, options);
}

// Prepared pixels → embeddings.
std::function<at::Tensor(const at::Tensor&)> make_engine(const FaceNetwork& network,
                                                         const EngineCandidate& candidate) {
  const int threads = at::get_num_threads();
  if (candidate.engine == EngineChoice::kLibTorch) {
    const auto torch = std::make_shared<OnnxNetwork>(network, candidate.type, candidate.device, threads);
    return [torch](const at::Tensor& pixels) { return torch->forward(pixels); };
  }
  // OpenCV's versions name values differently: the only output needs no name.
  const bool several = network.file.model.outputs.size() > 1;
  const EngineOptions options{
      .threads = threads, .output = several ? network.output : "", .bf16 = candidate.type == at::kBFloat16};
  const std::shared_ptr<Engine> engine = open_engine(candidate.engine, network.file.path, options);
  return [engine, dim = network.embedding_size, file = network.file.path](const at::Tensor& pixels) {
    const at::Tensor input = pixels.contiguous();
    const std::vector<float> found = engine->embed(input.data_ptr<float>(), input.size(0));
    if (static_cast<int64_t>(found.size()) != input.size(0) * dim)
      fail(ErrorKind::kData, file.string(), ": ", engine->name(), " gives ", found.size(), " numbers for ",
           input.size(0), " faces");
    at::Tensor embeddings = at::empty({input.size(0), dim}, at::kFloat);
    std::copy(found.begin(), found.end(), embeddings.data_ptr<float>());
    return embeddings;
  };
}

using OnFaces = std::function<at::Tensor(const at::Tensor& faces)>;

// group: of a file that fixes the batch; 0: any.
OnFaces on_faces(const std::function<at::Tensor(const at::Tensor&)>& engine, int64_t group,
                 const PixelPreparation& preparation) {
  return [=](const at::Tensor& faces) {
    const at::Tensor pixels = prepare_pixels(faces, preparation);
    return group > 0 ? in_groups(pixels, group, engine) : engine(pixels);
  };
}

Array array_of(const at::Tensor& pixels) {
  const at::Tensor numbers = pixels.to(at::kDouble).contiguous();
  return {numbers.sizes().vec(), {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()}};
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  const size_t end_of_others = text.rfind('\n');
  return end_of_others == std::string::npos ? text : text.substr(end_of_others + 1);
}

// --- The exchange with the other process ------------------------------------------------------------------

Json request_of(const FaceNetwork& network, const EngineCandidate& candidate,
                const PixelPreparation& preparation, int64_t batch, const fs::path& answer) {
  return {{"file", network.file.path.string()},
          {"output", network.output},
          {"engine", enum_name(candidate.engine)},
          {"bf16", candidate.type == at::kBFloat16},
          {"device", candidate.device.str()},
          {"in_groups", candidate.in_groups},
          {"range", static_cast<int>(preparation.range)},
          {"order", static_cast<int>(preparation.order)},
          {"threads", at::get_num_threads()},
          {"batch", batch},
          {"answer", answer.string()}};
}

double measure_rate(const Embedder& embedder, int64_t batch, at::Device device) {
  using Clock = std::chrono::steady_clock;
  const at::Tensor faces = drawn_faces(std::min<int64_t>(batch, 16)).to(device);
  embedder.embed(faces).cpu();
  constexpr std::chrono::milliseconds kLong{700};
  const auto start = Clock::now();
  int64_t done = 0;
  do {
    embedder.embed(faces).cpu();
    done += faces.size(0);
  } while (Clock::now() - start < kLong);
  return static_cast<double>(done) / std::chrono::duration<double>(Clock::now() - start).count();
}

Json answer_to(const Json& request) {
  const std::string place = "engine trial";
  at::set_num_threads(json_at<int>(request, "threads", place));
  const FaceNetwork network =
      open_face_network(json_at<std::string>(request, "file", place),
                        json_at<std::string>(request, "output", place), at::get_num_threads());
  EngineCandidate candidate;
  candidate.engine = enum_from_name<EngineChoice>(json_at<std::string>(request, "engine", place)).value();
  candidate.type = json_at<bool>(request, "bf16", place) ? at::kBFloat16 : at::kFloat;
  candidate.device = at::Device(json_at<std::string>(request, "device", place));
  candidate.in_groups = json_at<bool>(request, "in_groups", place);
  use_device(candidate.device);
  const PixelPreparation preparation{static_cast<PixelRange>(json_at<int>(request, "range", place)),
                                     static_cast<ColorOrder>(json_at<int>(request, "order", place))};
  const Embedder embedder = make_embedder(network, candidate, preparation);
  const at::Tensor found = embedder.embed(drawn_faces(kTrialFaces).to(candidate.device)).cpu().contiguous();
  const std::vector<float> numbers(found.data_ptr<float>(), found.data_ptr<float>() + found.numel());
  return {
      {"embeddings", numbers},
      {"images_per_s", measure_rate(embedder, json_at<int64_t>(request, "batch", place), candidate.device)}};
}

}  // namespace

std::string engine_name(EngineChoice engine) {
  if (engine == EngineChoice::kOpenCv) return opencv_name();
  if (engine == EngineChoice::kOpenVino) return openvino_name();
  if (engine == EngineChoice::kOnnxRuntime) return onnxruntime_name();
  return concat("LibTorch ", TORCH_VERSION);
}

Embedder make_embedder(const FaceNetwork& network, const EngineCandidate& candidate,
                       const PixelPreparation& preparation) {
  const int64_t group = candidate.in_groups ? network.fixed_batch.value_or(0) : 0;
  return {network.embedding_size, on_faces(make_engine(network, candidate), group, preparation)};
}

Int8Network int8_network(const FaceNetwork& network, bool in_groups, const PixelPreparation& preparation) {
  const int64_t group = in_groups ? network.fixed_batch.value_or(0) : 0;
  const auto exact = std::make_shared<OnnxNetwork>(network, at::kFloat, at::kCPU, at::get_num_threads());
  const OnFaces embed =
      on_faces([exact](const at::Tensor& pixels) { return exact->forward(pixels); }, group, preparation);
  return {concat(network.file.checksum, " ", network.output, " ", text_of(preparation)),
          [exact, embed](const at::Tensor& faces) {
            constexpr int64_t kFaces = 16;
            return exact->find_int8_ranges([&] {
              for (const at::Tensor& part : faces.split(kFaces)) embed(part);
            });
          },
          embed,
          [&network, group, preparation](const Int8Ranges& ranges) {
            const auto int8 = std::make_shared<OnnxNetwork>(network, at::kBFloat16, at::kCPU,
                                                            at::get_num_threads(), ranges);
            return on_faces([int8](const at::Tensor& pixels) { return int8->forward(pixels); }, group,
                            preparation);
          }};
}

EngineReference compute_reference(const FaceNetwork& network) {
  EngineReference reference{
      {network.range.value_or(PixelRange::kSigned), network.order.value_or(ColorOrder::kRgb)}, {}};
  const OnnxInterpreter interpreter(network.file.model, at::get_num_threads());
  const auto embed = [&](const at::Tensor& pixels) {
    const std::vector<Array> found = interpreter.run({{network.input, array_of(pixels)}}, {network.output});
    at::Tensor embeddings = at::empty({pixels.size(0), found[0].size() / pixels.size(0)}, at::kDouble);
    std::copy(found[0].values.begin(), found[0].values.end(), embeddings.data_ptr<double>());
    return embeddings;
  };
  try {
    reference.embeddings = in_groups(prepare_pixels(drawn_faces(kTrialFaces), reference.preparation),
                                     network.fixed_batch.value_or(kTrialFaces), embed);
  } catch (const Error& error) {
    throw error.at(network.file.path.string());
  }
  const bool usable = reference.embeddings.isfinite().all().item<bool>() &&
                      reference.embeddings.norm(2, {1}).min().item<double>() > 0;
  if (!usable)
    fail(ErrorKind::kData, network.file.path.string(),
         ": its embeddings of drawn faces are zero or not finite: its weights are broken");
  return reference;
}

double smallest_cosine(const at::Tensor& a, const at::Tensor& b) {
  return ((a * b).sum(1) / (a.norm(2, {1}) * b.norm(2, {1}))).nan_to_num(-1).min().item<double>();
}

bool EngineTrial::right() const {
  return problem.empty() && cosine >= (candidate.type == at::kFloat ? kExactCosine : kShortCosine);
}

EngineTrial try_engine(const FaceNetwork& network, const EngineCandidate& candidate,
                       const EngineReference& reference, int64_t batch, const std::string& program,
                       const fs::path& work) {
  const fs::path request = work / "request.json", answer = work / "answer.json";
  std::error_code ignored;
  fs::remove(answer, ignored);
  write_file_atomically(request,
                        json_text(request_of(network, candidate, reference.preparation, batch, answer)));
  EngineTrial trial{candidate, 0, 0, ""};
  constexpr std::chrono::seconds kLimit{120};
  const ChildResult child = run_child(program, {kEngineTrial, request.string()}, kLimit);
  if (child.exit_code != 0 || !fs::exists(answer)) {
    trial.problem = child.problem.empty() ? last_line(child.errors) : child.problem;
    if (trial.problem.empty()) trial.problem = concat("ended with code ", child.exit_code);
    return trial;
  }
  const Json json = read_json_file(answer);
  auto numbers = json_at<std::vector<float>>(json, "embeddings", answer.string());
  if (static_cast<int64_t>(numbers.size()) != reference.embeddings.numel()) {
    trial.problem = concat("gives ", numbers.size(), " numbers for two faces");
    return trial;
  }
  const at::Tensor found =
      at::from_blob(numbers.data(), reference.embeddings.sizes(), at::kFloat).to(at::kDouble);
  trial.cosine = smallest_cosine(found, reference.embeddings);
  trial.images_per_s = json_at<double>(json, "images_per_s", answer.string());
  return trial;
}

int engine_trial_main(const fs::path& request) {
  try {
    const Json asked = read_json_file(request);
    write_file_atomically(json_at<std::string>(asked, "answer", request.string()),
                          json_text(answer_to(asked)));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return static_cast<int>(ErrorKind::kData);
  }
}

}  // namespace uir
