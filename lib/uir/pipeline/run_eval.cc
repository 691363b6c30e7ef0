#include "uir/pipeline/run_eval.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/dist/rendezvous.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/ijb_verification.h"
#include "uir/eval/items.h"
#include "uir/eval/megaface.h"
#include "uir/eval/open_set.h"
#include "uir/eval/rejection.h"
#include "uir/eval/separation.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/eval/verification.h"
#include "uir/eval/video_retrieval.h"
#include "uir/eval/video_verification.h"
#include "uir/pipeline/embedding_sets.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/sets.h"
#include "uir/pipeline/stop_request.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"

namespace uir {
namespace {

// How long ranks wait for each other's slices, which may be of unequal speed.
constexpr std::chrono::hours kLongestScan{48};

// Measures one model by the experiment's protocols. A protocol gives one result, or several (one per variant).
class Evaluation {
 public:
  // device: what searches through pairs run on; null: the processor.
  Evaluation(const Experiment& experiment, const EvalModel& model, const Communicator& ranks,
             const BlockFilter* device)
      : experiment_(experiment),
        model_(model),
        ranks_(ranks),
        device_(device),
        threads_(resolve_threads(static_cast<int>(experiment.eval.threads))),
        sets_(model, threads_) {}

  // So that what is missing or broken is found before anything is measured.
  void check_sets() {
    for (const ProtocolConfig& protocol : experiment_.eval.protocols) {
      try {
        for (const std::string& set :
             std::visit([](const auto& kind) { return sets_of(kind); }, protocol.kind))
          sets_.check(set);
      } catch (const Error& e) {
        throw e.at("protocol " + protocol.name);
      }
    }
  }

  ModelReport run() {
    ModelReport report{model_.name, {}, {}};
    for (const ProtocolConfig& protocol : experiment_.eval.protocols) {
      if (stop_requested()) fail(ErrorKind::kStopped, "stopped on request before protocol ", protocol.name);
      try {
        std::visit([&](const auto& kind) { append(report, measure(protocol.name, kind)); }, protocol.kind);
      } catch (const Error& e) {
        throw e.at("protocol " + protocol.name);
      }
    }
    report.sets = sets_.provenance();
    return report;
  }
  // Files to continue from after an interruption; no longer needed once the report is written.
  const std::vector<fs::path>& states() const { return states_; }

 private:
  // What a protocol reads.
  template <class Protocol>
  static std::vector<std::string> sets_of(const Protocol& protocol) {
    return {protocol.set};
  }
  static std::vector<std::string> sets_of(const SeparationProtocol&) {
    return {std::string(kClassCentersSet)};
  }
  static std::vector<std::string> sets_of(const MegaFaceProtocol& protocol) {
    return {protocol.probes, protocol.distractors};
  }
  static std::vector<std::string> sets_of(const RejectionProtocol& protocol) {
    std::vector<std::string> sets = protocol.known;
    sets.insert(sets.end(), protocol.strangers.begin(), protocol.strangers.end());
    return sets;
  }
  static std::vector<std::string> sets_of(const VideoRetrievalProtocol& protocol) {
    if (!protocol.submission_in.empty()) return {};
    if (protocol.gallery_set.empty()) return {protocol.set};
    return {protocol.set, protocol.gallery_set};
  }

  static void append(ModelReport& report, ProtocolResult result) {
    report.results.push_back(std::move(result));
  }
  static void append(ModelReport& report, std::vector<ProtocolResult> results) {
    for (ProtocolResult& result : results) report.results.push_back(std::move(result));
  }

  ProtocolResult measure(const std::string& name, const VerificationProtocol& protocol) {
    const PairList pairs = protocol_pairs(experiment_, protocol, sets_.store(protocol.set).items());
    return with_flip_test(
        run_verification(name, sets_.canonical(protocol.set, protocol.flip), pairs, threads_),
        sets_.store(protocol.set, protocol.flip));
  }

  ProtocolResult measure(const std::string& name, const AllPairsProtocol& protocol) {
    const EmbeddingStore set = sets_.store(protocol.set, protocol.flip);
    return with_flip_test(run_all_pairs(name, sets_.canonical(protocol.set, protocol.flip), set.labels(),
                                        protocol.far, threads_),
                          set);
  }

  ProtocolResult measure(const std::string& name, const OpenSetProtocol& protocol) {
    const EmbeddingStore set = sets_.store(protocol.set, protocol.flip);
    const OpenSetLists lists =
        protocol.gallery.empty()
            ? open_set_by_rule(set.labels())
            : read_open_set_lists(protocol.gallery.value, protocol.probe.value, set.items());
    return with_flip_test(
        run_open_set(name, sets_.canonical(protocol.set, protocol.flip), lists, protocol.far, threads_), set);
  }

  ProtocolResult measure(const std::string& name, const SeparationProtocol&) {
    return run_separation(name, sets_.store(kClassCentersSet).embeddings(), threads_);
  }

