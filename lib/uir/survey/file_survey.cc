#include "uir/survey/file_survey.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "uir/data/folder_listing.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/onnx/face_network.h"
#include "uir/onnx/state_dict.h"
#include "uir/survey/names.h"
#include "uir/survey/shard_survey.h"
#include "uir/video/video_reader.h"

namespace uir {
namespace {

constexpr int kLargestFaceVideo = 256;  // pixels; larger frames are scenes, in which faces are to be found

bool has_extension(const fs::path& path, std::initializer_list<std::string_view> extensions) {
  const std::string extension = in_lower_case(path.extension().string());
  return std::ranges::find(extensions, extension) != extensions.end();
}

// The number of classes that InsightFace's file says; 0 without one.
int64_t classes_of_property(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return 0;
  const std::string text = read_text_file(file, 4096);
  int64_t classes = 0;
  std::from_chars(text.data(), text.data() + text.size(), classes);
  return classes;
}

void count_records(const RecordFile& file, FoundSource& found) {
  std::unordered_map<float, int64_t> images_of;
  for_each_image_record(file, {}, [&](const RecordEntry&, const ImageRecord& record) {
    ++found.images;
    ++images_of[record.label()];
  });
  for (const auto& [label, images] : images_of) found.add_person(images);
}

// Record 0 of InsightFace's layout says how many images and people there are. False for other layouts.
bool read_record_0(const RecordFile& file, FoundSource& found) {
  std::vector<std::byte> buffer;
  const ImageRecord first = file.record(0, buffer);
  if (!first.image.empty() || first.header.flag < 2 || first.label(0) < 2 || first.label(1) <= first.label(0))
    return false;
  found.images = static_cast<int64_t>(first.label(0)) - 1;
  found.people = static_cast<int64_t>(first.label(1) - first.label(0));
  found.people_of_two = found.people;  // as people who publish such sets make them
  found.images_of_three = found.images >= 3 * found.people ? found.images : 0;
  return true;
}

Role role_of_records(std::optional<Role> role, FoundSource& found) {
  if (role) return *role;
  if (found.people >= 2) return Role::kLabeled;
  found.guess = "all its labels are one, so it was read as strangers";
  return Role::kUnlabeled;
}

// "faces-00003-of-00010.rec": the first shard stands for it.
bool is_later_shard(std::string_view name) {
  const size_t of = name.rfind("-of-");
  if (of == std::string_view::npos || of < 6 || name[of - 6] != '-') return false;
  const std::string_view digits = name.substr(of - 5, 5);
  return digits.find_first_not_of("0123456789") == std::string_view::npos && digits != "00000";
}

void survey_records(const fs::path& rec, std::optional<Role> role, Collected& collected) {
  if (is_later_shard(rec.filename().string())) return;
  FoundSource found;
  found.path = rec;
  found.source.kind = RecordIoSource{{rec.string()}, {}};
  const RecordFile file(rec);
  if (file.num_shards() > 1 || !read_record_0(file, found)) count_records(file, found);
  found.source.role = role_of_records(role, found);
  const int64_t classes = classes_of_property(rec.parent_path() / "property");
  if (classes > 0 && found.source.role == Role::kLabeled) found.people = classes;
  found.what = concat("RecordIO of ", count_of(found.people, "person", "people"), ", ",
                      count_of(found.images, "image", "images"));
  if (found.source.role == Role::kUnlabeled) found.people = 0;
  collected.survey.sources.push_back(std::move(found));
}

void survey_bin(const fs::path& path, Collected& collected) {
  const BinSet set(path);
  const int64_t same = std::ranges::count(set.is_same(), uint8_t{1});
  FoundSource found;
  found.path = path;
  found.source.role = Role::kTest;
  found.source.kind = BinSource{{path.string()}};
  found.images = set.num_images();
  found.what = concat("verification set of ", count_of(set.num_pairs(), "pair", "pairs"));
  if (same == 0 || same == set.num_pairs())
    found.guess = concat("all its pairs are of ", same ? "one person" : "two people",
                         ", so it carries an accuracy, but no curve");
  found.protocols.push_back({"type: verification"});
  collected.survey.sources.push_back(std::move(found));
}

void survey_network(const fs::path& path, Collected& collected) {
  FoundNetwork found;
  const FaceNetwork network = open_face_network(path, "", 0);
  found.path = path;
  found.what = description(network);
  try {
    found.config = state_dict_of(network).config;
  } catch (const Error&) {  // another network than ours
  }
  collected.survey.networks.push_back(std::move(found));
}

void read_container(const fs::path& file, std::optional<Role> role, Collected& collected) {
  if (has_extension(file, {".rec"})) survey_records(file, role, collected);
  if (has_extension(file, {".bin"})) survey_bin(file, collected);
  if (has_extension(file, {".tar"})) survey_shards(file, role, collected);
  if (has_extension(file, {".onnx"})) survey_network(file, collected);
}

// What uir-index align writes beside its faces.
bool is_of_alignment(const fs::path& file) {
  const std::string name = file.filename().string();
  return name == "align.json" || name == "landmarks.tsv" || name == "not_found.txt";
}

}  // namespace

std::string count_of(int64_t n, std::string_view thing, std::string_view things) {
  std::string digits = std::to_string(n);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return concat(digits, ' ', n == 1 ? thing : things);
}

std::optional<ImageSize> most_frequent_size(std::span<const fs::path> images) {
  std::vector<std::pair<ImageSize, int>> sizes;
  for (const fs::path& path : images) {
    try {
      const ImageSize size = probe_image(MappedFile(path).bytes());
      const auto known = std::ranges::find(sizes, size, &std::pair<ImageSize, int>::first);
      if (known == sizes.end())
        sizes.emplace_back(size, 1);
      else
        ++known->second;
    } catch (const Error&) {  // uir-index will say so
    }
  }
  if (sizes.empty()) return std::nullopt;
  return std::ranges::max_element(sizes, {}, &std::pair<ImageSize, int>::second)->first;
}

bool survey_file(const fs::path& file, std::optional<Role> role, Collected& collected) {
  if (is_of_alignment(file)) return true;
  if (has_extension(file, {".rec", ".bin", ".tar", ".onnx"})) {
    try {
      read_container(file, role, collected);
    } catch (const Error& error) {
      collected.survey.left_out.emplace_back(error.what());
    }
    return true;
  }
  if (has_extension(file, {".txt", ".lst", ".list", ".csv"})) {
    collected.texts.push_back(file);
    return true;
  }
  if (has_extension(file, {".pt", ".pth", ".ckpt", ".safetensors"})) {
    collected.leave_out(
        file, "weights do not tell their network; name them in train.init.from, and the network in model");
    return true;
  }
  const std::string name = file.filename().string();
  return has_extension(file, {".idx"}) || name == "property" || name == "pack.json";
}

void survey_videos(const fs::path& folder, const std::vector<std::string>& names, std::optional<Role> role,
                   Collected& collected) {
  const std::string videos = count_of(static_cast<int64_t>(names.size()), "video", "videos");
  VideoReader reader(folder / names.front());
  const ImageSize size = reader.next() ? reader.picture().size : ImageSize{};
  if (size.width != size.height || size.width > kLargestFaceVideo || size.width == 0) {
    collected.leave_out(folder, videos, " of ", size.width, "x", size.height,
                        " pixels: faces must be found in them first: uir-index align ", folder.string(),
                        " --videos --fps 1 --detector yunet.onnx --out faces_of_videos");
    return;
  }
  VideosSource source;
  source.root.value = folder.string();
  source.frames_per_second = 1;
  FoundSource found;
  found.path = folder;
  found.source.kind = source;
  found.source.role = role.value_or(Role::kUnlabeled);
  if (found.source.role == Role::kLabeled) found.source.role = Role::kUnlabeled;  // no list says who it is
  found.images = static_cast<int64_t>(names.size());
  found.size = size;
  found.what = concat("folder of ", videos, " of aligned faces, one frame a second");
  found.guess = "its frames were read as faces of strangers, since nothing says who they are";
  collected.survey.sources.push_back(std::move(found));
}

}  // namespace uir
