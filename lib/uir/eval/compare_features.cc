#include "uir/eval/compare_features.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/text.h"
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

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// "image<TAB>person", "image person" without further blanks, "person/image", or "person".
NamedFace face_of(std::string_view line, const std::string& place) {
  const auto refuse = [&](const char* why) {
    fail(ErrorKind::kData, place, ": '", readable(std::string(line)), "': ", why,
         "; a line is 'image<TAB>person', 'image person', 'person/image' or 'person'");
  };
  if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
    const NamedFace face{std::string(trimmed(line.substr(0, tab))), std::string(trimmed(line.substr(tab)))};
    if (face.image.empty() || face.person.empty()) refuse("nothing on one side of the tab");
    if (face.person.find('\t') != std::string::npos) refuse("more than one tab");
    return face;
  }
  line = trimmed(line);
  if (const size_t gap = line.find(' '); gap != std::string_view::npos) {
    const NamedFace face{std::string(line.substr(0, gap)), std::string(trimmed(line.substr(gap)))};
    if (face.person.find(' ') != std::string::npos) refuse("three fields or more; separate two by a tab");
    if (face.person.find('/') != std::string::npos) refuse("a path where the person is due");
    return face;
  }
  if (line.find(',') != std::string_view::npos) refuse("commas separate nothing here");
  std::string path(line);
  if (path.find('/') == std::string::npos) std::ranges::replace(path, '\\', '/');  // of Windows
  const std::string folder = fs::path(path).parent_path().filename().string();
  return {path, folder.empty() ? path : folder};
}

// Where it begins.
size_t last_line_of(std::string_view text) {
  const size_t end = text.rfind('\n');
  return end == std::string_view::npos ? 0 : end + 1;
}

void warn_of_people(const fs::path& list, const std::vector<NamedFace>& faces) {
  std::set<std::string_view> people;
  for (const NamedFace& face : faces) people.insert(face.person);
  if (people.size() > 1 && people.size() < faces.size()) return;
  log_warning(list.string(), ": ",
              people.size() == 1 ? "all lines are one person's" : "no person has two lines",
              "; line 1 is read as image '", readable(faces.front().image), "' of person '",
              readable(faces.front().person), "'");
}

std::vector<NamedFace> read_faces(const fs::path& list) {
  const std::string text = read_text_file(list);
  if (text.find('\0') != std::string::npos) fail(ErrorKind::kData, list.string(), ": no text in UTF-8");
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  for (size_t last; !rest.empty() && trimmed(rest.substr(last = last_line_of(rest))).empty();)
    rest = rest.substr(0, last > 0 ? last - 1 : 0);  // blank lines at the end
  std::vector<NamedFace> faces;
  std::set<std::string> images;
  while (!rest.empty()) {
    const std::string place = concat(list.string(), ": line ", faces.size() + 1);
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (trimmed(rest.substr(0, end)).empty()) fail(ErrorKind::kData, place, ": empty, where a face is due");
    const NamedFace& face = faces.emplace_back(face_of(rest.substr(0, end), place));
    if (face.person == "-1")
      fail(ErrorKind::kData, place, ": a face without a person (-1); leave its rows out of the comparison");
    if (face.image != face.person && !images.insert(face.image).second)
      fail(ErrorKind::kData, place, ": image '", readable(face.image), "' stands in the list twice");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (faces.empty()) fail(ErrorKind::kData, list.string(), ": no faces");
  warn_of_people(list, faces);
  return faces;
}

std::vector<int64_t> labels_of(const std::vector<NamedFace>& faces) {
  std::unordered_map<std::string_view, int64_t> numbers;
  std::vector<int64_t> labels;
  for (const NamedFace& face : faces)
    labels.push_back(numbers.try_emplace(face.person, std::ssize(numbers)).first->second);
  return labels;
}

// All of them, before anything is measured.
std::vector<MappedMatrix> open_all(const FeatureComparison& comparison, size_t faces) {
  std::vector<MappedMatrix> all;
  for (const fs::path& file : comparison.features) {
    const MatrixView matrix = all.emplace_back(open_features(file)).matrix();
    if (matrix.rows != static_cast<int64_t>(faces))
      fail(ErrorKind::kData, file.string(), ": ", matrix.rows, " rows, but ", comparison.list.string(),
           " has ", faces, " lines; row i is what line i shows");
    if (matrix.cols == 0) fail(ErrorKind::kData, file.string(), ": rows without numbers");
  }
  return all;
}

void check_rates(const std::vector<double>& far) {
  if (std::set(far.begin(), far.end()).size() < far.size()) fail(ErrorKind::kUsage, "--far: no value twice");
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
  if (std::set(names.begin(), names.end()).size() < names.size())
    fail(ErrorKind::kUsage, "two networks of one name; give each its own");
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
  check_rates(comparison.far);
  if (comparison.features.size() < 2)
    fail(ErrorKind::kUsage, "a comparison takes two files of features or more");
  const std::vector<std::string> names = names_of(comparison);
  const std::vector<NamedFace> faces = read_faces(comparison.list);
  const std::vector<int64_t> labels = labels_of(faces);
  const std::vector<MappedMatrix> features = open_all(comparison, faces.size());
  const int threads = resolve_threads(comparison.threads);
  std::vector<std::string_view> images;
  for (const NamedFace& face : faces) images.push_back(face.image);
  Report report;
  for (size_t m = 0; m < names.size(); ++m) {
    const CanonicalVectors vectors =
        canonical_vectors(features[m].matrix(), std::nullopt, threads, [&](int64_t row) {
          return concat(comparison.features[m].string(), ": row ", row, ", ",
                        readable(faces[static_cast<size_t>(row)].image));
        });
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
