#include "uir/eval/ijb_meta.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/eval/items.h"

namespace uir {
namespace {

constexpr int64_t kLongestTable = int64_t{1} << 24;  // of TemplateIds: 64 MB

void require_lines(const ParallelLines& lines) {
  if (lines.size() == 0) fail(ErrorKind::kData, lines.path().string(), ": no lines");
}

constexpr std::string_view kFaceLine = "'name template media' with whole numbers";

// Takes an id off the front of the line's rest.
int64_t take_id(const ParallelLines& lines, int64_t i, std::string_view& rest) {
  const std::string_view before = rest;
  const int64_t id = take_number(rest);
  if (id < 0) lines.refuse(i, before.substr(0, before.find_first_of(" \t")), kFaceLine);
  return id;
}

// Takes a finite number off the front of the line's rest.
double take_decimal(const ParallelLines& lines, int64_t i, std::string_view& rest) {
  const std::string_view field = take_field(rest);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value))
    lines.refuse(i, field, "a number in 'name x1 y1 ... x5 y5 score'");
  return value;
}

// Line i of the landmark list: the image's detector score.
double read_score(const ParallelLines& points, int64_t i, std::string_view line, const IjbImages& images) {
  constexpr int kCoordinates = 10;
  std::string_view rest = line;
  const std::string_view name = take_field(rest);
  if (name != images.names[i]) {
    points.refuse(i, name, concat("'", images.names[i], "', the image of ", images.lines.place(i)));
  }
  for (int c = 0; c < kCoordinates; ++c) take_decimal(points, i, rest);
  const double score = take_decimal(points, i, rest);
  if (score < 0 || !rest.empty())
    points.refuse(i, line, "'name x1 y1 ... x5 y5 score' with a score of at least 0");
  return score;
}

// A whole number that fills a field of a CSV; −1 for anything else.
int64_t csv_number(std::string_view field) {
  const int64_t value = take_number(field);
  return field.empty() ? value : -1;
}

// The templates of a gallery or of the probes, each once, by ascending number.
std::vector<IjbEntry> read_entries(const fs::path& path, const TemplateIds& templates, int threads) {
  const ParallelLines lines(path, threads);
  if (lines.size() < 2) fail(ErrorKind::kData, path.string(), ": expected a header and at least one line");
  std::vector<IjbEntry> of_line(static_cast<size_t>(lines.size()));
  lines.for_each([&](int64_t i, std::string_view line) {
    const size_t comma = std::min(line.find(','), line.size());
    const std::string_view first = line.substr(0, comma);
    const std::string_view rest = line.substr(std::min(comma + 1, line.size()));
    const int64_t id = csv_number(first), subject = csv_number(rest.substr(0, rest.find(',')));
    if (i == 0) {
      if (id >= 0) lines.refuse(i, line, "a header");
      return;
    }
    if (id < 0 || subject < 0) lines.refuse(i, line, "'template,subject,...' with whole numbers");
    of_line[i] = {templates.number(id), subject};
    if (of_line[i].number < 0) lines.refuse(i, first, "a template that has images");
  });

  std::vector<IjbEntry> entries;
  std::unordered_map<int32_t, int64_t> subjects;
  for (size_t i = 1; i < of_line.size(); ++i) {
    const auto [known, inserted] = subjects.emplace(of_line[i].number, of_line[i].subject);
    if (inserted) entries.push_back(of_line[i]);
    if (known->second == of_line[i].subject) continue;
    lines.refuse(static_cast<int64_t>(i), concat("subject ", of_line[i].subject),
                 concat("subject ", known->second, ", which template ", templates.id(of_line[i].number),
                        " has in a line before"));
  }
  std::ranges::sort(entries, {}, &IjbEntry::number);
  return entries;
}

}  // namespace