  ProtocolResult measure(const std::string& name, const RejectionProtocol& protocol) {
    const ProtocolResult result =
        run_rejection(name, sets_.classified(protocol.known), sets_.classified(protocol.strangers), protocol);
    if (writes()) write_threshold(file_of_model(name, ".threshold.json"), result);
    return result;
  }

  ProtocolResult measure(const std::string& name, const MegaFaceProtocol& protocol) {
    // Either both sets with the flip test or none.
    const bool flip = protocol.flip && sets_.store(protocol.probes).mirrored() &&
                      sets_.store(protocol.distractors).mirrored();
    const EmbeddingStore probes = sets_.store(protocol.probes, flip);
    return with_flip_test(
        run_megaface(name, probes, sets_.store(protocol.distractors, flip), protocol, scan_resources()),
        probes);
  }

  ProtocolResult measure(const std::string& name, const VideoVerificationProtocol& protocol) {
    const EmbeddingStore& set = sets_.store(protocol.set);
    const VideoFrames videos = videos_of(set);
    const std::vector<int64_t> labels = protocol.labels.empty()
                                            ? labels_of_videos(set.labels(), videos)
                                            : read_video_labels(protocol.labels.value, videos);
    const CanonicalVectors vectors = vectors_of(set, videos, protocol.frames);
    return run_video_verification(name, vectors, videos, labels, protocol.frames, protocol.fpr, threads_);
  }

  ProtocolResult measure(const std::string& name, const VideoRetrievalProtocol& protocol) {
    const std::vector<IdentityVideos> truth = protocol.ground_truth.empty()
                                                  ? std::vector<IdentityVideos>()
                                                  : read_ground_truth(protocol.ground_truth.value);
    if (!protocol.submission_in.empty())
      return measure_submission(name, read_submission(protocol.submission_in.value), truth, protocol);
    std::string vectors;
    const std::vector<IdentityVideos> submission = ranked_videos(protocol, truth, vectors);
    const fs::path file = protocol.submission.empty() ? file_of_model(name, ".submission.txt")
                                                      : file_of_model(protocol.submission, "");
    if (writes()) write_file_atomically(file, submission_text(submission));
    if (writes()) log_info("submission: ", file.string());
    return measure_submission(name, submission, truth, protocol, vectors);
  }

  // Both name the set in errors.
  static VideoFrames videos_of(const EmbeddingStore& set) {
    try {
      return VideoFrames(set.items());
    } catch (const Error& e) {
      throw e.at(set.folder().string());
    }
  }
  CanonicalVectors vectors_of(const EmbeddingStore& set, const VideoFrames& videos,
                              const FrameAggregation& config) const {
    const FrameFeatures features = frame_features(set, config);
    try {
      return video_vectors(features, videos, threads_);
    } catch (const Error& e) {
      throw e.at(set.folder().string());
    }
  }

  // With how the videos' vectors were made, in words.
  std::vector<IdentityVideos> ranked_videos(const VideoRetrievalProtocol& protocol,
                                            const std::vector<IdentityVideos>& truth, std::string& words) {
    const std::vector<IdentityVideos> gallery = read_gallery(protocol.gallery.value);
    const EmbeddingStore& store = sets_.store(protocol.set);
    const VideoFrames videos = videos_of(store);
    const int64_t missing = check_ground_truth(truth, gallery, videos, protocol);
    words = describe_vectors(protocol.frames, videos);
    if (missing > 0) {
      words += concat("; ", missing,
                      " videos of the ground truth are not in the set (allow_missing) and are never found");
    }
    const CanonicalVectors vectors = vectors_of(store, videos, protocol.frames);
    const VideoSet set{videos, vectors};
    const std::span<const IdentityVideos> spelling = truth.empty() ? gallery : truth;
    if (protocol.gallery_set.empty() || protocol.gallery_set == protocol.set)
      return rank_videos(set, set, gallery, protocol, spelling, scan_resources());
    const EmbeddingStore& gallery_store = sets_.store(protocol.gallery_set);
    const VideoFrames gallery_videos = videos_of(gallery_store);
    const std::string gallery_words = describe_vectors(protocol.frames, gallery_videos);
    if (gallery_words != words) words += "; of the gallery's videos: " + gallery_words;
    const CanonicalVectors gallery_vectors = vectors_of(gallery_store, gallery_videos, protocol.frames);
    return rank_videos(set, {gallery_videos, gallery_vectors}, gallery, protocol, spelling, scan_resources());
  }

  std::vector<ProtocolResult> measure(const std::string& name, const IjbVerificationProtocol& protocol) {
    return run_ijb_verification(name, sets_.store(protocol.set), protocol, threads_);
  }

  std::vector<ProtocolResult> measure(const std::string& name, const IjbIdentificationProtocol& protocol) {
    return run_ijb_identification(name, sets_.store(protocol.set), protocol, threads_);
  }

