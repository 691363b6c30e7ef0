#include "uir/pipeline/start_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <tuple>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/model/state_dict.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

// What the network will be fed with, and what the weights say that they want.
void check_convention(const fs::path& path, const Metadata& metadata) {
  std::string untold, assumed;
  for (const auto& [key, words, ours] :
       {std::tuple<const char*, const char*, std::string_view>{"color_order", "colour order", kColorOrder},
        {"normalization", "normalisation", kNormalization}}) {
    const auto theirs = metadata.find(key);
    if (theirs == metadata.end()) {
      untold += concat(untold.empty() ? "" : " and ", words);
      assumed += concat(assumed.empty() ? "" : " and ", ours);
    } else if (theirs->second != ours) {
      fail(ErrorKind::kData, path.string(), ": trained with ", key, " '", theirs->second,
           "', but images are fed as '", ours, "'");
    }
  }
  if (!untold.empty())
    log_info("weights: the file does not tell its ", untold, "; assumed: ", assumed,
             ", as InsightFace trains");
}

// "head.kernel, head.t"; of many the first, and how many there are.
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 8;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i ? ", " : "") + names[i];
  return names.size() > kShown ? concat(text, " … (", names.size(), " in all)") : text;
}

void say_left_out(const Weights& weights, const LoadedTensors& result) {
  if (!weights.left_out.empty())
    log_info("weights: left out what stands under other keys: ", listed(weights.left_out));
  if (result.left_out.empty()) return;
  const std::string names = concat("weights: left out what is not the backbone's: ", listed(result.left_out));
  if (!result.beside) return log_info(names);
  log_warning(names, "; if one of them stands between its layers, this is another network");
}

LoadedTensors load(const fs::path& path, Backbone& backbone, const NamedTensors& tensors) {
  try {
    return load_state_dict(backbone, tensors);
  } catch (const Error& error) {
    throw error.at(path.string());
  }
}

// The number that a name of digits without leading zeros is; −1 for other names.
int64_t number_of(std::string_view name) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size() && number >= 0;
  return whole && (name.size() == 1 || name[0] != '0') ? number : -1;
}

// The labels of the classes, if the data are one source whose labels are numbers; else none. Numbers stand in
// numeric order, names (of folders, which may look like numbers) in byte order.
std::vector<int64_t> labels_of_classes(const Index& index) {
  const auto labeled = std::ranges::count(index.sources(), Role::kLabeled, &SourceInfo::role);
  std::vector<int64_t> labels;
  for (int64_t i = 0; labeled == 1 && i < index.num_classes(); ++i) {
    labels.push_back(number_of(index.identity_name(i)));
    if (labels.back() < 0 || (i > 0 && labels[labels.size() - 2] >= labels.back())) return {};
  }
  return labels;
}

std::string why_not(const ClassCenters& centers, const Index& index, int64_t dim) {
  if (centers.dim != dim)
    return concat("they have ", centers.dim, " numbers, the network's embeddings ", dim);
  if (!centers.classes_fingerprint.empty()) {
    return concat("the checkpoint knows ", centers.num_classes, " identities, the data has ",
                  index.num_classes(), " and not the same ones");
  }
  return concat("there are ", centers.num_classes, " (", centers.kind, "), and the data has ",
                index.num_classes(), " identities",
                index.num_classes() > 0
                    ? concat(", the last one named ", index.identity_name(index.num_classes() - 1))
                    : "");
}

// The center of each class; none if the centers do not fit the data.
std::optional<std::vector<int64_t>> fitting_rows(const ClassCenters& centers, const Index& index,
                                                 int64_t dim) {
  if (centers.dim != dim) return std::nullopt;
  if (centers.classes_fingerprint.empty()) return rows_of_classes(index, centers.num_classes);
  if (centers.classes_fingerprint != index.classes_fingerprint()) return std::nullopt;
  std::vector<int64_t> rows(static_cast<size_t>(centers.num_classes));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return rows;
}

void take_centers(const fs::path& path, const Index& index, int64_t dim, Head& head) {
  const std::optional<ClassCenters> centers = read_class_centers(path);
  if (!centers) return log_info("init: class centers at random: the weights bring none");
  const auto rows = fitting_rows(*centers, index, dim);
  if (!rows) {
    return log_warning("init: class centers: 0 of ", centers->num_classes, " taken, all ",
                       index.num_classes(), " start at random: ", why_not(*centers, index, dim));
  }
  const at::NoGradGuard no_grad;
  const auto own = head.range();
  head.centers().copy_(centers->read(
      std::span(*rows).subspan(static_cast<size_t>(own.begin), static_cast<size_t>(own.size()))));
  log_info("init: class centers: ", rows->size(), " of ", centers->num_classes, " from ", centers->kind,
           "; optimizer state starts at zero");
  if (centers->classes_fingerprint.empty()) {
    log_info("init: class ", index.identity_name(0), " takes center ", rows->front(), ", class ",
             index.identity_name(index.num_classes() - 1), " center ", rows->back(),
             ": the labels must be those of the training that made them (else train.init.centers: false)");
  }
}

}  // namespace

Weights load_backbone(const fs::path& path, Backbone& backbone) {
  Weights weights = read_weights(path);
  load_backbone(path, weights, backbone);
  return weights;
}

void load_backbone(const fs::path& path, const Weights& weights, Backbone& backbone) {
  const LoadedTensors result = load(path, backbone, weights.tensors);
  log_info("weights: ", path.string(), " (", weights.kind, "): loaded ", result.loaded, " of ", result.of,
           " tensors of the backbone", result.prefix.empty() ? "" : concat(", behind '", result.prefix, "'"));
  if (result.without_counter > 0)
    log_info("weights: without num_batches_tracked of ", result.without_counter,
             " batch norms, which count anew");
  say_left_out(weights, result);
  if (const auto warning = weights.metadata.find(kSelectionWarning); warning != weights.metadata.end())
    log_warning(path.string(), ": ", warning->second);
  check_convention(path, weights.metadata);
}

std::optional<std::vector<int64_t>> rows_of_classes(const Index& index, int64_t num_classes) {
  std::vector<int64_t> labels = labels_of_classes(index);
  if (!labels.empty()) {
    if (labels.back() + 1 != num_classes) return std::nullopt;
    return labels;
  }
  if (index.num_classes() != num_classes) return std::nullopt;
  std::vector<int64_t> rows(static_cast<size_t>(num_classes));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return rows;
}

void start_from(const InitConfig& init, const Index& index, Backbone& backbone, Head& head) {
  const fs::path path = init.from.value;
  load_backbone(path, backbone);
  if (!init.centers) return log_info("init: class centers at random (train.init.centers is false)");
  take_centers(path, index, backbone.embedding_size(), head);
}

}  // namespace uir
