#include "uir/eval/compare_features.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/open_set.h"
#include "uir/eval/verification.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

struct NamedFace {
  std::string image, person;
};

NamedFace face_of(std::string_view line, std::string_view place) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t end = line.find_last_not_of(kBlanks);
  if (end == std::string_view::npos) fail(ErrorKind::kData, place, ": an empty line, where a face is due");
  line = line.substr(0, end + 1);
  const size_t tab = line.find('\t');
  const size_t gap = tab == std::string_view::npos ? line.find_last_of(' ') : tab;
  if (gap != std::string_view::npos) {
    const size_t person = line.find_first_not_of(kBlanks, gap);
    return {std::string(line.substr(0, line.find_last_not_of(kBlanks, gap) + 1)),
            std::string(line.substr(person, line.find_first_of(kBlanks, person) - person))};
  }
  const fs::path path(line);
  const std::string folder = path.parent_path().filename().string();
  return {std::string(line), folder.empty() ? std::string(line) : folder};
}

std::vector<NamedFace> read_faces(const fs::path& list) {
  const std::string text = read_text_file(list);
  std::vector<NamedFace> faces;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    faces.push_back(face_of(std::string_view(text).substr(begin, end - begin),
                            concat(list.string(), ": line ", faces.size() + 1)));
    if (faces.back().person == "-1")
      fail(ErrorKind::kData, list.string(), ": line ", faces.size(),
           ": a face without a person (-1); leave its rows out of the comparison");
    begin = end + 1;
  }
  if (faces.empty()) fail(ErrorKind::kData, list.string(), ": no faces");
  return faces;
}

std::vector<int64_t> labels_of(const std::vector<NamedFace>& faces) {
  std::unordered_map<std::string_view, int64_t> numbers;
  std::vector<int64_t> labels;
  for (const NamedFace& face : faces)
    labels.push_back(numbers.try_emplace(face.person, std::ssize(numbers)).first->second);
  return labels;
}

CanonicalVectors vectors_of(const fs::path& features, size_t faces, const fs::path& list, int threads) {
  const MappedMatrix mapped = open_features(features);
  const MatrixView matrix = mapped.matrix();
  if (matrix.rows != static_cast<int64_t>(faces))
    fail(ErrorKind::kData, features.string(), ": ", matrix.rows, " rows, but ", list.string(), " names ",
         faces, " faces; row i is what line i shows");
  return canonical_vectors(matrix, std::nullopt, threads,
                           [&](int64_t row) { return concat(features.string(), ": row ", row); });
}

std::vector<std::string> names_of(const FeatureComparison& comparison) {
  std::vector<std::string> names = comparison.names;
  if (names.empty()) {
    for (const fs::path& file : comparison.features) names.push_back(file.stem().string());
    if (std::set(names.begin(), names.end()).size() < names.size()) {
      names.clear();
      for (const fs::path& file : comparison.features) names.push_back(file.string());
    }
  }
  if (names.size() != comparison.features.size())
    fail(ErrorKind::kUsage, names.size(), " names for ", comparison.features.size(), " files of features");
  return names;
}

// Whether there are people with one image, and others with more.
bool has_strangers(const std::vector<int64_t>& labels) {
  std::unordered_map<int64_t, int64_t> images;
  for (const int64_t label : labels) ++images[label];
  const auto single = std::ranges::count(images, 1, [](const auto& entry) { return entry.second; });
  return single > 0 && single < std::ssize(images);
}

}  // namespace

Report compare_features(const FeatureComparison& comparison) {
  if (comparison.features.size() < 2)
    fail(ErrorKind::kUsage, "a comparison takes two files of features or more");
  const std::vector<std::string> names = names_of(comparison);
  const std::vector<NamedFace> faces = read_faces(comparison.list);
  const std::vector<int64_t> labels = labels_of(faces);
  const int threads = resolve_threads(comparison.threads);
  std::vector<std::string_view> images;
  for (const NamedFace& face : faces) images.push_back(face.image);
  Report report;
  for (size_t m = 0; m < names.size(); ++m) {
    const CanonicalVectors vectors =
        vectors_of(comparison.features[m], faces.size(), comparison.list, threads);
    ModelReport& model = report.models.emplace_back(ModelReport{names[m], Json::object(), {}});
    model.sets["faces"] = {{"features", comparison.features[m].string()}, {"list", comparison.list.string()}};
    if (!comparison.pairs.empty()) {
      const PairList pairs = read_pairs(comparison.pairs, comparison.format, images);
      model.results.push_back(run_verification("pairs", vectors, pairs, threads, nullptr, labels));
      continue;
    }
    model.results.push_back(run_all_pairs("all_pairs", vectors, labels, comparison.far, threads));
    if (has_strangers(labels))
      model.results.push_back(
          run_open_set("open_set", vectors, open_set_by_rule(labels), comparison.far, threads));
  }
  return report;
}

}  // namespace uir
