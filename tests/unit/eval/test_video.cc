#include "uir/eval/video.h"

#include <fstream>
#include <set>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/video_retrieval.h"
#include "uir/eval/video_verification.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"

namespace uir {
namespace {

void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

// Names and their views, as a store holds them.
struct Items {
  explicit Items(std::vector<std::string> given)
      : names(std::move(given)), views(names.begin(), names.end()) {}
  std::vector<std::string> names;
  std::vector<std::string_view> views;
};

// Videos with a few frames each, not in a row: frame i belongs to video i · 7 mod V, so that frames are
// interleaved.
Items interleaved_frames(int64_t frames, int64_t videos) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < frames; ++i) names.push_back(concat("v", i * 7 % videos, ".mp4/", i));
  return Items(std::move(names));
}

// The protocol's words, written with long double and a map from names to rows.
std::vector<long double> brute_video(const Items& items, const std::string& video,
                                     const std::vector<float>& values, int64_t dim,
                                     const std::function<long double(size_t, long double)>& weight) {
  std::vector<long double> sum(static_cast<size_t>(dim), 0);
  for (size_t row = 0; row < items.names.size(); ++row) {
    if (items.names[row].substr(0, items.names[row].find('/')) != video) continue;
    long double norm = 0;
    for (int64_t d = 0; d < dim; ++d) norm += std::pow(static_cast<long double>(values[row * dim + d]), 2);
    norm = std::sqrt(norm);
    for (int64_t d = 0; d < dim; ++d) sum[d] += weight(row, norm) * values[row * dim + d] / norm;
  }
  long double norm = 0;
  for (const long double x : sum) norm += x * x;
  for (long double& x : sum) x /= std::sqrt(norm);
  return sum;
}

// AP from the definition: precision at every rank of a hit, over the full number of relevant videos.
double brute_average_precision(const std::vector<std::string>& submitted,
                               const std::set<std::string>& relevant, size_t top) {
  std::vector<std::string> list;
  for (const std::string& video : submitted) {
    if (std::count(list.begin(), list.end(), video) == 0) list.push_back(video);
  }
  if (list.size() > top) list.resize(top);
  double sum = 0;
  for (size_t rank = 1; rank <= list.size(); ++rank) {
    if (relevant.count(list[rank - 1]) == 0) continue;
    const auto hits = std::count_if(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(rank),
                                    [&](const std::string& v) { return relevant.count(v) > 0; });
    sum += static_cast<double>(hits) / static_cast<double>(rank);
  }
  return sum / static_cast<double>(relevant.size());
}

std::string data_error(const std::function<void()>& f) { return brute::error_of(ErrorKind::kData, f); }

}  // namespace

TEST_CASE("frames are grouped by video, in the order of the set", "[video]") {
  const Items items({"b/2.jpg", "a.mp4/1.jpg", "b/1.jpg", "sub/c/9.jpg", "a.mp4/0.jpg"});
  const VideoFrames videos(items.views);
  REQUIRE(videos.size() == 3);
  CHECK(videos.name(0) == "b");
  CHECK(videos.name(2) == "sub/c");
  CHECK(std::vector<int64_t>(videos.rows(0).begin(), videos.rows(0).end()) == std::vector<int64_t>{0, 2});
  CHECK(std::vector<int64_t>(videos.rows(1).begin(), videos.rows(1).end()) == std::vector<int64_t>{1, 4});
  CHECK(videos.find("a") == 1);
  CHECK(videos.find("a.mp4") == 1);
  CHECK(videos.find("b.mp4") == 0);
  CHECK(videos.find("c") == -1);
  CHECK(videos.rows_are_frames());
  CHECK_THAT(data_error([] { VideoFrames(Items({"/1"}).views); }), contains_text("'/1' is no frame"));
  CHECK_THAT(data_error([] { VideoFrames(Items({"a/"}).views); }), contains_text("'a/' is no frame"));
  CHECK_THAT(data_error([] {
               VideoFrames(Items({"a/1", "a.mp4/1"}).views);
             }),
             contains_text("both 'a' and 'a.mp4'"));
  CHECK(VideoFrames(Items({}).views).size() == 0);
}

