#include "uir/pipeline/int8_extraction.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/embed/extractor.h"

namespace uir {
namespace {

constexpr int64_t kFaces = 128, kVersion = 1;

using Embed = std::function<at::Tensor(const at::Tensor&)>;

// None if the file answers another question, or is damaged.
std::optional<Int8Ranges> read_ranges(const fs::path& path, const Json& question) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Json json = read_json_file(path);
    if (json.value("question", Json()) != question) return std::nullopt;
    return json_at<Int8Ranges>(json, "ranges", path.string());
  } catch (const Error& error) {
    log_warning(error.what(), "; finding the ranges anew");
    return std::nullopt;
  }
}

at::Tensor faces_for_ranges(const OwnFaces& faces) {
  at::Tensor chosen = faces.spread(kFaces);
  if (chosen.size(0) == 0)
    fail(ErrorKind::kConfig,
         "extract.precision: int8 finds its ranges on the first faces to embed, and there are none; use "
         "train");
  return chosen;
}

at::Tensor embedded(const Embed& embed, const at::Tensor& faces, int64_t batch) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : faces.split(batch)) parts.push_back(embed(part).to(at::kDouble));
  return at::cat(parts);
}

// a, b: [faces, D]. A mean below kInt8Cosine is an error.
void check_embeddings(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor cosines = at::cosine_similarity(a, b).nan_to_num(-1);
  const double mean = cosines.mean().item<double>();
  char text[96];
  std::snprintf(text, sizeof(text), "cosine to float32 of %lld faces: mean %.4f, smallest %.4f",
                static_cast<long long>(a.size(0)), mean, cosines.min().item<double>());
  if (!(mean >= kInt8Cosine))
    fail(ErrorKind::kData, "extract.precision: int8 computes other embeddings: ", text, ", and ", kInt8Cosine,
         " is the least mean; use train");
  log_info("int8: ", text);
}

Int8Ranges find_ranges(const Experiment& experiment, const Int8Network& network, const at::Tensor& faces) {
  log_info("int8: finding the ranges on ", faces.size(0), " faces …");
  const Int8Ranges ranges = network.find_ranges(faces);
  if (ranges.empty())
    fail(ErrorKind::kConfig,
         "extract.precision: int8, but no convolution of this network can be computed so; use train");
  const int64_t batch = experiment.extract.batch;
  check_embeddings(embedded(network.embed_in_float32, faces, batch),
                   embedded(network.in_int8(ranges), faces, batch));
  return ranges;
}

}  // namespace

void check_int8(at::Device device, bool runs) {
  if (!device.is_cpu())
    fail(ErrorKind::kConfig,
         "extract.precision: int8 is computed on CPUs; set train.device: cpu, or use train");
  if (!runs)
    fail(ErrorKind::kConfig,
         "extract.precision: int8 needs a processor with AVX-512 VNNI (avx512_vnni); use train");
}

Int8Network int8_network(const std::shared_ptr<Backbone>& backbone, const std::string& identity) {
  return {identity,
          [backbone](const at::Tensor& faces) {
            backbone->eval();
            return backbone->find_int8_ranges(normalize_pixels(faces, at::kFloat));
          },
          embedder_of(backbone, at::kFloat).embed,
          [backbone](const Int8Ranges& ranges) {
            backbone->infer_in_int8(ranges);
            return embedder_of(backbone, at::kBFloat16).embed;
          }};
}

Int8Embedding int8_embedding(const Experiment& experiment, const Int8Network& network, const OwnFaces& faces,
                             const Communicator& ranks) {
  const at::NoGradGuard no_grad;
  const fs::path path = experiment.run_folder() / "int8.json";
  const Json question{{"version", kVersion}, {"network", network.identity}};
  std::optional<Int8Ranges> ranges = read_ranges(path, question);
  if (ranks.sum(ranges ? 0 : 1) > 0) {
    if (ranks.rank() == 0) {
      const Int8Ranges found = find_ranges(experiment, network, faces_for_ranges(faces));
      create_folders(experiment.run_folder());
      write_file_atomically(path, json_text({{"question", question}, {"ranges", found}}, 1) + "\n");
    }
    ranks.sum(0);
    ranges = read_ranges(path, question);
    if (!ranges) fail(ErrorKind::kIo, path.string(), ": the first rank's ranges cannot be read here");
  } else {
    log_info("int8: ranges of ", path.string());
  }
  const std::string text = json_text(Json(*ranges));
  return {network.in_int8(*ranges), {{"precision", "int8"}, {"int8_ranges", checksum_hex(as_bytes(text))}}};
}

}  // namespace uir
