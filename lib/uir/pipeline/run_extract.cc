#include "uir/pipeline/run_extract.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "uir/base/log.h"
#include "uir/base/progress.h"
#include "uir/base/text.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/config/names.h"
#include "uir/dist/communicator.h"
#include "uir/dist/rendezvous.h"
#include "uir/embed/extractor.h"
#include "uir/formats/weights_kind.h"
#include "uir/head/best_classes.h"
#include "uir/pipeline/available_index.h"
#include "uir/pipeline/backbone_embedding.h"
#include "uir/pipeline/chosen_weights.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/int8_extraction.h"
#include "uir/pipeline/onnx_embedding.h"
#include "uir/pipeline/own_faces.h"
#include "uir/pipeline/start_weights.h"
#include "uir/pipeline/stop_request.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

class Extraction {
 public:
  Extraction(const Experiment& experiment, const World& world, std::shared_ptr<const Communicator> ranks)
      : experiment_(experiment),
        ranks_(std::move(ranks)),
        compute_(choose_compute(experiment.train, world)),
        weights_file_(chosen_weights(experiment)),
        index_(available_index(experiment, *ranks_).index) {
    if (in_int8()) check_int8(compute_.device, InferenceConv::runs_int8());
    sets_ = wanted_sets();
    is_onnx(weights_file_) ? load_onnx(weights_file_) : load_weights(weights_file_);
  }

  void run(const SubmissionRequest& request) {
    const Submission submission(experiment_.data, experiment_.submission, request);
    submission.check(sets_, experiment_.extract.mirrored);
    for (const std::string& set : sets_) extract(set);
    if (!is_first()) return;
    if (classes_) export_centers();
    if (!submission.wanted()) return;
    for (const std::string& set : sets_) {
      const EmbeddingStore store = EmbeddingStore::open(experiment_.embeddings_folder(set));
      submission.write(set, store, experiment_.run_folder() / "submissions");
    }
  }

 private:
  std::vector<std::string> wanted_sets() const {
    const std::vector<std::string>& wanted = experiment_.extract.sets;
    std::vector<std::string> sets = wanted.empty() ? index_.default_sets() : wanted;
    if (sets.empty()) {
      fail(ErrorKind::kConfig,
           "nothing to extract: the data has no test source and nothing held out; set extract.sets");
    }
    return sets;
  }

  bool in_int8() const { return experiment_.extract.precision == ExtractPrecision::kInt8; }

  static bool is_onnx(const fs::path& weights) {
    return fs::is_regular_file(weights) && looks_like_onnx(as_text(MappedFile(weights).bytes()));
  }

  void load_onnx(const fs::path& path) {
    OnnxEmbedding onnx = onnx_embedding(experiment_, path, own_faces(index_, sets_), compute_, *ranks_);
    embedder_ = std::move(onnx.embedder);
    network_ = std::move(onnx.manifest);
    weights_ = {{"file", readable(path.filename().string())}, {"checksum", onnx.checksum}};
  }

  void load_weights(const fs::path& path) {
    const std::shared_ptr<Backbone> backbone = make_backbone(experiment_.model, 0);
    const Weights weights = load_backbone(path, *backbone);
    BackboneEmbedding embedding = backbone_embedding(experiment_, backbone, weights.checksum,
                                                     own_faces(index_, sets_), *ranks_, compute_);
    embedder_ = std::move(embedding.embedder);
    network_ = std::move(embedding.manifest);
    weights_ = {{"file", readable(path.filename().string())}, {"checksum", weights.checksum}};
    if (!is_first()) return;
    if (const auto centers = read_class_centers(path)) take_centers(*centers);
  }

  void take_centers(const ClassCenters& centers) {
    check_dimension(centers);
    class_names_match_ = centers.classes_fingerprint == index_.classes_fingerprint();
    std::vector<int64_t> rows(static_cast<size_t>(centers.num_classes));
    std::iota(rows.begin(), rows.end(), int64_t{0});
    classes_.emplace(std::make_shared<Communicator>(), centers.num_classes,
                     centers.read(rows).to(compute_.device), experiment_.head);
    if (!class_names_match_) {
      log_warning(centers.classes_fingerprint.empty()
                      ? "the weights do not tell whose their classes are"
                      : "the checkpoint's classes are not the identities of this index",
                  ": best classes are numbers only");
    }
  }

  void check_dimension(const ClassCenters& centers) const {
    if (centers.dim == embedder_.dim) return;
    fail(ErrorKind::kData, "the class centers of ", centers.kind, " have ", centers.dim,
         " numbers, the network's embeddings ", embedder_.dim);
  }

  Json manifest(const std::string& set) const {
    Json manifest{{"set", set},
                  {"weights", weights_},
                  {"data", index_.fingerprint()},
                  {"color_order", network_["color_order"]},
                  {"normalization", network_["normalization"]},
                  {"embeddings", "unnormalised"},
                  {"precision", network_["precision"]},
                  {"scale", experiment_.head.scale},
                  {"batch", experiment_.extract.batch}};
    manifest.update(network_);
    return manifest;
  }

  bool is_first() const { return ranks_->rank() == 0; }