TEST_CASE("a set of items without a slash has one embedding per video", "[video]") {
  const Items items({"b.mp4", "a", "c"});
  const VideoFrames videos(items.views);
  CHECK_FALSE(videos.rows_are_frames());
  REQUIRE(videos.size() == 3);
  for (int64_t v = 0; v < 3; ++v)
    CHECK(std::vector<int64_t>(videos.rows(v).begin(), videos.rows(v).end()) == std::vector<int64_t>{v});
  CHECK(videos.name(0) == "b.mp4");
  CHECK(videos.find("b") == 0);
  CHECK(videos.find("a.mp4") == 1);

  std::vector<float> f{3, 4, 0, -2, 5, 12}, m{3, 4, 2, 2, 0, 0};
  FrameFeatures features{{f.data(), 3, 2}, std::nullopt, Aggregation::kMean, {}};
  const std::vector<float> unit{
      0.6f, 0.8f, 0, -1, static_cast<float>(5.0 / 13), static_cast<float>(12.0 / 13)};
  CHECK(video_vectors(features, videos).values == unit);
  CHECK(canonical_vectors(features.embeddings, std::nullopt, 1, [](int64_t) {
          return std::string();
        }).values == unit);
  features.aggregation = Aggregation::kNormWeighted;  // there is nothing to be weighted
  CHECK(video_vectors(features, videos).values == unit);
  features.mirrored = MatrixView{m.data(), 3, 2};
  CHECK(video_vectors(features, videos).values == std::vector<float>{0.6f, 0.8f, 1, 0, unit[4], unit[5]});
  f[2] = f[3] = m[2] = m[3] = 0;
  CHECK_THAT(data_error([&] { video_vectors(features, videos); }),
             contains_text("video 'a': the embedding has zero"));

  const std::vector<int64_t> labels{1, 0, 1};
  CHECK(labels_of_videos(labels, videos) == labels);
  const ProtocolResult result =
      run_video_verification("x", brute::faces(labels, 4, 0.1, 1), videos, labels, {}, {0.5});
  CHECK_THAT(result.description, contains_text("the one embedding that the set has of it"));
  CHECK(result.counts.front() == std::pair<std::string, int64_t>{"videos", 3});
  CHECK_THAT(describe_vectors({}, VideoFrames(Items({"a/1"}).views)),
             contains_text("sum of the frames' unit vectors"));

  const auto refused = [](std::vector<std::string> names) {
    return data_error([&] { VideoFrames(Items(std::move(names)).views); });
  };
  CHECK_THAT(refused({"a/1", "a/2", "frame", "x"}), contains_text("item 'frame' names a video, but 'a/1'"));
  CHECK_THAT(refused({"a", "b", "c/1"}), contains_text("item 'c/1' names a frame ('video/frame'), but 'a'"));
  CHECK_THAT(refused({"a", "b", "a"}), contains_text("video 'a' is in the set more than once"));
  CHECK_THAT(refused({"a", "a.mp4"}), contains_text("both 'a' and 'a.mp4'"));
}

TEST_CASE("aggregation agrees with its formula, for any number of threads", "[video]") {
  constexpr int64_t kFrames = 150, kVideos = 20, kDim = 17;
  const Items items = interleaved_frames(kFrames, kVideos);
  const VideoFrames videos(items.views);
  const std::vector<float> f = brute::random_values(kFrames * kDim, 3),
                           m = brute::random_values(kFrames * kDim, 4);
  std::vector<float> both(f.size());
  for (size_t i = 0; i < f.size(); ++i) both[i] = f[i] + m[i];
  FrameFeatures features{{f.data(), kFrames, kDim}, std::nullopt, Aggregation::kMean, {}};
  for (int64_t i = 0; i < kFrames; ++i) features.quality.push_back(static_cast<double>(i % 5) + 0.25);

  const auto check = [&](const std::vector<float>& values, double tolerance,
                         const std::function<long double(size_t, long double)>& weight) {
    const CanonicalVectors vectors = video_vectors(features, videos, 1);
    CHECK(vectors.rows == kVideos);
    for (int64_t v = 0; v < kVideos; ++v) {
      const auto expected = brute_video(items, std::string(videos.name(v)), values, kDim, weight);
      for (int64_t d = 0; d < kDim; ++d)
        REQUIRE(std::abs(static_cast<double>(vectors.row(v)[d]) - static_cast<double>(expected[d])) <
                tolerance);
    }
    CHECK(video_vectors(features, videos, 3).values == vectors.values);
  };
  check(f, 4e-8, [](size_t, long double) { return 1.0L; });
  features.aggregation = Aggregation::kNormWeighted;
  check(f, 4e-8, [](size_t, long double norm) { return norm; });
  features.aggregation = Aggregation::kQualityWeighted;
  check(f, 4e-8, [](size_t row, long double) { return static_cast<long double>(row % 5) + 0.25L; });
  features.aggregation = Aggregation::kMean;
  features.mirrored = MatrixView{m.data(), kFrames, kDim};
  check(both, 1e-6, [](size_t, long double) { return 1.0L; });
}

