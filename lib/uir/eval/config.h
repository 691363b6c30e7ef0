// Config of the evaluation: a list of protocols over embedding sets. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

// The lists of pairs that benchmarks publish; docs/formats.md has an example of each.
enum class PairsFormat { kLfw, kCalfw, kCfpFp, kCfpFf, kPathPairs };
template <>
struct EnumNames<PairsFormat> {
  static constexpr std::array<EnumName<PairsFormat>, 5> value{{{PairsFormat::kLfw, "lfw"},
                                                               {PairsFormat::kCalfw, "calfw"},
                                                               {PairsFormat::kCfpFp, "cfp_fp"},
                                                               {PairsFormat::kCfpFf, "cfp_ff"},
                                                               {PairsFormat::kPathPairs, "path_pairs"}}};
};

inline constexpr std::string_view kFlipTest =
    "Flip test: add the mirror image's embedding where the set holds it; the report says whether it did.";

// Accuracy over ten folds, VAL@FAR, AUC, EER, TAR@FAR of given pairs.
struct VerificationProtocol {
  static constexpr std::string_view kType = "verification";
  std::string set;
  DataPath pairs;
  PairsFormat format = PairsFormat::kLfw;
  DataPath bin;
  int64_t num_pairs = 0;
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, VerificationProtocol& c) {
  v.field("set", c.set, "The embedding set (source name).", Required{});
  v.field("pairs", c.pairs,
          "List of pairs (cfp_…: the folder Protocol); empty for a .bin source, which brings its own.");
  v.field("format", c.format,
          "What the list holds, never guessed (docs/formats.md): LFW's pairs.txt; the lists of CALFW and "
          "CPLFW; CFP's "
          "folder, frontal with profile or frontal with frontal; lines 'path path 0|1'.");
  v.field("bin", c.bin,
          "Instead of a list: the .bin whose pairs count, for a set that holds its images in its order.");
  v.field("num_pairs", c.num_pairs,
          "Pairs that there must be (LFW, AgeDB-30, CALFW, CPLFW: 6000; CFP: 7000); 0: not checked.",
          AtLeast{0});
  v.field("flip", c.flip, kFlipTest);
}

// AUC and TAR@FAR over all pairs of a labeled test set.
struct AllPairsProtocol {
  static constexpr std::string_view kType = "all_pairs";
  std::string set;
  std::vector<double> far{1e-4, 1e-3, 1e-2};
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, AllPairsProtocol& c) {
  v.field("set", c.set, "The embedding set, with identities.", Required{});
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
}

// DIR@FAR. Without lists: the first image of every identity with two or more is the gallery, its other images are
// the mated probes, images of identities with a single image the non-mated ones.
struct OpenSetProtocol {
  static constexpr std::string_view kType = "open_set";
  std::string set;
  DataPath gallery;
  DataPath probe;
  std::vector<double> far{1e-2, 1e-3};
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, OpenSetProtocol& c) {
  v.field("set", c.set, "The embedding set.", Required{});
  v.field("gallery", c.gallery, "List of gallery images (path row identity); empty: see above.");
  v.field("probe", c.probe, "List of probe images (path row identity).");
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
}

// How far the class centers of a checkpoint stand apart.
struct SeparationProtocol {
  static constexpr std::string_view kType = "separation";
};
template <class Visitor>
void describe(Visitor&, SeparationProtocol&) {}

// Out-of-library rejection: highest class probability of strangers, at thresholds that keep known people.
struct RejectionProtocol {
  static constexpr std::string_view kType = "rejection";
  std::vector<std::string> known;
  std::vector<std::string> strangers;
  std::vector<double> keep{0.99, 0.95, 0.90};
  double false_acceptance = 0.01;
};
template <class Visitor>
void describe(Visitor& v, RejectionProtocol& c) {
  v.field("known", c.known, "Sets of held-out images of training identities (<source>.held_out).", Required{},
          Distinct{});
  v.field("strangers", c.strangers, "Sets of people who are in no class.", Required{}, Distinct{});
  v.field("keep", c.keep, "Shares of known faces that the thresholds keep.", Between{0, 1}, Distinct{});
  v.field("false_acceptance", c.false_acceptance, "Share of strangers that the saved threshold lets through.",
          Between{0, 1});
}

