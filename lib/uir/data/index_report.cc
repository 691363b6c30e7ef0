#include "uir/data/index_report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/quoting.h"
#include "uir/data/folder_listing.h"
#include "uir/data/training_warnings.h"
#include "uir/images/face_aligner.h"

namespace uir {
namespace {

constexpr size_t kMaxExamples = 5;
constexpr int64_t kSamples = 3;
constexpr size_t kMaxPixelSizes = 10;      // reported
constexpr size_t kMaxCountedSizes = 4096;  // kept while counting; rarer ones are lumped together

// --- Sources -----------------------------------------------------------------------------------------------

// How often each pixel size occurs, the most frequent first.
class PixelSizes {
 public:
  void add(std::array<uint16_t, 2> size) {
    const auto found = counts_.find(size);
    if (found != counts_.end()) {
      ++found->second;
    } else if (counts_.size() < kMaxCountedSizes) {
      counts_.emplace(size, 1);
    }
  }
  std::vector<PixelSizeCount> most_frequent() const {
    std::vector<PixelSizeCount> sizes;
    for (const auto& [size, count] : counts_) sizes.push_back({size[0], size[1], count});
    std::stable_sort(sizes.begin(), sizes.end(),
                     [](const auto& a, const auto& b) { return a.images > b.images; });
    if (sizes.size() > kMaxPixelSizes) sizes.resize(kMaxPixelSizes);
    return sizes;
  }