TEST_CASE("a video whose frames cancel out has no direction", "[video]") {
  const Items items({"a/1", "a/2", "b/1", "b/2"});
  const VideoFrames videos(items.views);
  std::vector<float> f{3, 4, -6, -8, 1, 0, 0, 2};
  FrameFeatures features{{f.data(), 4, 2}, std::nullopt, Aggregation::kMean, {}};
  CHECK_THAT(data_error([&] { video_vectors(features, videos); }), contains_text("video 'a'"));
  features.aggregation = Aggregation::kNormWeighted;  // -6, -8 outweighs 3, 4
  CHECK(video_vectors(features, videos).values[0] == -0.6f);
  features.aggregation = Aggregation::kQualityWeighted;
  features.quality = {1, 0, 0, 0};
  CHECK_THAT(data_error([&] { video_vectors(features, videos); }), contains_text("video 'b'"));
  features.quality = {1, 0, 0, 1};
  CHECK(video_vectors(features, videos).values == std::vector<float>{0.6f, 0.8f, 0, 1});
  f[2] = f[3] = 0;
  CHECK_THAT(data_error([&] { video_vectors(features, videos); }), contains_text("frame 'a/2'"));
  // Nearly opposite: what rounding leaves is no direction either.
  std::vector<float> g{0.1f, 0.7f, -0.3f, -2.1f, 1, 0, 0, 1};
  g[2] = -3 * g[0];
  g[3] = -3 * g[1];
  CHECK_THAT(data_error([&] {
               video_vectors({{g.data(), 4, 2}, std::nullopt, Aggregation::kMean, {}}, videos);
             }),
             contains_text("cancel out"));
}

TEST_CASE("qualities: one for every frame", "[video]") {
  TempFolder folder;
  const Items items({"a/1", "a/2"});
  const auto read = [&](const std::string& text) {
    write(folder / "q.tsv", text);
    return read_frame_qualities(folder / "q.tsv", items.views);
  };
  CHECK(read("a/2\t0\na/1\t2.5e1\nother/1\t3\n") == std::vector<double>{25, 0});
  CHECK_THAT(data_error([&] { read("a/1\t1\n"); }), contains_text("no quality of frame 'a/2'"));
  CHECK_THAT(data_error([&] { read("a/1\t1\na/2\t1\na/1\t1\n"); }), contains_text("line 3"));
  for (const char* bad : {"-1", "nan", "inf", "x", "1x", ""}) {
    CAPTURE(bad);
    CHECK_THAT(data_error([&] { read(concat("a/1\t", bad, "\na/2\t1\n")); }), contains_text("line 1"));
  }
  CHECK_THAT(data_error([&] { read("a/1 1\n"); }), contains_text("line 1"));
}

TEST_CASE("labels of videos", "[video]") {
  TempFolder folder;
  const Items items({"a.mp4/1", "b.mp4/1", "a.mp4/2"});
  const VideoFrames videos(items.views);
  const auto read = [&](const std::string& text) {
    write(folder / "l.txt", text);
    return read_video_labels(folder / "l.txt", videos);
  };
  CHECK(read("b.mp4 7\na 3\n") == std::vector<int64_t>{3, 7});
  CHECK_THAT(data_error([&] { read("b 7\n"); }), contains_text("no label of video 'a.mp4'"));
  CHECK_THAT(data_error([&] { read("b 7\na 3\nc 4\n"); }), contains_text("line 3: found 'c'"));
  CHECK_THAT(data_error([&] { read("b 7\nb 7\na 1\n"); }), contains_text("line 2"));
  CHECK_THAT(data_error([&] { read("b -1\na 1\n"); }), contains_text("line 1"));
  CHECK_THAT(data_error([&] { read("b\n"); }), contains_text("line 1"));
  CHECK(labels_of_videos(std::vector<int64_t>{4, 5, 4}, videos) == std::vector<int64_t>{4, 5});
  CHECK_THAT(data_error([&] {
               labels_of_videos(std::vector<int64_t>{4, 5, 6}, videos);
             }),
             contains_text("video 'a.mp4': its frames have different labels, 4 and 6"));
  CHECK_THAT(data_error([&] {
               labels_of_videos(std::vector<int64_t>{4, -1, 4}, videos);
             }),
             contains_text("video 'b.mp4' has no identity"));
}