IjbFiles ijb_files(const fs::path& meta, IjbBenchmark benchmark) {
  const std::string prefix = concat(enum_name(benchmark), "_");
  IjbFiles files;
  files.faces = meta / (prefix + "face_tid_mid.txt");
  files.points = meta / (prefix + "name_5pts_score.txt");
  files.pairs = meta / (prefix + "template_pair_label.txt");
  files.probes = meta / (prefix + "1N_probe_mixed.csv");
  files.gallery_names = benchmark == IjbBenchmark::kIjbc ? std::array<std::string, 2>{"G1", "G2"}
                                                         : std::array<std::string, 2>{"S1", "S2"};
  for (size_t g = 0; g < files.galleries.size(); ++g)
    files.galleries[g] = meta / (prefix + "1N_gallery_" + files.gallery_names[g] + ".csv");
  return files;
}

TemplateIds::TemplateIds(std::vector<int64_t> ids) : ids_(std::move(ids)) {
  std::ranges::sort(ids_);
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  if (ids_.empty() || ids_.back() >= kLongestTable) return;
  numbers_.assign(static_cast<size_t>(ids_.back() + 1), -1);
  for (size_t number = 0; number < ids_.size(); ++number)
    numbers_[static_cast<size_t>(ids_[number])] = static_cast<int32_t>(number);
}

int32_t TemplateIds::number(int64_t id) const {
  if (!numbers_.empty())
    return id < static_cast<int64_t>(numbers_.size()) ? numbers_[static_cast<size_t>(id)] : -1;
  const auto found = std::ranges::lower_bound(ids_, id);
  return found != ids_.end() && *found == id ? static_cast<int32_t>(found - ids_.begin()) : -1;
}

IjbImages read_ijb_images(const IjbFiles& files, int threads) {
  IjbImages images{{}, {}, {}, {}, {}, ParallelLines(files.faces, threads)};
  const ParallelLines& faces = images.lines;
  require_lines(faces);
  const auto n = static_cast<size_t>(faces.size());
  std::vector<int64_t> ids(n);
  images.media.resize(n);
  images.names.resize(n);
  faces.for_each([&](int64_t i, std::string_view line) {
    std::string_view rest = line;
    images.names[i] = take_field(rest);
    ids[i] = take_id(faces, i, rest);
    images.media[i] = take_id(faces, i, rest);
    if (images.names[i].empty() || !rest.empty()) faces.refuse(i, line, kFaceLine);
  });
  images.templates = TemplateIds(ids);
  images.template_of.resize(n);
  for (size_t i = 0; i < n; ++i) images.template_of[i] = images.templates.number(ids[i]);

  const ParallelLines points(files.points, threads);
  if (points.size() != faces.size()) {
    fail(ErrorKind::kData, files.points.string(), ": ", points.size(), " lines, but ", files.faces.string(),
         " has ", faces.size(), "; line i of one belongs to line i of the other");
  }
  images.detector_score.resize(n);
  points.for_each([&](int64_t i, std::string_view line) {
    images.detector_score[i] = read_score(points, i, line, images);
  });
  return images;
}

std::vector<int64_t> ijb_rows(const IjbImages& images, const EmbeddingStore& set) {
  std::vector<int64_t> rows(images.names.size());
  bool in_order = set.size() == images.size();
  for (int64_t i = 0; i < images.size() && in_order; ++i) {
    rows[i] = i;
    in_order = set.item(i) == images.names[i];
  }
  if (in_order) return rows;
  const std::vector<std::string_view> items = set.items();
  ListedRows lookup(items, ItemRows::Key::kItem);
  const std::string remedy =
      concat("the items of ", set.folder().string(),
             " must be the names of this list (for files of another tool: items: ..._name_5pts_score.txt)");
  try {
    for (int64_t i = 0; i < images.size(); ++i)
      rows[i] = lookup.row_of(images.names[i], images.lines.place(i));
  } catch (const Error& error) {  // a name that is not clear
    fail(error.kind(), error.what(), "; ", remedy);
  }
  lookup.refuse_missing(remedy);
  return rows;
}

