#include "uir/eval/video_retrieval.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/config/names.h"
#include "uir/eval/context.h"
#include "uir/eval/items.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/eval/video.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/top_k.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"map", kHigherRate},
    {"map_at",
     kHigherRate,
     {"mAP@{x}",
      "A search for a person finds the right videos with an average precision of {value} over the first {x} "
      "answers."}}};

std::vector<Reference> published_numbers() {
  return {{"WitcheR, first of 2018",
           "iQIYI multimodal video person identification challenge, PRCV 2018: the winning team's report",
           "On the challenge's hidden test set of 2018, by several models and scene features.",
           "iqiyi",
           {},
           {},
           {},
           {{"map_at_100", .886}}},
          {"Watchdog, first of 2019",
           "iQIYI and ACM Multimedia multimodal video person recognition challenge 2019: final ranking",
           "On the challenge's hidden test set of 2019, by several models of face, head, body and voice.",
           "iqiyi",
           {},
           {},
           {},
           {{"map_at_100", .9114}}}};
}

std::string_view first_field(const ListReader& lines) {
  return lines.fields().empty() ? "an empty line" : lines.fields().front();
}

enum class ListKind { kGroundTruth, kSubmission };

std::vector<IdentityVideos> read_identity_lines(const fs::path& path, ListKind kind) {
  std::vector<IdentityVideos> identities;
  std::unordered_set<int64_t> labels;
  ListReader lines(path, ListReader::Separator::kSpace);
  const size_t least = kind == ListKind::kGroundTruth ? 2 : 1;
  while (lines.next()) {
    if (lines.fields().size() < least)
      lines.refuse(first_field(lines), "a label and the names of its videos");
    IdentityVideos identity{lines.integer(0, 0), {}};
    if (!labels.insert(identity.label).second) lines.refuse(lines.fields()[0], "one line per label");
    std::unordered_set<std::string_view> seen;
    for (size_t i = 1; i < lines.fields().size(); ++i) {
      const std::string_view video = lines.fields()[i];
      if (kind == ListKind::kGroundTruth && !seen.insert(video_stem(video)).second)
        lines.refuse(video, "every video of a label once");
      identity.videos.emplace_back(video);
    }
    identities.push_back(std::move(identity));
  }
  if (identities.empty())
    fail(ErrorKind::kData, path.string(), ": the list is empty; expected lines 'label name ...'");
  return identities;
}

[[noreturn]] void fail_unknown(const fs::path& list, const IdentityVideos& identity, std::string_view video,
                               const VideoFrames& videos) {
  fail(ErrorKind::kData, list.string(), ": label ", identity.label, ": video '", video, "' is none of the ",
       videos.size(),
       " videos of the set; extract it, or set allow_missing: true to count it as never found");
}

// Mean of the unit vectors of the identity's videos, scaled to length 1; false if it has none in the set.
bool identity_vector(const VideoSet& set, const IdentityVideos& identity,
                     const VideoRetrievalProtocol& protocol, float* out) {
  std::vector<double> sum(static_cast<size_t>(set.vectors.cols), 0.0);
  int64_t found = 0;
  for (const std::string& name : identity.videos) {
    const int64_t video = set.videos.find(name);
    if (video < 0 && !protocol.allow_missing)
      fail_unknown(protocol.gallery.value, identity, name, set.videos);
    if (video < 0) continue;
    ++found;
    const std::span<const float> vector = set.vectors.row(video);
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += double{vector[d]};
  }
  if (found == 0) return false;
  double squares = 0;
  for (const double x : sum) squares += x * x;
  const double length = std::sqrt(squares);
  constexpr double kRounding = 1e-6;  // the vectors are float32
  if (length <= kRounding * static_cast<double>(found)) {
    fail(ErrorKind::kData, protocol.gallery.value, ": label ", identity.label, ": its ", found,
         " videos cancel out; the identity has no direction");
  }
  for (size_t d = 0; d < sum.size(); ++d) out[d] = static_cast<float>(sum[d] / length);
  return true;
}