TEST_CASE("video verification agrees with brute force", "[video]") {
  constexpr int64_t kVideos = 60;
  std::vector<std::string> names;
  std::vector<int64_t> frame_labels, labels;
  for (int64_t v = 0; v < kVideos; ++v) {
    labels.push_back(v % 13);
    for (int64_t frame = 0; frame <= v % 3; ++frame) {
      names.push_back(concat("v", v, "/", frame));
      frame_labels.push_back(v % 13);
    }
  }
  const Items items(std::move(names));
  const VideoFrames videos(items.views);
  const CanonicalVectors frames = brute::faces(frame_labels, 12, 1.5, 5);
  const FrameFeatures features{frames.view(), std::nullopt, Aggregation::kMean, {}};
  const CanonicalVectors vectors = video_vectors(features, videos);
  brute::Scores scores;
  for (int64_t a = 0; a < kVideos; ++a) {
    for (int64_t b = a + 1; b < kVideos; ++b)
      (labels[a] == labels[b] ? scores.genuine : scores.impostor).push_back(brute::dot(vectors, a, b));
  }
  const std::vector<double> rates{1e-4, 1e-3, 1e-2, 0.1};
  const ProtocolResult result =
      run_video_verification("lfr", vectors, videos, labels_of_videos(frame_labels, videos), {}, rates, 2);
  for (const double rate : rates) {
    CAPTURE(rate);
    const double tpr = result.value_of(name_with_rate("tpr_at_fpr", rate));
    CHECK(tpr == brute::tar_at_most(scores, rate));
    CHECK((rate < 1e-2 || (tpr > 0 && tpr < 1)));
  }
  CHECK(result.counts ==
        std::vector<std::pair<std::string, int64_t>>{{"frames", items.views.size()},
                                                     {"videos", 60},
                                                     {"identities", 13},
                                                     {"genuine_pairs", scores.genuine.size()},
                                                     {"impostor_pairs", scores.impostor.size()}});
  CHECK_THAT(result.description, contains_text("no flip test"));
  const std::vector<int64_t> one(kVideos, 1);
  CHECK(std::isnan(
      run_video_verification("x", vectors, videos, one, {}, {1e-4}).value_of("tpr_at_fpr_0.0001")));
}

TEST_CASE("lists of the challenges", "[video]") {
  TempFolder folder;
  const auto read = [&](auto reader, const std::string& text) {
    write(folder / "list.txt", text);
    return reader(folder / "list.txt");
  };
  CHECK(read(read_gallery, "a.mp4 7\nb.mp4 2\nc.mp4 7\n") ==
        std::vector<IdentityVideos>{{2, {"b.mp4"}}, {7, {"a.mp4", "c.mp4"}}});
  CHECK(read(read_ground_truth, "9 b a\n1 a\n") == std::vector<IdentityVideos>{{9, {"b", "a"}}, {1, {"a"}}});
  CHECK(read(read_submission, "9 b b\n1\n") == std::vector<IdentityVideos>{{9, {"b", "b"}}, {1, {}}});
  const std::vector<IdentityVideos> lists{{9, {"b", "a"}}, {1, {}}};
  CHECK(read(read_submission, submission_text(lists)) == lists);

  CHECK_THAT(data_error([&] { read(read_gallery, ""); }), contains_text("empty"));
  CHECK_THAT(data_error([&] { read(read_gallery, "a.mp4 1\na 2\n"); }), contains_text("line 2"));
  CHECK_THAT(data_error([&] { read(read_gallery, "a.mp4\n"); }), contains_text("line 1"));
  CHECK_THAT(data_error([&] { read(read_gallery, "a.mp4 x\n"); }), contains_text("line 1"));
  CHECK_THAT(data_error([&] { read(read_gallery, "a 1\n\nb 1\n"); }), contains_text("line 2"));
  CHECK_THAT(data_error([&] { read(read_ground_truth, "\n"); }), contains_text("empty"));
  CHECK_THAT(data_error([&] { read(read_ground_truth, "3\n"); }), contains_text("line 1"));
  CHECK_THAT(data_error([&] { read(read_ground_truth, "3 a\n3 b\n"); }), contains_text("line 2"));
  CHECK_THAT(data_error([&] { read(read_ground_truth, "3 a a.mp4\n"); }), contains_text("line 1"));
  CHECK_THAT(data_error([&] { read(read_submission, ""); }), contains_text("empty"));
  CHECK_THAT(data_error([&] { read(read_submission, "3 a\n3 b\n"); }), contains_text("line 2"));
  CHECK_THAT(data_error([&] { read(read_submission, "a.mp4 b\n"); }), contains_text("line 1"));
}

