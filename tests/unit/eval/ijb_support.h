// A benchmark in a folder, and the same numbers computed plainly from its files: text read word by word, one
// loop per sentence of the protocol, float64.
#pragma once

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/brute_force.h"
#include "support/ijb_synthetic.h"
#include "support/temp_folder.h"

namespace uir::brute {

struct TinyIjb {
  TempFolder folder;
  IjbSyntheticConfig config;
  explicit TinyIjb(IjbBenchmark benchmark = IjbBenchmark::kIjbc) {
    config = {benchmark, 900, 14, 11, 90, 1400, 80, 24, 1.5, 5};
    write_ijb_synthetic(config, folder.path(), 2);
  }
  fs::path meta() const { return folder.path() / "meta"; }
  std::string prefix() const { return config.benchmark == IjbBenchmark::kIjbc ? "ijbc_" : "ijbb_"; }
  EmbeddingFiles files() const {
    return {folder / "embeddings.npy",
            folder / "embeddings_mirrored.npy",
            meta() / (prefix() + "name_5pts_score.txt"),
            {}};
  }
  std::vector<std::string> lines(const std::string& name) const {
    std::ifstream file(meta() / (prefix() + name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
};

// Template id -> unit vector.
using PlainTemplates = std::map<int, std::vector<float>>;

inline PlainTemplates plain_templates(const TinyIjb& ijb, bool flip, bool keep_norm, bool use_score) {
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const std::vector<std::string> faces = ijb.lines("face_tid_mid.txt"),
                                 points = ijb.lines("name_5pts_score.txt");
  const int64_t dim = set.embeddings().cols;
  std::map<int, std::map<int, std::vector<std::vector<double>>>> features;  // template, medium, image
  for (size_t i = 0; i < faces.size(); ++i) {
    std::istringstream words(faces[i]);
    std::string name;
    int t = 0, m = 0;
    words >> name >> t >> m;
    const double score = std::stod(points[i].substr(points[i].rfind(' ')));
    std::vector<double> e;
    for (int64_t d = 0; d < dim; ++d) {
      e.push_back(set.embeddings().row(static_cast<int64_t>(i))[d]);
      if (flip) e.back() += set.mirrored()->row(static_cast<int64_t>(i))[d];
    }
    double squares = 0;
    for (double x : e) squares += x * x;
    for (double& x : e) {
      if (!keep_norm) x /= std::sqrt(squares);
      if (use_score) x *= score;
    }
    features[t][m].push_back(e);
  }
  PlainTemplates templates;
  for (const auto& [t, media] : features) {
    std::vector<double> sum(static_cast<size_t>(dim), 0.0);
    for (const auto& [m, images] : media) {
      for (int64_t d = 0; d < dim; ++d) {
        double total = 0;
        for (const auto& image : images) total += image[d];
        sum[d] += total / static_cast<double>(images.size());
      }
    }
    double squares = 0;
    for (double x : sum) squares += x * x;
    for (double x : sum) templates[t].push_back(static_cast<float>(x / std::sqrt(squares)));
  }
  return templates;
}

inline double plain_score(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) sum += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  return sum;
}

inline Scores plain_pair_scores(const TinyIjb& ijb, const PlainTemplates& templates) {
  Scores scores;
  for (const std::string& line : ijb.lines("template_pair_label.txt")) {
    std::istringstream words(line);
    int a = 0, b = 0, same = 0;
    words >> a >> b >> same;
    (same ? scores.genuine : scores.impostor).push_back(plain_score(templates.at(a), templates.at(b)));
  }
  return scores;
}

// roc_curve of scikit-learn, then the entry that the public evaluation prints: the curve is turned round, and
// the first of the entries with the smallest |FPR − target| counts.
inline double plain_tar_nearest(const Scores& s, double far) {
  std::vector<double> fps, tps;  // counts at each distinct score, highest first
  for (double t : distinct_descending(s)) {
    fps.push_back(static_cast<double>(
        std::count_if(s.impostor.begin(), s.impostor.end(), [&](double v) { return v >= t; })));
    tps.push_back(static_cast<double>(
        std::count_if(s.genuine.begin(), s.genuine.end(), [&](double v) { return v >= t; })));
  }
  std::vector<double> fpr{0}, tpr{0};
  for (size_t i = 0; i < fps.size(); ++i) {
    const bool inner = i > 0 && i + 1 < fps.size();
    const bool dropped =
        inner && fps[i + 1] - 2 * fps[i] + fps[i - 1] == 0 && tps[i + 1] - 2 * tps[i] + tps[i - 1] == 0;
    if (dropped) continue;
    fpr.push_back(fps[i] / static_cast<double>(s.impostor.size()));
    tpr.push_back(tps[i] / static_cast<double>(s.genuine.size()));
  }
  std::reverse(fpr.begin(), fpr.end());
  std::reverse(tpr.begin(), tpr.end());
  size_t best = 0;
  for (size_t i = 1; i < fpr.size(); ++i) {
    if (std::abs(fpr[i] - far) < std::abs(fpr[best] - far)) best = i;
  }
  return tpr[best];
}

struct PlainEntry {
  int id = 0, subject = 0;
};
inline std::vector<PlainEntry> plain_entries(const TinyIjb& ijb, const std::string& name) {
  std::vector<PlainEntry> entries;
  std::set<int> seen;
  const std::vector<std::string> lines = ijb.lines(name);
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t comma = lines[i].find(',');
    const PlainEntry entry{std::stoi(lines[i]), std::stoi(lines[i].substr(comma + 1))};
    if (seen.insert(entry.id).second) entries.push_back(entry);
  }
  return entries;
}

}  // namespace uir::brute