std::vector<bool> videos_of_gallery(const VideoFrames& videos, std::span<const IdentityVideos> gallery) {
  std::vector<bool> in_gallery(static_cast<size_t>(videos.size()), false);
  for (const IdentityVideos& identity : gallery) {
    for (const std::string& name : identity.videos) {
      if (const int64_t video = videos.find(name); video >= 0) in_gallery[static_cast<size_t>(video)] = true;
    }
  }
  return in_gallery;
}

int64_t num_videos(std::span<const IdentityVideos> identities) {
  int64_t n = 0;
  for (const IdentityVideos& identity : identities) n += static_cast<int64_t>(identity.videos.size());
  return n;
}

}  // namespace

NumberFacts VideoRetrievalProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

std::vector<IdentityVideos> read_gallery(const fs::path& list) {
  std::map<int64_t, std::vector<std::string>> by_label;
  std::unordered_set<std::string> seen;
  ListReader lines(list, ListReader::Separator::kSpace);
  while (lines.next()) {
    if (lines.fields().size() != 2) lines.refuse(first_field(lines), "the name of a video and its label");
    const std::string_view video = lines.fields()[0];
    if (!seen.emplace(video_stem(video)).second) lines.refuse(video, "every video once");
    by_label[lines.integer(1, 0)].emplace_back(video);
  }
  if (by_label.empty())
    fail(ErrorKind::kData, list.string(), ": the list is empty; expected lines 'name label'");
  std::vector<IdentityVideos> gallery;
  for (auto& [label, videos] : by_label) gallery.push_back({label, std::move(videos)});
  return gallery;
}

std::vector<IdentityVideos> read_ground_truth(const fs::path& list) {
  return read_identity_lines(list, ListKind::kGroundTruth);
}
std::vector<IdentityVideos> read_submission(const fs::path& file) {
  return read_identity_lines(file, ListKind::kSubmission);
}

std::string submission_text(std::span<const IdentityVideos> submission) {
  std::string text;
  for (const IdentityVideos& identity : submission) {
    text += std::to_string(identity.label);
    for (const std::string& video : identity.videos) text += " " + video;
    text += '\n';
  }
  return text;
}

double average_precision(std::span<const std::string> ranked, std::span<const std::string> relevant,
                         int64_t top) {
  std::unordered_set<std::string_view> wanted;
  for (const std::string& video : relevant) wanted.insert(video_stem(video));
  std::unordered_set<std::string_view> seen;
  int64_t rank = 0, hits = 0;
  double sum = 0;
  for (const std::string& video : ranked) {
    if (!seen.insert(video_stem(video)).second) continue;
    if (++rank > top) break;
    if (wanted.contains(video_stem(video))) sum += static_cast<double>(++hits) / static_cast<double>(rank);
  }
  return sum / static_cast<double>(relevant.size());
}

std::vector<IdentityVideos> rank_videos(const VideoSet& set, const VideoSet& gallery_set,
                                        std::span<const IdentityVideos> gallery,
                                        const VideoRetrievalProtocol& protocol,
                                        std::span<const IdentityVideos> spelling,
                                        const ScanResources& resources) {
  if (set.vectors.cols != gallery_set.vectors.cols) {
    fail(ErrorKind::kData, "the set's embeddings have ", set.vectors.cols, " numbers, the gallery's ",
         gallery_set.vectors.cols);
  }
  const std::vector<bool> in_gallery = videos_of_gallery(set.videos, gallery);
  if (std::ranges::find(in_gallery, false) == in_gallery.end())
    fail(ErrorKind::kData, protocol.gallery.value,
         ": names all videos of the set; none is left to be ranked");

  std::vector<IdentityVideos> ranked;
  CanonicalVectors identities{{}, 0, set.vectors.cols};
  for (const IdentityVideos& identity : gallery) {
    identities.values.resize(static_cast<size_t>((identities.rows + 1) * identities.cols));
    float* out = identities.values.data() + identities.rows * identities.cols;
    if (!identity_vector(gallery_set, identity, protocol, out)) continue;
    ++identities.rows;
    ranked.push_back({identity.label, {}});
  }
  if (ranked.empty()) fail(ErrorKind::kData, protocol.gallery.value, ": none of its videos is in the set");

  const bool full_names = video_stem(spelling.front().videos.front()) != spelling.front().videos.front();
  const auto not_in_gallery = [&](int64_t, int64_t video) { return !in_gallery[static_cast<size_t>(video)]; };
  const auto best =
      top_k(UnitRows(identities), UnitRows(set.vectors), std::min(protocol.top, set.vectors.rows),
            not_in_gallery, {.resources = resources, .what = "ranking videos"});
  for (size_t i = 0; i < ranked.size(); ++i) {
    for (const Neighbour& video : best[i])
      ranked[i].videos.push_back(concat(video_stem(set.videos.name(video.column)), full_names ? ".mp4" : ""));
  }
  return ranked;
}