std::vector<IjbPair> read_ijb_pairs(const fs::path& path, const TemplateIds& templates, int threads) {
  const ParallelLines lines(path, threads);
  require_lines(lines);
  std::vector<IjbPair> pairs(static_cast<size_t>(lines.size()));
  lines.for_each([&](int64_t i, std::string_view line) {
    std::string_view rest = line;
    const int64_t first = take_number(rest);
    const int64_t second = first < 0 ? -1 : take_number(rest);
    const int64_t same = second < 0 ? -1 : take_number(rest);
    if ((same != 0 && same != 1) || !rest.empty()) lines.refuse(i, line, "'template template 0|1'");
    const int32_t a = templates.number(first), b = templates.number(second);
    if (a < 0 || b < 0) lines.refuse(i, concat(a < 0 ? first : second), "a template that has images");
    pairs[i].first = static_cast<uint32_t>(a);
    pairs[i].second = static_cast<uint32_t>(b) & 0x7fffffffU;
    pairs[i].genuine = same == 1;
  });
  return pairs;
}

namespace {

// A template would find itself, with the score 1.
void check_probes_apart(const IjbSearch& search, const IjbFiles& files, const TemplateIds& templates) {
  for (size_t g = 0; g < 2; ++g) {
    for (const IjbEntry& probe : search.probes) {
      if (!std::ranges::binary_search(search.galleries[g], probe.number, {}, &IjbEntry::number)) continue;
      fail(ErrorKind::kData, files.probes.string(), ": template ", templates.id(probe.number), " is in ",
           files.galleries[g].string(), " too; a probe must not be searched for among itself");
    }
  }
}

}  // namespace

IjbSearch read_ijb_search(const IjbFiles& files, const TemplateIds& templates, int threads) {
  IjbSearch search;
  for (size_t g = 0; g < 2; ++g) search.galleries[g] = read_entries(files.galleries[g], templates, threads);
  search.probes = read_entries(files.probes, templates, threads);

  std::unordered_set<int64_t> subjects;
  for (const IjbEntry& entry : search.galleries[0]) subjects.insert(entry.subject);
  for (const IjbEntry& entry : search.galleries[1]) {
    if (!subjects.contains(entry.subject)) continue;
    fail(ErrorKind::kData, files.galleries[1].string(), ": subject ", entry.subject, " (template ",
         templates.id(entry.number), ") is in ", files.galleries[0].string(),
         " too; the two galleries must not share people");
  }
  check_probes_apart(search, files, templates);
  return search;
}

int64_t num_zero_images(std::span<const int64_t> rows, MatrixView embeddings) {
  const auto is_zero = [&](int64_t row) {
    return std::ranges::all_of(embeddings.row(row), [](float x) { return x == 0; });
  };
  const int64_t zeros = std::ranges::count_if(rows, is_zero);
  if (zeros > 0) log_warning(zeros, " of ", rows.size(), " images have an embedding of zeros");
  return zeros;
}

std::string compare_with_published(IjbBenchmark benchmark,
                                   const std::vector<std::pair<std::string_view, int64_t>>& found) {
  using Sizes = std::map<std::string_view, int64_t>;
  static const Sizes kIjbc{{"images", 469'375},
                           {"templates", 23'124},
                           {"pairs", 15'658'489},
                           {"probes", 19'593},
                           {"gallery templates", 3'531}},
      kIjbb{{"images", 227'630}, {"templates", 12'115}, {"pairs", 8'010'270}};
  const Sizes& published = benchmark == IjbBenchmark::kIjbc ? kIjbc : kIjbb;
  std::string differences;
  for (const auto& [what, size] : found) {
    const auto known = published.find(what);
    if (known == published.end() || known->second == size) continue;
    differences += concat(differences.empty() ? "" : ", ", size, " instead of ", known->second, " ", what);
  }
  if (differences.empty()) return {};
  const std::string sentence =
      concat("The lists are not the whole published ", benchmark == IjbBenchmark::kIjbc ? "IJB-C" : "IJB-B",
             ": ", differences, ".");
  log_warning(sentence);
  return " " + sentence;
}

}  // namespace uir