  // Rank 0 writes; the others help it to embed.
  void extract(const std::string& set) {
    const std::vector<int64_t> rows = index_.set_rows(set);
    const bool classes = experiment_.extract.classes && classes_.has_value();
    const StoreShape shape{static_cast<int64_t>(rows.size()), embedder_.dim, experiment_.extract.mirrored,
                           classes};
    const fs::path folder = experiment_.embeddings_folder(set);
    const bool current = is_first() && is_current(folder, shape, manifest(set));
    if (ranks_->sum(current ? 1 : 0) > 0) return log_info("set ", set, ": up to date, ", folder.string());
    std::optional<EmbeddingStoreWriter> writer;
    if (is_first()) writer.emplace(folder, shape, manifest(set));
    const int64_t first = ranks_->sum(writer ? writer->rows_done() : 0);
    if (first > 0) log_info("set ", set, ": continuing at image ", first);
    if (first < shape.rows) append_rows(writer ? &*writer : nullptr, set, rows, first, classes);
    if (!writer) return;
    writer->commit();
    log_info("set ", set, ": ", shape.rows, " embeddings in ", folder.string());
    if (const int64_t bad = index_.num_bad(set); bad > 0)
      log_warning("set ", set, ": ", bad,
                  " images cannot be read and have no embedding (uir-index names them)");
  }

  void append_rows(EmbeddingStoreWriter* writer, const std::string& set, const std::vector<int64_t>& rows,
                   int64_t first, bool classes) {
    Progress progress("extracting " + set, "images", static_cast<int64_t>(rows.size()) - first);
    int64_t blocks = 0;
    embed_rows(index_, rows, first, embedder_, options(), [&](const EmbeddingBlock& block) {
      if (writer) append(*writer, block, classes);
      progress.add(static_cast<int64_t>(block.rows.size()));
      constexpr int64_t kBlocksPerSync = 64;
      const bool stop = ranks_->sum(stop_requested() ? 1 : 0) > 0;
      if (writer && (++blocks % kBlocksPerSync == 0 || stop)) writer->sync();
      if (stop) fail(ErrorKind::kStopped, "stopped in set ", set, "; run again to continue");
    });
  }

  static bool is_current(const fs::path& folder, const StoreShape& shape, const Json& wanted) {
    if (!fs::exists(folder)) return false;
    try {
      const EmbeddingStore store = EmbeddingStore::open(folder);
      return store.manifest() == wanted && store.size() == shape.rows &&
             store.mirrored().has_value() == shape.mirrored && store.classes().has_value() == shape.classes;
    } catch (const Error& e) {
      log_warning(e.what(), "; extracting it again");
      return false;
    }
  }

  void append(EmbeddingStoreWriter& writer, const EmbeddingBlock& block, bool with_classes) {
    std::vector<std::string> items;
    for (const int64_t row : block.rows) {
      items.push_back(concat(index_.item(row), '\t', index_.labels()[static_cast<size_t>(row)]));
    }
    const at::Tensor embeddings = block.embeddings.contiguous();
    const at::Tensor mirrored = block.mirrored.defined() ? block.mirrored.contiguous() : at::Tensor();
    at::Tensor classes;
    if (with_classes)
      classes = best_classes(*classes_, embeddings.to(compute_.device)).to(at::kCPU).contiguous();
    writer.append({embeddings.data_ptr<float>(), embeddings.size(0), embeddings.size(1)},
                  mirrored.defined() ? mirrored.data_ptr<float>() : nullptr,
                  classes.defined() ? classes.data_ptr<float>() : nullptr, items);
  }

  void export_centers() {
    const at::Tensor centers = classes_->centers_nD.to(at::kCPU).contiguous();
    const StoreShape shape{centers.size(0), centers.size(1), false, false};
    const fs::path folder = experiment_.embeddings_folder(kClassCentersSet);
    if (is_current(folder, shape, manifest(kClassCentersSet))) return;
    std::vector<std::string> items;
    for (int64_t c = 0; c < shape.rows; ++c) {
      items.push_back(class_names_match_ ? concat(index_.identity_name(c), '\t', c)
                                         : concat("class ", c, '\t', c));
    }
    EmbeddingStoreWriter writer(folder, shape, manifest(kClassCentersSet));
    if (writer.rows_done() == 0) {  // else: complete, but interrupted before it was published
      writer.append({centers.data_ptr<float>(), shape.rows, shape.dim}, nullptr, nullptr, items);
    }
    writer.commit();
    log_info("set ", kClassCentersSet, ": ", shape.rows, " class centers in ", folder.string());
  }

  ExtractOptions options() const {
    return {experiment_.extract.batch, experiment_.extract.mirrored, compute_.pixel_type,
            compute_.device,           experiment_.data.loader,      ranks_};
  }

  const Experiment& experiment_;
  const std::shared_ptr<const Communicator> ranks_;
  Compute compute_;
  const fs::path weights_file_;
  const Index index_;
  std::vector<std::string> sets_;
  Embedder embedder_;
  Json network_;                        // what manifests say of it
  std::optional<CenterShard> classes_;  // rank 0's, all of them; none: the weights bring no class centers
  bool class_names_match_ = false;
  Json weights_;
};

}  // namespace

void run_extract(const Experiment& experiment, const SubmissionRequest& submission) {
  watch_stop_signals();
  const World world = world_from_environment();
  const std::shared_ptr<const Communicator> ranks = connect(world, timeouts_of(experiment.train.ranks));
  run_as_rank(*ranks, [&] { Extraction(experiment, world, ranks).run(submission); });
}

}  // namespace uir