TEST_CASE("average precision by hand", "[video]") {
  const auto ap = [](const std::vector<std::string>& ranked, const std::vector<std::string>& relevant,
                     int64_t top) { return average_precision(ranked, relevant, top); };
  CHECK(ap({"a", "b", "c"}, {"a", "c"}, 100) == Approx((1.0 + 2.0 / 3) / 2));
  CHECK(ap({"a", "a", "b", "b"}, {"a", "b"}, 100) == 1);  // repeats are dropped, they do not take a rank
  CHECK(ap({"x", "a"}, {"a"}, 1) == 0);
  CHECK(ap({"x", "x", "a"}, {"a"}, 2) == 0.5);        // the cut comes after the repeats are gone
  CHECK(ap({"a"}, {"a", "b", "c", "d"}, 1) == 0.25);  // over all that are relevant, not the most that fit
  CHECK(ap({"a.mp4"}, {"a"}, 100) == 1);
  CHECK(ap({}, {"a"}, 100) == 0);
}

TEST_CASE("retrieval agrees with brute force, ties included, for any number of threads", "[video]") {
  constexpr int64_t kVideos = 180, kDim = 8, kGallery = 60;
  const int64_t top = GENERATE(1, 3, 100, 500);
  std::vector<std::string> names;
  std::vector<int64_t> labels;
  for (int64_t v = 0; v < kVideos; ++v) {
    labels.push_back(v % 23);
    names.push_back(concat("v", v, ".mp4/0"));
  }
  const Items items(std::move(names));
  const VideoFrames videos(items.views);
  CanonicalVectors vectors = brute::faces(labels, kDim, 1.0, 17);
  for (int64_t v = kGallery; v + 31 < kVideos; v += 4)  // the same vector in two places
    std::copy_n(vectors.row(v).data(), kDim, vectors.values.data() + (v + 31) * kDim);

  TempFolder folder;
  std::string gallery_list, truth_list;
  for (int64_t v = 0; v < kGallery; ++v) gallery_list += concat("v", v, ".mp4 ", labels[v], "\n");
  std::vector<std::set<std::string>> relevant;
  for (int64_t label = 0; label < 25; ++label) {  // 23 and 24 are in no gallery
    relevant.emplace_back();
    truth_list += std::to_string(label);
    for (int64_t v = kGallery; v < kVideos; ++v) {
      if (labels[v] != label % 23) continue;
      relevant.back().insert(concat("v", v, ".mp4"));
      truth_list += concat(" v", v, ".mp4");
    }
    truth_list += "\n";
  }
  write(folder / "gallery.txt", gallery_list);
  write(folder / "truth.txt", truth_list);
  VideoRetrievalProtocol protocol;
  protocol.top = top;
  const auto gallery = read_gallery(folder / "gallery.txt"), truth = read_ground_truth(folder / "truth.txt");
  check_ground_truth(truth, gallery, videos, protocol);
  const auto submission =
      rank_videos({videos, vectors}, {videos, vectors}, gallery, protocol, truth, {.threads = 1});
  CHECK(rank_videos({videos, vectors}, {videos, vectors}, gallery, protocol, truth, {.threads = 3}) ==
        submission);
  REQUIRE(submission.size() == 23);

  double sum = 0;
  for (const IdentityVideos& identity : submission) {
    // The identity's vector, rounded as canonical vectors are, and all scores sorted by score, then by row.
    std::vector<double> mean(kDim, 0);
    for (int64_t v = 0; v < kGallery; ++v) {
      for (int64_t d = 0; labels[v] == identity.label && d < kDim; ++d) mean[d] += vectors.row(v)[d];
    }
    double norm = 0;
    for (const double x : mean) norm += x * x;
    std::vector<std::pair<double, int64_t>> order;
    for (int64_t v = kGallery; v < kVideos; ++v) {
      double score = 0;
      for (int64_t d = 0; d < kDim; ++d)
        score += static_cast<double>(static_cast<float>(mean[d] / std::sqrt(norm))) * vectors.row(v)[d];
      order.emplace_back(-score, v);
    }
    std::sort(order.begin(), order.end());
    if (static_cast<int64_t>(order.size()) > top) order.resize(static_cast<size_t>(top));
    std::vector<std::string> expected;
    for (const auto& [score, v] : order) expected.push_back(concat("v", v, ".mp4"));
    REQUIRE(identity.videos == expected);
    sum += brute_average_precision(expected, relevant[static_cast<size_t>(identity.label)],
                                   static_cast<size_t>(top));
  }
  const ProtocolResult result = measure_submission("map", submission, truth, protocol);
  CHECK(result.value_of(concat("map_at_", top)) == Approx(sum / 25).epsilon(1e-14));
  CHECK(result.value_of(concat("map_at_", top)) > 0);
  CHECK(result.counts ==
        std::vector<std::pair<std::string, int64_t>>{
            {"submitted_identities", 23},
            {"identities", 25},
            {"missing_identities", 2},
            {"relevant_videos", (kVideos - kGallery) + relevant[23].size() + relevant[24].size()}});
  CHECK(std::isnan(measure_submission("map", submission, {}, protocol).value_of(concat("map_at_", top))));
}