int64_t check_ground_truth(std::span<const IdentityVideos> truth, std::span<const IdentityVideos> gallery,
                           const VideoFrames& videos, const VideoRetrievalProtocol& protocol) {
  const std::vector<bool> in_gallery = videos_of_gallery(videos, gallery);
  int64_t missing = 0;
  for (const IdentityVideos& identity : truth) {
    for (const std::string& name : identity.videos) {
      const int64_t video = videos.find(name);
      if (video < 0 && !protocol.allow_missing)
        fail_unknown(protocol.ground_truth.value, identity, name, videos);
      missing += video < 0;
      if (video >= 0 && in_gallery[static_cast<size_t>(video)]) {
        fail(ErrorKind::kData, protocol.ground_truth.value, ": label ", identity.label, ": video '", name,
             "' is in the gallery as well, whose videos are not ranked");
      }
    }
  }
  return missing;
}

ProtocolResult measure_submission(const std::string& name, std::span<const IdentityVideos> submission,
                                  std::span<const IdentityVideos> truth,
                                  const VideoRetrievalProtocol& protocol, const std::string& vectors) {
  auto result = ProtocolResult::of<VideoRetrievalProtocol>(name);
  const std::string number = concat("map_at_", protocol.top);
  result.description = concat(
      "For every identity of the ground truth, its list of videos, best first, without repeats, cut after ",
      protocol.top,
      ": average precision = sum over hits of (hits so far / rank) / number of the identity's videos; ",
      "an identity without a list counts 0; mAP = mean over identities. ",
      protocol.submission_in.empty()
          ? concat("Lists: by the cosine of a video's vector with the identity's (mean of its gallery "
                   "videos' unit "
                   "vectors, scaled to length 1), ties by row; videos of the gallery are not ranked. Vector "
                   "of a video: ",
                   vectors, ".")
          : concat("Lists: from the file ", fs::path(protocol.submission_in.value).filename().string(), "."));
  result.count("submitted_identities", static_cast<int64_t>(submission.size()));
  if (truth.empty()) {
    result.undefined(number, "no ground truth is given");
    return result;
  }
  std::unordered_map<int64_t, const IdentityVideos*> submitted;
  for (const IdentityVideos& identity : submission) submitted[identity.label] = &identity;
  int64_t missing = 0;
  double sum = 0;
  std::vector<double> precisions;
  for (const IdentityVideos& identity : truth) {
    const auto found = submitted.find(identity.label);
    if (found == submitted.end()) {
      ++missing;
      precisions.push_back(0);
    } else {
      precisions.push_back(average_precision(found->second->videos, identity.videos, protocol.top));
      sum += precisions.back();
    }
  }
  result.count("identities", static_cast<int64_t>(truth.size()));
  result.count("missing_identities", missing);
  result.count("relevant_videos", num_videos(truth));
  const double mean = sum / static_cast<double>(truth.size());
  result.number(number, mean);
  for (double& precision : precisions)
    precision = (precision - mean) / (static_cast<double>(truth.size()) - 1);
  Uncertainty uncertainty = mean_uncertainty(mean, std::move(precisions));
  if (uncertainty.has_interval()) uncertainty.note = "over the identities of the ground truth";
  result.set_uncertainty(number, std::move(uncertainty));
  return result;
}

