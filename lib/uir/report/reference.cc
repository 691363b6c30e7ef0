#include "uir/report/reference.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "uir/base/error.h"

namespace uir {
namespace {

using Counts = std::vector<std::pair<std::string_view, int64_t>>;

constexpr std::string_view kUirPaper =
    "H. Yu et al., Unknown Identity Rejection Loss: Utilizing Unlabeled Data for Face Recognition, ICCV 2019 "
    "workshops, "
    "arXiv:1910.10896, IJB-C table";
constexpr std::string_view kUirNote =
    "The paper has two norm settings and does not say which of them keeps the norm, nor whether faces are "
    "weighted by detector score: both stand beside either variant.";
constexpr std::string_view kIjbScripts =
    "InsightFace (github.com/deepinsight/insightface), IJB evaluation of the released model LResNet100E-IR, "
    "ArcFace";
constexpr std::string_view kModelZoo =
    "InsightFace Model Zoo (github.com/deepinsight/insightface, model_zoo/README.md)";
constexpr std::string_view kArcfaceTorch =
    "InsightFace (github.com/deepinsight/insightface, recognition/arcface_torch): published models";
constexpr std::string_view kChallengeBaselines =
    "Lightweight Face Recognition Challenge, ICCV 2019: baselines (github.com/deepinsight/insightface, "
    "challenges/iccv19-lfr/README.md)";
constexpr std::string_view kChallengeNote =
    "Published in May 2019; the organisers cleaned the labels of the image track in June 2019.";

const Counts kIjbcPairs{{"genuine_pairs", 19'557}, {"impostor_pairs", 15'638'932}};
const Counts kTenFoldsOf600{{"genuine_pairs", 3'000}, {"impostor_pairs", 3'000}, {"folds", 10}};
const Counts kTenFoldsOf700{{"genuine_pairs", 3'500}, {"impostor_pairs", 3'500}, {"folds", 10}};

// TAR at FAR 1e-6 … 1e-1, read by scikit-learn's rule as in all published tables of this benchmark.
std::vector<std::pair<std::string_view, double>> tars(const double (&values)[6]) {
  constexpr std::string_view kNames[] = {"tar_nearest_far_1e-06",  "tar_nearest_far_1e-05",
                                         "tar_nearest_far_0.0001", "tar_nearest_far_0.001",
                                         "tar_nearest_far_0.01",   "tar_nearest_far_0.1"};
  std::vector<std::pair<std::string_view, double>> numbers;
  for (size_t i = 0; i < 6; ++i) numbers.emplace_back(kNames[i], values[i]);
  return numbers;
}

Reference ijbc(std::string_view model, std::vector<std::string_view> variant, const double (&values)[6]) {
  return {model,      kIjbScripts, "",          "ijb_verification", "", std::move(variant),
          kIjbcPairs, {"IJB-C"},   tars(values)};
}

Reference arcface_torch(std::string_view model, double tar_1e5, double tar_1e4) {
  return {model,
          kArcfaceTorch,
          "",
          "ijb_verification",
          "",
          {"flip", "norm_kept", "score"},
          kIjbcPairs,
          {"IJB-C"},
          {{"tar_nearest_far_1e-05", tar_1e5}, {"tar_nearest_far_0.0001", tar_1e4}}};
}

Reference uir_paper(std::string_view model, std::string_view flip, const double (&values)[6]) {
  return {model, kUirPaper, kUirNote, "ijb_verification", "", {flip}, kIjbcPairs, {"IJB-C"}, tars(values)};
}

Reference model_zoo(std::string_view model, std::string_view benchmark, const Counts& counts,
                    double accuracy) {
  return {
      model, kModelZoo, "", "verification", benchmark, {}, counts, {"(flip test)"}, {{"accuracy", accuracy}}};
}

Reference image_track(std::string_view model, double tpr) {
  return {model,
          kChallengeBaselines,
          kChallengeNote,
          "trillion_pairs",
          "lfr",
          {},
          {},
          {"Impostor pairs (all)"},
          {{"tpr_at_fpr_1e-08", tpr}}};
}

Reference video_track(std::string_view model, double tpr) {
  return {model,
          kChallengeBaselines,
          "",
          "video_verification",
          "lfr",
          {},
          {},
          {"sum of the frames' unit vectors, scaled to length 1; no flip test"},
          {{"tpr_at_fpr_0.0001", tpr}}};
}

std::vector<Reference> all_references() {
  return {
      ijbc("ArcFace R100, MS1MV2", {"flip", "norm_kept", "score"},
           {.898451, .944726, .962775, .975252, .983638, .990796}),
      ijbc("ArcFace R100, MS1MV2", {"flip", "norm_removed", "score"},
           {.882855, .940021, .96073, .974638, .983331, .991001}),
      arcface_torch("ArcFace R50, MS1MV2", .9407, .9597),
      arcface_torch("ArcFace MBF, MS1MV2", .9028, .9361),
      arcface_torch("ArcFace R50, MS1MV3", .9447, .9637),
      uir_paper("R100 baseline, first norm setting", "no_flip", {.8966, .9470, .9657, .9764, .9843, .9903}),
      uir_paper("R100 UIR, first norm setting", "no_flip", {.9146, .9496, .9670, .9768, .9842, .9906}),
      uir_paper("R100 baseline, second norm setting", "no_flip", {.8882, .9442, .9647, .9760, .9840, .9902}),
      uir_paper("R100 UIR, second norm setting", "no_flip", {.9035, .9460, .9655, .9765, .9838, .9904}),
      uir_paper("R100 baseline, first norm setting", "flip", {.8907, .9480, .9677, .9778, .9848, .9911}),
      uir_paper("R100 UIR, first norm setting", "flip", {.9136, .9512, .9690, .9781, .9846, .9912}),
      uir_paper("R100 baseline, second norm setting", "flip", {.8842, .9445, .9666, .9771, .9843, .9907}),
      uir_paper("R100 UIR, second norm setting", "flip", {.9022, .9467, .9676, .9773, .9844, .9911}),
      {"ArcFace R100, MS1MV2",
       kIjbScripts,
       "",
       "ijb_identification",
       "",
       {"pooled"},
       {{"probes", 19'593}, {"gallery", 3'531}},
       {"IJB-C", "f + f(mirrored); its norm is kept; it is multiplied by the detector score"},
       {{"top1", .963865}, {"top5", .975399}}},
      model_zoo("ArcFace R100, MS1MV2", "lfw", kTenFoldsOf600, .9977),
      model_zoo("ArcFace R50, MS1MV2", "lfw", kTenFoldsOf600, .99833),
      model_zoo("ArcFace R100, MS1MV2", "cfpfp", kTenFoldsOf700, .9827),
      model_zoo("ArcFace R50, MS1MV2", "cfpfp", kTenFoldsOf700, .98083),
      model_zoo("ArcFace R100, MS1MV2", "agedb30", kTenFoldsOf600, .9828),
      model_zoo("ArcFace R50, MS1MV2", "agedb30", kTenFoldsOf600, .98083),
      image_track("MobileFaceNet y2", .64691),
      image_track("R100", .80312),
      video_track("MobileFaceNet y2", .47191),
      video_track("R100", .64894),
      {"WitcheR, first of 2018",
       "iQIYI multimodal video person identification challenge, PRCV 2018: the winning team's report",
       "On the challenge's hidden test set of 2018, by several models and scene features.",
       "video_retrieval",
       "iqiyi",
       {},
       {},
       {},
       {{"map_at_100", .886}}},
      {"Watchdog, first of 2019",
       "iQIYI and ACM Multimedia multimodal video person recognition challenge 2019: final ranking",
       "On the challenge's hidden test set of 2019, by several models of face, head, body and voice.",
       "video_retrieval",
       "iqiyi",
       {},
       {},
       {},
       {{"map_at_100", .9114}}},
  };
}

// The name before its variant, lower-case, letters and digits only.
std::string plain_beginning(std::string_view name) {
  std::string plain;
  for (const char c : name.substr(0, name.find('/'))) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

std::vector<std::string_view> variant_words(std::string_view name) {
  std::vector<std::string_view> words;
  size_t begin = name.find('/');
  while (begin != std::string_view::npos) {
    const size_t end = name.find(',', ++begin);
    words.push_back(name.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

bool counts_agree(const Reference& reference, const ProtocolResult& result) {
  return std::ranges::all_of(reference.counts, [&](const auto& expected) {
    const auto found =
        std::ranges::find(result.counts, expected.first, &std::pair<std::string, int64_t>::first);
    return found != result.counts.end() && found->second == expected.second;
  });
}

bool same_protocol(const Reference& reference, const ProtocolResult& result) {
  if (reference.type != result.type || !plain_beginning(result.name).starts_with(reference.benchmark))
    return false;
  const std::vector<std::string_view> words = variant_words(result.name);
  const auto said = [&](std::string_view phrase) {
    return result.description.find(phrase) != std::string::npos;
  };
  return counts_agree(reference, result) && std::ranges::all_of(reference.phrases, said) &&
         std::ranges::all_of(reference.variant,
                             [&](std::string_view word) { return std::ranges::count(words, word) > 0; });
}

}  // namespace

double Reference::value_of(std::string_view number) const {
  const auto found = std::ranges::find(numbers, number, &std::pair<std::string_view, double>::first);
  return found == numbers.end() ? std::nan("") : found->second;
}

const std::vector<Reference>& references() {
  static const std::vector<Reference> kAll = all_references();
  return kAll;
}

std::vector<const Reference*> references_of(const ProtocolResult& result) {
  std::vector<const Reference*> found;
  for (const Reference& reference : references()) {
    const bool shares_number = std::ranges::any_of(result.numbers, [&](const Measurement& m) {
      return !std::isnan(m.value) && !std::isnan(reference.value_of(m.name));
    });
    if (shares_number && same_protocol(reference, result)) found.push_back(&reference);
  }
  return found;
}

std::vector<std::string> source_lines(const std::vector<const Reference*>& references) {
  std::vector<const Reference*> sources;  // the first of each
  std::vector<std::string> models;        // of each source
  for (size_t r = 0; r < references.size(); ++r) {
    const Reference& reference = *references[r];
    const auto same = [&](const Reference* s) {
      return s->source == reference.source && s->note == reference.note;
    };
    const auto known = std::ranges::find_if(sources, same);
    const auto at = static_cast<size_t>(known - sources.begin());
    if (known == sources.end()) {
      sources.push_back(&reference);
      models.emplace_back();
    }
    models[at] += concat(models[at].empty() ? "" : "; ", "[", r + 1, "] ", reference.model);
  }
  std::vector<std::string> lines;
  for (size_t s = 0; s < sources.size(); ++s) {
    lines.push_back(concat(models[s], ": ", sources[s]->source, ".", sources[s]->note.empty() ? "" : " ",
                           sources[s]->note));
  }
  return lines;
}

}  // namespace uir