TEST_CASE("retrieval refuses lists that do not fit the set", "[video]") {
  const Items items({"a.mp4/1", "b.mp4/1", "c.mp4/1"});
  const VideoFrames videos(items.views);
  const CanonicalVectors vectors = brute::faces({0, 1, 2}, 4, 0.1, 1);
  VideoRetrievalProtocol protocol;
  protocol.gallery.value = "gallery.txt";
  protocol.ground_truth.value = "truth.txt";
  const VideoSet set{videos, vectors};
  const std::vector<IdentityVideos> gallery{{5, {"a"}}}, truth{{5, {"b", "c"}}};
  const auto ranked = rank_videos(set, set, gallery, protocol, truth, {});
  REQUIRE(ranked.size() == 1);
  CHECK(ranked[0].videos.size() == 2);
  CHECK(std::set<std::string>(ranked[0].videos.begin(), ranked[0].videos.end()) ==
        std::set<std::string>{"b", "c"});
  CHECK_NOTHROW(check_ground_truth(truth, gallery, videos, protocol));

  const std::vector<IdentityVideos> unknown{{5, {"a", "z"}}}, stranger{{5, {"b", "z"}}}, overlap{{5, {"a"}}},
      all{{5, {"a", "b", "c"}}}, nobody{{5, {"y", "z"}}};
  CHECK_THAT(data_error([&] { rank_videos(set, set, unknown, protocol, truth, {}); }),
             contains_text("video 'z'"));
  CHECK_THAT(data_error([&] { check_ground_truth(stranger, gallery, videos, protocol); }),
             contains_text("video 'z'"));
  CHECK_THAT(data_error([&] { check_ground_truth(overlap, gallery, videos, protocol); }),
             contains_text("gallery"));
  CHECK_THAT(data_error([&] { rank_videos(set, set, all, protocol, truth, {}); }),
             contains_text("none is left"));
  protocol.allow_missing = true;
  CHECK(rank_videos(set, set, unknown, protocol, truth, {})[0].videos.size() == 2);
  CHECK_NOTHROW(check_ground_truth(std::vector<IdentityVideos>{{5, {"z"}}}, gallery, videos, protocol));
  CHECK_THAT(data_error([&] { rank_videos(set, set, nobody, protocol, truth, {}); }),
             contains_text("none of its videos"));
  CHECK(measure_submission("m", ranked, std::vector<IdentityVideos>{{5, {"b", "c", "z"}}}, protocol)
            .value_of("map_at_100") == Approx(2.0 / 3));

  CanonicalVectors opposite = vectors;
  for (int64_t d = 0; d < 4; ++d)
    opposite.values[static_cast<size_t>(4 + d)] = -opposite.values[static_cast<size_t>(d)];
  const std::vector<IdentityVideos> both{{5, {"a", "b"}}};
  CHECK_THAT(data_error([&] {
               rank_videos({videos, opposite}, {videos, opposite}, both, protocol, truth, {});
             }),
             contains_text("label 5: its 2 videos cancel out"));
}

}  // namespace uir