namespace {

// The set's videos ranked for every identity of the gallery; words: how the videos' vectors were made.
std::vector<IdentityVideos> ranked_videos(const VideoRetrievalProtocol& config,
                                          const std::vector<IdentityVideos>& truth, EvalContext& context,
                                          std::string& words) {
  const std::vector<IdentityVideos> gallery = read_gallery(config.gallery.value);
  const EmbeddingStore& store = context.sets.store(config.set);
  const VideoFrames videos = videos_of(store);
  const int64_t missing = check_ground_truth(truth, gallery, videos, config);
  words = describe_vectors(config.frames, videos);
  if (missing > 0) {
    words += concat("; ", missing,
                    " videos of the ground truth are not in the set (allow_missing) and are never found");
  }
  const CanonicalVectors vectors = video_vectors(store, videos, config.frames, context.threads());
  const VideoSet set{videos, vectors};
  const std::span<const IdentityVideos> spelling = truth.empty() ? gallery : truth;
  if (config.gallery_set.empty() || config.gallery_set == config.set)
    return rank_videos(set, set, gallery, config, spelling, context.scan.resources);
  const EmbeddingStore& gallery_store = context.sets.store(config.gallery_set);
  const VideoFrames gallery_videos = videos_of(gallery_store);
  const std::string gallery_words = describe_vectors(config.frames, gallery_videos);
  if (gallery_words != words) words += "; of the gallery's videos: " + gallery_words;
  const CanonicalVectors gallery_vectors =
      video_vectors(gallery_store, gallery_videos, config.frames, context.threads());
  return rank_videos(set, {gallery_videos, gallery_vectors}, gallery, config, spelling,
                     context.scan.resources);
}

}  // namespace

std::vector<std::string> sets_of(const VideoRetrievalProtocol& config) {
  if (!config.submission_in.empty()) return {};
  if (config.gallery_set.empty()) return {config.set};
  return {config.set, config.gallery_set};
}

std::vector<std::string> problems_of(const VideoRetrievalProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = problems_of(config.frames);
  if (!config.submission.empty() && !is_file_name(config.submission)) {
    problems.push_back(
        concat("submission: '", config.submission, "' is no name of a file in the report folder"));
  }
  if (!config.submission_in.empty()) {
    if (config.ground_truth.empty())
      problems.emplace_back("submission_in needs a ground_truth to be measured against");
    if (!config.set.empty()) problems.emplace_back("set and submission_in exclude each other");
    return problems;
  }
  if (config.set.empty() || config.gallery.empty())
    problems.emplace_back("needs set and gallery, or submission_in");
  const auto given = [](const std::string& set) {
    return set.empty() ? std::vector<std::string>() : std::vector<std::string>{set};
  };
  for (const std::string& problem :
       sources.problems_of_sets({{"set", given(config.set)}, {"gallery_set", given(config.gallery_set)}})) {
    problems.push_back(problem);
  }
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const VideoRetrievalProtocol& config,
                                    EvalContext& context) {
  const std::vector<IdentityVideos> truth = config.ground_truth.empty()
                                                ? std::vector<IdentityVideos>()
                                                : read_ground_truth(config.ground_truth.value);
  if (!config.submission_in.empty())
    return {measure_submission(name, read_submission(config.submission_in.value), truth, config)};
  std::string words;
  const std::vector<IdentityVideos> submission = ranked_videos(config, truth, context, words);
  const fs::path file =
      config.submission.empty() ? context.file(name, ".submission.txt") : context.file(config.submission, "");
  if (context.writes) write_file_atomically(file, submission_text(submission));
  if (context.writes) log_info("submission: ", file.string());
  return {measure_submission(name, submission, truth, config, words)};
}

}  // namespace uir