 private:
  std::map<std::array<uint16_t, 2>, int64_t> counts_;
};

std::string identity_text(const Index& index, const SourceInfo& source, int64_t label) {
  if (label < 0) return "no identity";
  if (source.role == Role::kTest)
    return concat("test identity ", label, " (", index.test_identity_name(label), ")");
  return concat("class ", label, " (", index.identity_name(label), ")");
}

std::string sample_text(const Index& index, const SourceInfo& source, int64_t row) {
  const auto i = static_cast<size_t>(row);
  std::string text = concat(index.item(row), ": ", identity_text(index, source, index.labels()[i]));
  if (!index.pixel_sizes().empty()) {
    text += concat(", ", index.pixel_sizes()[i][0], "x", index.pixel_sizes()[i][1]);
  }
  return text + concat(", ", index.sizes()[i], " bytes");
}

// Whether five points can hardly be a face's in an image of this size (0: not known): most lie outside of it,
// or they stay far from the template when they are moved onto it. Swapped left and right sides: 20 pixels; a
// strong profile 14.
bool is_odd(const Landmarks& points, int width, int height) {
  constexpr double kFar = 15;
  int outside = 0;
  for (size_t i = 0; i < points.size(); i += 2)
    outside += points[i] < 0 || points[i + 1] < 0 || points[i] > static_cast<float>(width) ||
               points[i + 1] > static_cast<float>(height);
  if (width > 0 && height > 0 && outside >= 3) return true;
  try {
    return distance_once_aligned(points).points > kFar;
  } catch (const Error&) {  // they coincide
    return true;
  }
}

void count_row(const Index& index, int64_t row, SourceStatistics& statistics) {
  const auto i = static_cast<size_t>(row);
  const uint32_t flags = index.flags()[i];
  statistics.bytes += index.sizes()[i];
  statistics.held_out += (flags & kHeldOut) != 0;
  statistics.excluded += (flags & kExcluded) != 0;
  statistics.absent += (flags & kExcluded) && index.hashes()[i] == ContentHash{};
  statistics.not_network_size += (flags & kNotNetworkSize) != 0;
  statistics.aligned += (flags & kNotNetworkSize) && (flags & kHasLandmarks);
  const auto [width, height] = index.pixel_sizes()[i];
  if ((flags & kNotNetworkSize) && (flags & kHasLandmarks) && is_odd(index.landmarks()[i], width, height)) {
    ++statistics.odd_landmarks;
    if (statistics.odd_examples.size() < kMaxExamples) statistics.odd_examples.emplace_back(index.item(row));
  }
  if (!(flags & kBad)) return;
  ++statistics.bad;
  if (statistics.bad_examples.size() < kMaxExamples) statistics.bad_examples.emplace_back(index.item(row));
}

void summarize_identities(std::vector<int64_t> images_of_identity, SourceStatistics& statistics) {
  if (images_of_identity.empty()) return;
  std::sort(images_of_identity.begin(), images_of_identity.end());
  const size_t n = images_of_identity.size();
  statistics.min_per_identity = images_of_identity.front();
  statistics.max_per_identity = images_of_identity.back();
  statistics.median_per_identity =
      static_cast<double>(images_of_identity[(n - 1) / 2] + images_of_identity[n / 2]) / 2;
}

SourceStatistics statistics_of(const Index& index, const SourceInfo& source) {
  SourceStatistics statistics;
  statistics.name = source.name;
  statistics.role = source.role;
  statistics.images = source.num_rows;
  statistics.identities = source.num_classes;
  PixelSizes sizes;
  std::vector<int64_t> images_of_identity(static_cast<size_t>(source.num_classes), 0);
  for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row) {
    count_row(index, row, statistics);
    if (!index.pixel_sizes().empty()) sizes.add(index.pixel_sizes()[static_cast<size_t>(row)]);
    const int64_t label = index.labels()[static_cast<size_t>(row)];
    if (label >= 0) ++images_of_identity.at(static_cast<size_t>(label - source.first_class));
  }
  statistics.pixel_sizes = sizes.most_frequent();
  summarize_identities(std::move(images_of_identity), statistics);
  for (int64_t i = 0; i < std::min(kSamples, source.num_rows); ++i) {
    statistics.samples.push_back(sample_text(index, source, source.first_row + i));
  }
  return statistics;
}

std::string how_to_align(const SourceInfo& source) {
  const std::string unless = "unless they are the 112x112 crop enlarged, ";
  if (source.kind != SourceKind::kFiles) return unless + "cut them from the photos anew with uir-index align";
  const std::string aligned = without_last_slash(source.path).string() + "_112";
  return concat(unless, "align them anew\n    uir-index align ", shell_quoted(source.path.string()),
                " --detector yunet.onnx --out ", shell_quoted(aligned),
                "\n  (or with --landmarks points.csv instead of a detector), and write\n    root: ", aligned,
                "\n  A list that names other files than .jpg must be made anew: uir-index new ",
                shell_quoted(aligned));
}

// Half of a source that is neither of the network's size nor aligned by landmarks: crops for other networks.
std::string stretched_images(const Index& index, const SourceStatistics& s) {
  const int64_t stretched = s.not_network_size - s.aligned;
  if (s.pixel_sizes.empty() || 2 * stretched < s.images) return {};
  const PixelSizeCount& size = s.pixel_sizes.front();
  return concat("source '", s.name, "': ", stretched, " of ", s.images, " images are not 112x112 (most are ",
                size.width, "x", size.height,
                ") and have no landmarks, so they are stretched to it; crops made for other networks "
                "(FaceNet's 160x160, say) have the eyes elsewhere, which costs accuracy: ",
                how_to_align(index.source(s.name)));
}

// --- Text and JSON -----------------------------------------------------------------------------------------

Json to_json(const SharedImages& shared) {
  return {{"groups", {shared.group_a, shared.group_b}},
          {"contents", shared.contents},
          {"examples", shared.examples}};
}

Json to_json(const KnownPeople& known) {
  return {{"images", known.images},
          {"identities", known.identities},
          {"whole_sources", known.whole_sources},
          {"examples", known.examples}};
}

Json to_json(const SourceStatistics& s) {
  Json json{
      {"name", s.name},
      {"role", enum_name(s.role)},
      {"images", s.images},
      {"identities", s.identities},
      {"images_per_identity",
       {{"min", s.min_per_identity}, {"median", s.median_per_identity}, {"max", s.max_per_identity}}},
      {"bytes", s.bytes},
      {"held_out", s.held_out},
      {"bad", s.bad},
      {"excluded", s.excluded},
      {"excluded_absent", s.absent},
      {"bad_examples", s.bad_examples},
      {"not_112x112",
       {{"images", s.not_network_size}, {"aligned", s.aligned}, {"resized", s.not_network_size - s.aligned}}},
      {"odd_landmarks", s.odd_landmarks},
      {"odd_landmarks_examples", s.odd_examples},
      {"pixel_sizes", Json::array()},
      {"samples", s.samples}};
  for (const PixelSizeCount& size : s.pixel_sizes) {
    json["pixel_sizes"].push_back({{"width", size.width}, {"height", size.height}, {"images", size.images}});
  }
  return json;
}

void add_source_lines(const SourceStatistics& s, std::vector<std::string>& lines) {
  std::string head = concat(s.name, " (", enum_name(s.role), "): ", s.images, " images");
  if (s.identities > 0) {
    head += concat(" of ", s.identities, " identities, ", s.min_per_identity, " to ", s.max_per_identity,
                   " each (median ", s.median_per_identity, ")");
  }
  if (s.held_out > 0) head += concat(", ", s.held_out, " held out");
  lines.push_back(head);
  if (s.not_network_size > 0) {
    lines.push_back(concat("  not 112x112: ", s.not_network_size, " (", s.aligned, " aligned by landmarks, ",
                           s.not_network_size - s.aligned, " resized)"));
  }
  if (s.odd_landmarks > 0) {
    lines.push_back(
        concat("  warning: landmarks that can hardly be a face's (most outside the image, or far from the "
               "template once aligned; is the order of the points right?): ",
               s.odd_landmarks));
  }
  for (const std::string& item : s.odd_examples) lines.push_back("    " + item);
  if (s.excluded > 0)
    lines.push_back(concat("  excluded, never used: ", s.excluded,
                           s.absent > 0 ? concat(" (", s.absent, " of them not there)") : ""));
  if (s.bad > 0) lines.push_back(concat("  bad, never used: ", s.bad));
  for (const std::string& item : s.bad_examples) lines.push_back("    " + item);
  for (const std::string& sample : s.samples) lines.push_back("  " + sample);
}

void add_shared_lines(const std::string& title, const SharedImages& shared, std::vector<std::string>& lines) {
  lines.push_back(title);
  for (const std::string& example : shared.examples) lines.push_back("  " + example);
}

}  // namespace

