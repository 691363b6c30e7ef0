// Engines on a small network: right ones agree with the file's own arithmetic, others are found out.
#include "uir/pipeline/onnx_engines.h"

#include <fstream>

#include "support/onnx_networks.h"
#include "support/tiny_run.h"
#include "uir/pipeline/sample_faces.h"
//
#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

FaceNetwork network_in(const TempFolder& folder, std::optional<int64_t> batch = {}) {
  OnnxBuilder builder = small_recogniser(127.5F, 1 / 128.0F);
  if (batch) builder.model().inputs[0].shape[0] = builder.model().outputs[0].shape[0] = *batch;
  return open_face_network(builder.write(folder), "", 1);
}

double cosine(const at::Tensor& a, const at::Tensor& b) {
  return ((a * b).sum(1) / (a.norm(2, {1}) * b.norm(2, {1}))).min().item<double>();
}

// A program that stands for an engine: it gets the request's path as its second argument.
std::string program(const TempFolder& folder, const std::string& script) {
  const fs::path path = folder / "engine.sh";
  std::ofstream(path) << "#!/bin/sh\nanswer=$(sed 's/.*\"answer\":\"\\([^\"]*\\)\".*/\\1/' \"$2\")\n"
                      << script << '\n';
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

EngineTrial trial_of(const std::string& script) {
  const TempFolder folder;
  const FaceNetwork network = network_in(folder);
  return try_engine(network, {EngineChoice::kLibTorch}, compute_reference(network), 4,
                    program(folder, script), folder.path());
}

}  // namespace

TEST_CASE("LibTorch and OpenCV compute what the file says, whatever its batch", "[onnx]") {
  const TempFolder folder;
  for (const std::optional<int64_t> batch : {std::optional<int64_t>(), {1}, {2}, {3}}) {
    const FaceNetwork network = network_in(folder, batch);
    const EngineReference reference = compute_reference(network);
    CHECK(reference.preparation == PixelPreparation{PixelRange::kBytes, ColorOrder::kRgb});
    for (const EngineChoice engine : {EngineChoice::kLibTorch, EngineChoice::kOpenCv}) {
      const EngineCandidate candidate{engine, at::kFloat, at::kCPU, batch.has_value()};
      const Embedder embedder = make_embedder(network, candidate, reference.preparation);
      INFO(engine_name(engine) << ", batch " << batch.value_or(0));
      CHECK(cosine(embedder.embed(drawn_faces(2)).to(at::kDouble), reference.embeddings) > 0.99999);
      const at::Tensor five = embedder.embed(drawn_faces(5));
      CHECK(five.sizes() == at::IntArrayRef({5, 4}));
      CHECK(five[4].allclose(embedder.embed(drawn_faces(5).slice(0, 4))[0], 1e-4, 1e-5));
    }
  }
}

TEST_CASE("an engine that dies, hangs on to nothing, or computes something else is not right", "[onnx]") {
  CHECK_THAT(trial_of("kill -SEGV $$").problem, contains_text("signal 11"));
  CHECK_THAT(trial_of("echo first >&2; echo 'layer of an unknown kind' >&2; exit 65").problem,
             Catch::Equals("layer of an unknown kind"));
  CHECK_THAT(trial_of("exit 0").problem, contains_text("ended with code 0"));
  CHECK_THAT(trial_of("echo '{\"embeddings\": [1, 2], \"images_per_s\": 9}' >\"$answer\"").problem,
             contains_text("2 numbers"));
  const EngineTrial wrong =
      trial_of("echo '{\"embeddings\": [1, 2, 3, 4, 5, 6, 7, 8], \"images_per_s\": 9}' >\"$answer\"");
  CHECK(wrong.problem.empty());
  CHECK(wrong.images_per_s == 9);
  CHECK_FALSE(wrong.right());
  const EngineTrial none =
      trial_of("echo '{\"embeddings\": [0, 0, 0, 0, 0, 0, 0, 0], \"images_per_s\": 9}' >\"$answer\"");
  CHECK_FALSE(none.right());
}

TEST_CASE("an engine whose numbers are the file's is right", "[onnx]") {
  const TempFolder folder;
  const FaceNetwork network = network_in(folder);
  const EngineReference reference = compute_reference(network);
  std::string numbers;
  for (int64_t i = 0; i < 8; ++i)
    numbers += concat(i ? "," : "", reference.embeddings.view({-1})[i].item<float>());
  const EngineTrial trial = try_engine(
      network, {EngineChoice::kLibTorch}, reference, 4,
      program(folder, "echo '{\"embeddings\": [" + numbers + "], \"images_per_s\": 7}' >\"$answer\""),
      folder.path());
  CHECK(trial.problem.empty());
  CHECK(trial.cosine > 0.999999);
  CHECK(trial.right());
}

TEST_CASE("weights that give nothing are refused", "[onnx]") {
  const TempFolder folder;
  OnnxBuilder zero = small_recogniser();
  zero.model().tensors.clear();
  zero.constant("weights", {4, 147}, std::vector<float>(588, 0));
  const FaceNetwork network = open_face_network(zero.write(folder), "", 1);
  CHECK(fails_with(ErrorKind::kData, [&] { compute_reference(network); }));
}

TEST_CASE("pairs of one person are spread over those who have two pictures", "[onnx]") {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 1);
  const Index index = Index::open(folder / "index");
  const std::vector<int64_t> test = index.set_rows("test"), strangers = index.set_rows("strangers");
  const std::vector<int64_t> pairs = genuine_pairs(index, test, 100);
  REQUIRE(pairs.size() == 8);  // 4 people
  for (size_t i = 0; i < pairs.size(); i += 2) {
    CHECK(index.labels()[pairs[i]] == index.labels()[pairs[i + 1]]);
    CHECK(pairs[i] != pairs[i + 1]);
    if (i > 0) CHECK(index.labels()[pairs[i]] != index.labels()[pairs[i - 1]]);
  }
  CHECK(genuine_pairs(index, test, 2).size() == 4);
  CHECK(genuine_pairs(index, strangers, 10).empty());
  CHECK(faces_of_rows(index, pairs).sizes() == at::IntArrayRef({8, 112, 112, 3}));
}