// Where the identity of a probe stands: its label, or everything before the last slash of its item.
enum class IdentityOf { kLabel, kFolder };
template <>
struct EnumNames<IdentityOf> {
  static constexpr std::array<EnumName<IdentityOf>, 2> value{
      {{IdentityOf::kLabel, "label"}, {IdentityOf::kFolder, "folder"}}};
};

// What becomes of noisy probes: nothing, or each is replaced by the mean of its identity's other images.
enum class NoisyProbes { kLeftOut, kCenter };
template <>
struct EnumNames<NoisyProbes> {
  static constexpr std::array<EnumName<NoisyProbes>, 2> value{
      {{NoisyProbes::kLeftOut, "left_out"}, {NoisyProbes::kCenter, "center"}}};
};

// MegaFace challenge 1: probes of known people among up to a million distractors.
struct MegaFaceProtocol {
  static constexpr std::string_view kType = "megaface";
  std::string probes;
  std::string distractors;
  IdentityOf identity = IdentityOf::kLabel;
  DataPath probe_noises;
  NoisyProbes noisy_probes = NoisyProbes::kLeftOut;
  DataPath distractor_noises;
  std::vector<double> far{1e-6};
  std::vector<int64_t> ranks{1, 10};
  std::vector<int64_t> distractor_counts;
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, MegaFaceProtocol& c) {
  v.field("probes", c.probes, "The set of probes (FaceScrub), with identities.", Required{});
  v.field("distractors", c.distractors, "The set of distractors (MegaFace), in the list's order.",
          Required{});
  v.field("identity", c.identity, "What tells the probes' identities: their labels, or their folders.");
  v.field("probe_noises", c.probe_noises, "List of wrongly labeled probes (facescrub_noises.txt).");
  v.field("noisy_probes", c.noisy_probes,
          "What becomes of them: left out, or replaced by the mean of their identity, as most published "
          "numbers do.");
  v.field("distractor_noises", c.distractor_noises,
          "List of distractors to leave out (megaface_noises.txt).");
  v.field("far", c.far, "False-acceptance rates.", Between{0, 1}, Distinct{});
  v.field("ranks", c.ranks, "Ranks.", AtLeast{1}, Distinct{});
  v.field("distractor_counts", c.distractor_counts,
          "Sizes of the gallery: the first so many rows of the distractors; empty: 10, 100, 1000 … and all.",
          AtLeast{1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
}

// How the frames of a video become one vector (eval/video.h).
enum class Aggregation { kMean, kNormWeighted, kQualityWeighted };
template <>
struct EnumNames<Aggregation> {
  static constexpr std::array<EnumName<Aggregation>, 3> value{
      {{Aggregation::kMean, "mean"},
       {Aggregation::kNormWeighted, "norm_weighted"},
       {Aggregation::kQualityWeighted, "quality_weighted"}}};
};

// Part of every protocol over videos; its fields stand among the protocol's own.
struct FrameAggregation {
  Aggregation aggregation = Aggregation::kMean;
  DataPath quality;
  bool flip = false;
};
template <class Visitor>
void describe(Visitor& v, FrameAggregation& c) {
  v.field(
      "aggregation", c.aggregation,
      "How frames are weighted: mean (alike), norm_weighted (by the embedding's length), quality_weighted.");
  v.field("quality", c.quality, "List 'item<TAB>quality' of every frame, for quality_weighted.");
  v.field("flip", c.flip, "Add the mirror image's embedding to each frame's; the LFR challenge does not.");
}

// TPR@FPR over all pairs of videos (LFR video track).
struct VideoVerificationProtocol {
  static constexpr std::string_view kType = "video_verification";
  std::string set;
  FrameAggregation frames;
  DataPath labels;
  std::vector<double> fpr{1e-4};
};
template <class Visitor>
void describe(Visitor& v, VideoVerificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are 'video/frame', or videos with one embedding each.",
          Required{});
  describe(v, c.frames);
  v.field("labels", c.labels,
          "List 'video label'; empty: the labels of the set, equal in all frames of a video.");
  v.field("fpr", c.fpr, "False-positive rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
}

// mAP@100 of the iQIYI-VID challenges: videos ranked for each identity.
struct VideoRetrievalProtocol {
  static constexpr std::string_view kType = "video_retrieval";
  std::string set;
  std::string gallery_set;
  DataPath gallery;
  DataPath ground_truth;
  FrameAggregation frames;
  int64_t top = 100;
  bool allow_missing = false;
  std::string submission;
  ConfigPath submission_in;
};
template <class Visitor>
void describe(Visitor& v, VideoRetrievalProtocol& c) {
  v.field("set", c.set, "The embedding set whose videos are ranked; items as in video_verification.");
  v.field("gallery_set", c.gallery_set, "The set that holds the gallery's videos; empty: the same set.");
  v.field("gallery", c.gallery, "Videos of the identities (train.txt, train_gt.txt): lines 'name label'.");
  v.field("ground_truth", c.ground_truth,
          "What is to be found (val.txt, val_gt.txt): lines 'label name name ...'; empty: only write the "
          "submission.");
  describe(v, c.frames);
  v.field("top", c.top, "Longest list of an identity.", AtLeast{1});
  v.field("allow_missing", c.allow_missing,
          "Videos of the lists that the set lacks are never found, instead of being an error.");
  v.field("submission", c.submission,
          "Name of the submission file in the report folder; empty: the model's and the protocol's name with "
          ".submission.txt.");
  v.field("submission_in", c.submission_in,
          "Measure this submission file against the ground truth instead of a set.");
}

enum class IjbBenchmark { kIjbb, kIjbc };
template <>
struct EnumNames<IjbBenchmark> {
  static constexpr std::array<EnumName<IjbBenchmark>, 2> value{
      {{IjbBenchmark::kIjbb, "ijbb"}, {IjbBenchmark::kIjbc, "ijbc"}}};
};

// What an image's embedding goes through before it joins its template.
enum class TemplateProperty { kFlip, kNoFlip, kNormKept, kNormRemoved, kScore, kNoScore };
template <>
struct EnumNames<TemplateProperty> {
  static constexpr std::array<EnumName<TemplateProperty>, 6> value{
      {{TemplateProperty::kFlip, "flip"},
       {TemplateProperty::kNoFlip, "no_flip"},
       {TemplateProperty::kNormKept, "norm_kept"},
       {TemplateProperty::kNormRemoved, "norm_removed"},
       {TemplateProperty::kScore, "score"},
       {TemplateProperty::kNoScore, "no_score"}}};
};

// IJB-B and IJB-C 1:1, one result per variant of the templates.
struct IjbVerificationProtocol {
  static constexpr std::string_view kType = "ijb_verification";
  std::string set;
  IjbBenchmark benchmark = IjbBenchmark::kIjbc;
  DataPath meta;
  std::vector<double> far{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
  std::vector<TemplateProperty> variants;
};
template <class Visitor>
void describe(Visitor& v, IjbVerificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are the benchmark's image names.", Required{});
  v.field("benchmark", c.benchmark, "Which benchmark: the beginning of its files' names.", Required{});
  v.field("meta", c.meta, "Folder of the benchmark's lists, such as ijbc_face_tid_mid.txt.", Required{});
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("variants", c.variants,
          "Only the variants that have all of these properties, as [flip, norm_kept, score]; empty: all.",
          Distinct{});
}

// IJB-B and IJB-C 1:N, open set and the pooled form of older tables.
struct IjbIdentificationProtocol {
  static constexpr std::string_view kType = "ijb_identification";
  std::string set;
  IjbBenchmark benchmark = IjbBenchmark::kIjbc;
  DataPath meta;
  std::vector<double> fpir{1e-4, 1e-3, 1e-2, 1e-1, 1};
  bool flip = true;
  bool keep_norm = true;
  bool detector_score = true;
};
template <class Visitor>
void describe(Visitor& v, IjbIdentificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are the benchmark's image names.", Required{});
  v.field("benchmark", c.benchmark, "Which benchmark: the beginning of its files' names.", Required{});
  v.field("meta", c.meta, "Folder of the benchmark's lists, such as ijbc_face_tid_mid.txt.", Required{});
  v.field("fpir", c.fpir, "False-positive identification rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, "Add the embedding of the mirror image; the set must hold it.");
  v.field("keep_norm", c.keep_norm,
          "Keep the norms of embeddings, so that they weight the images of a template.");
  v.field("detector_score", c.detector_score, "Multiply embeddings by the detector score.");
}

// TPR at a very low FPR over all pairs of a labeled gallery and unlabeled distractors, exact with ties.
enum class Impostors { kGalleryXDistractors, kAll };
template <>
struct EnumNames<Impostors> {
  static constexpr std::array<EnumName<Impostors>, 2> value{
      {{Impostors::kGalleryXDistractors, "gallery_x_distractors"}, {Impostors::kAll, "all"}}};
};
struct TrillionPairsProtocol {
  static constexpr std::string_view kType = "trillion_pairs";
  std::string set;
  Impostors impostors = Impostors::kGalleryXDistractors;
  std::vector<double> fpr{1e-9};
  std::vector<double> identification_fpr{1e-3};
  DataPath labels;
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, TrillionPairsProtocol& c) {
  v.field("set", c.set, "The embedding set: labeled rows are the gallery, rows labeled -1 the distractors.",
          Required{});
  v.field("impostors", c.impostors,
          "Which pairs are impostors: every gallery image with every distractor, or also all pairs of two "
          "identities in the gallery (LFR image track).");
  v.field("fpr", c.fpr, "False-positive rates of verification.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("identification_fpr", c.identification_fpr,
          "False-positive rates of identification; empty: none is measured.", GreaterThan{0}, Between{0, 1},
          Distinct{});
  v.field(
      "labels", c.labels,
      "List 'image label' of the gallery, images without a line are distractors; empty: the labels of the "
      "set.");
  v.field("flip", c.flip, kFlipTest);
}

struct ProtocolConfig {
  std::string name;
  std::variant<VerificationProtocol, AllPairsProtocol, OpenSetProtocol, SeparationProtocol, RejectionProtocol,
               MegaFaceProtocol, TrillionPairsProtocol, VideoVerificationProtocol, VideoRetrievalProtocol,
               IjbVerificationProtocol, IjbIdentificationProtocol>
      kind;
};
template <class Visitor>
void describe(Visitor& v, ProtocolConfig& c) {
  v.field("name", c.name, "Name in reports.", Required{});
  v.variant("type", c.kind, "What is measured.");
}

// One embedding set of a model in files of any tool (EmbeddingFiles, store/embedding_store.h).
struct SetFiles {
  std::string set;
  ConfigPath features;
  ConfigPath mirrored;
  ConfigPath items;
  ConfigPath labels;
  std::string suffix;
};
template <class Visitor>
void describe(Visitor& v, SetFiles& c) {
  v.field("set", c.set, "Name of the set, as protocols call it.", Required{});
  v.field("features", c.features,
          "Embeddings: float32 .npy, the challenges' .bin, or a folder with one .bin per image (MegaFace).",
          Required{});
  v.field("mirrored", c.mirrored, "The same of the mirror images.");
  v.field("items", c.items,
          "List with one line per row, whose text before the first tab or space names the image; empty: row "
          "numbers.");
  v.field("labels", c.labels, "One integer per row: its identity, -1 for none (a distractor).");
  v.field("suffix", c.suffix, "For a folder of features: an image's file is its item with this behind it.");
}

// What is evaluated: the embeddings of a run, or of another tool.
struct EvalModel {
  std::string name;
  ConfigPath run;
  std::vector<SetFiles> sets;
};
template <class Visitor>
void describe(Visitor& v, EvalModel& c) {
  v.field("name", c.name, "Name in reports.", Required{});
  v.field("run", c.run, "Run folder whose embeddings (uir-extract) are measured.");
  v.list("sets", c.sets, "Sets of embeddings in files of any tool; they come before the run's.");
}

struct EvalConfig {
  std::vector<ProtocolConfig> protocols;
  std::vector<EvalModel> models;
  int64_t threads = 0;
  int64_t memory_mb = 2048;
  std::string device = "auto";
};
template <class Visitor>
void describe(Visitor& v, EvalConfig& c) {
  v.list("protocols", c.protocols, "The measurements, in the order of the report.");
  v.list("models", c.models, "What is measured and compared; empty: the embeddings of this run.");
  v.field("threads", c.threads, "Threads; 0: one per processor.", Between{0, 1024});
  v.field("memory_mb", c.memory_mb,
          "Most MiB that a search through pairs (trillion_pairs, megaface, video_retrieval) takes for its "
          "blocks and what it finds; embeddings and mapped files are not counted. No result depends on it.",
          Between{1, 1 << 24});
  v.field("device", c.device,
          "Where such searches filter pairs: auto, cpu, cuda or cuda:N. auto: CUDA when LibTorch sees a "
          "device. No "
          "result depends on it.");
}

}  // namespace uir