  ProtocolResult measure(const std::string& name, const TrillionPairsProtocol& protocol) {
    const EmbeddingStore set = sets_.store(protocol.set, protocol.flip);
    std::vector<int64_t> labels(set.labels().begin(), set.labels().end());
    if (!protocol.labels.empty()) labels = read_item_labels(protocol.labels.value, set.items());
    const TrillionPairsRun run{scan_resources(),
                               file_of_model(name, ranks_.size() > 1 ? concat(".rank", ranks_.rank()) : ""),
                               stop_requested,
                               {ranks_.rank(), ranks_.size()},
                               [this](const std::string& mine) { return all_gather_bytes(ranks_, mine); }};
    for (const fs::path& file : trillion_pairs_states(run.state)) states_.push_back(file);
    return with_flip_test(run_trillion_pairs(name, UnitRows(set), labels, protocol, run), set);
  }

  static ProtocolResult with_flip_test(ProtocolResult result, const EmbeddingStore& set) {
    result.description += " " + describe_flip_test(set);
    return result;
  }

  ScanResources scan_resources() const {
    return {.threads = threads_, .memory = experiment_.eval.memory_mb << 20, .device = device_};
  }

  // All ranks measure the same; the first one writes.
  bool writes() const { return ranks_.rank() == 0; }

  // <run>/report/<protocol><ending>, with the model's name in front when the experiment names models.
  fs::path file_of_model(const std::string& protocol, std::string_view ending) const {
    const bool named = !experiment_.eval.models.empty();
    return experiment_.report_folder() / concat(named ? model_.name + "." : "", protocol, ending);
  }

  const Experiment& experiment_;
  const EvalModel& model_;
  const Communicator& ranks_;
  const BlockFilter* device_;
  const int threads_;
  EmbeddingSets sets_;
  std::vector<fs::path> states_;
};

// Whether the experiment holds a protocol that saves its state when it is asked to stop.
bool can_stop(const Experiment& experiment) {
  return std::ranges::any_of(experiment.eval.protocols, [](const ProtocolConfig& protocol) {
    return std::holds_alternative<TrillionPairsProtocol>(protocol.kind);
  });
}

bool searches_pairs(const Experiment& experiment) {
  return std::ranges::any_of(experiment.eval.protocols, [](const ProtocolConfig& protocol) {
    return std::holds_alternative<TrillionPairsProtocol>(protocol.kind) ||
           std::holds_alternative<MegaFaceProtocol>(protocol.kind) ||
           std::holds_alternative<VideoRetrievalProtocol>(protocol.kind);
  });
}

// The models that the experiment names, else its own run.
std::vector<EvalModel> models_of(const Experiment& experiment) {
  if (!experiment.eval.models.empty()) return experiment.eval.models;
  return {{experiment.run_folder().filename().string(), {experiment.run_folder().string()}, {}}};
}

std::string evaluate(const Experiment& experiment, const Communicator& ranks, const BlockFilter* device) {
  Report report;
  std::vector<fs::path> states;
  const std::vector<EvalModel> models = models_of(experiment);
  std::vector<std::unique_ptr<Evaluation>> evaluations;
  const auto naming = [&](const EvalModel& model, const auto& action) {
    try {
      action();
    } catch (const Error& e) {
      if (experiment.eval.models.empty()) throw;
      throw e.at("model " + model.name);
    }
  };
  for (const EvalModel& model : models) {
    evaluations.push_back(std::make_unique<Evaluation>(experiment, model, ranks, device));
    naming(model, [&] { evaluations.back()->check_sets(); });
  }
  for (size_t m = 0; m < models.size(); ++m) {
    naming(models[m], [&] { report.models.push_back(evaluations[m]->run()); });
    states.insert(states.end(), evaluations[m]->states().begin(), evaluations[m]->states().end());
    evaluations[m].reset();  // frees its vectors
  }
  if (ranks.rank() == 0) {
    write_report(experiment.report_folder(), report);
    log_info("report: ", (experiment.report_folder() / "report.html").string(),
             " for people (also report.txt), report.json for programs");
  }
  std::error_code ignored;
  for (const fs::path& state : states) fs::remove(state, ignored);
  return ranks.rank() == 0 ? to_text(report) : "";
}

}  // namespace

std::string run_eval(const Experiment& experiment) {
  if (experiment.eval.protocols.empty()) {
    fail(ErrorKind::kConfig, "eval.protocols: nothing to evaluate; name at least one protocol");
  }
  if (can_stop(experiment)) watch_stop_signals();
  const World world = world_from_environment();
  const std::shared_ptr<const Communicator> ranks = connect(world, {.collective = kLongestScan});
  std::string text;
  run_as_rank(*ranks, [&] {
    text = evaluate(experiment, *ranks,
                    (searches_pairs(experiment) ? device_filter(experiment.eval, world) : nullptr).get());
  });
  return text;
}

}  // namespace uir