Json IndexReport::to_json() const {
  Json json{{"images", images},
            {"num_classes", num_classes},
            {"num_test_identities", num_test_identities},
            {"images_read", record.images_read},
            {"images_reused", record.images_reused},
            {"warnings", warnings},
            {"sources", Json::array()},
            {"shared_images", Json::array()},
            {"known_people_unlabeled", uir::to_json(contents.known_people)},
            {"conflicting_labels", uir::to_json(contents.conflicting)},
            {"repeated_images", contents.repeated}};
  for (size_t i = 0; i < sources.size(); ++i) {
    json["sources"].push_back(uir::to_json(sources[i]));
    if (i < record.left_out.size()) json["sources"].back()["left_out"] = record.left_out[i].to_json();
  }
  for (const SharedImages& pair : contents.shared) json["shared_images"].push_back(uir::to_json(pair));
  return json;
}

std::vector<std::string> IndexReport::lines() const {
  std::vector<std::string> lines{concat(images, " images, ", num_classes, " classes, ", num_test_identities,
                                        " test identities; ", record.images_read, " images read, ",
                                        record.images_reused, " unchanged")};
  for (size_t i = 0; i < sources.size(); ++i) {
    add_source_lines(sources[i], lines);
    if (i >= record.left_out.size()) continue;
    for (const std::string& line : record.left_out[i].lines()) lines.push_back("  left out: " + line);
  }
  for (const SharedImages& pair : contents.shared) {
    add_shared_lines(concat("the same image in ", pair.group_a, " and ", pair.group_b, ": ", pair.contents),
                     pair, lines);
  }
  if (contents.conflicting.contents > 0) {
    add_shared_lines(concat("the same labeled image under two identities: ", contents.conflicting.contents),
                     contents.conflicting, lines);
  }
  if (contents.repeated > 0) lines.push_back(concat("repeated images: ", contents.repeated));
  return lines;
}

IndexReport make_index_report(const Index& index) {
  IndexReport report;
  report.images = index.size();
  report.num_classes = index.num_classes();
  report.num_test_identities = index.num_test_identities();
  for (const SourceInfo& source : index.sources()) report.sources.push_back(statistics_of(index, source));
  report.contents = compare_contents(index);
  report.warnings = training_warnings(index, report.contents);
  for (const SourceStatistics& source : report.sources) {
    const std::string text = stretched_images(index, source);
    if (!text.empty()) report.warnings.push_back(text);
  }
  return report;
}

}  // namespace uir
