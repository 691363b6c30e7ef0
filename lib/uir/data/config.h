// Config of the data road: where faces come from, how they are decoded, changed and batched. Free of
// LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "uir/config/visitor.h"
#include "uir/pixels/preparation.h"

namespace uir {

enum class Role { kLabeled, kUnlabeled, kTest };
template <>
struct EnumNames<Role> {
  static constexpr std::array<EnumName<Role>, 3> value{
      {{Role::kLabeled, "labeled"}, {Role::kUnlabeled, "unlabeled"}, {Role::kTest, "test"}}};
};

template <>
struct EnumNames<ColorOrder> {
  static constexpr std::array<EnumName<ColorOrder>, 2> value{
      {{ColorOrder::kRgb, "rgb"}, {ColorOrder::kBgr, "bgr"}}};
};

// One line of a list file; docs/formats.md has an example of each.
enum class ListFormat {
  kPathLabel,
  kPathSpaceLabel,
  kPath,
  kIm2rec,
  kInsightFace,
  kTrillionPairs,
  kPathPoints,
  kLandmarkCsv,
  kIjb
};
template <>
struct EnumNames<ListFormat> {
  static constexpr std::array<EnumName<ListFormat>, 9> value{
      {{ListFormat::kPathLabel, "path_label"},
       {ListFormat::kPathSpaceLabel, "path_space_label"},
       {ListFormat::kPath, "path"},
       {ListFormat::kIm2rec, "im2rec"},
       {ListFormat::kInsightFace, "insightface"},
       {ListFormat::kTrillionPairs, "trillionpairs"},
       {ListFormat::kPathPoints, "path_points"},
       {ListFormat::kLandmarkCsv, "landmark_csv"},
       {ListFormat::kIjb, "ijb"}}};
};

// One line of a list of video files.
enum class VideoListFormat { kName, kNameLabel, kLabelNames };
template <>
struct EnumNames<VideoListFormat> {
  static constexpr std::array<EnumName<VideoListFormat>, 3> value{
      {{VideoListFormat::kName, "name"},
       {VideoListFormat::kNameLabel, "name_label"},
       {VideoListFormat::kLabelNames, "label_names"}}};
};

// Which file of a sample in tar shards holds its label.
enum class SampleLabel { kCls, kTxt, kJson, kNone };
template <>
struct EnumNames<SampleLabel> {
  static constexpr std::array<EnumName<SampleLabel>, 4> value{{{SampleLabel::kCls, "cls"},
                                                               {SampleLabel::kTxt, "txt"},
                                                               {SampleLabel::kJson, "json"},
                                                               {SampleLabel::kNone, "none"}}};
};

// root/<identity>/<image>; as an unlabeled source any depth.
struct FolderSource {
  static constexpr std::string_view kType = "folder";
  DataPath root;
  DataPath landmarks;
};
template <class Visitor>
void describe(Visitor& v, FolderSource& c) {
  v.field("root", c.root, "Folder with one sub-folder per identity (unlabeled: images at any depth).",
          Required{});
  v.field("landmarks", c.landmarks, "CSV of five points per image; header names the columns, path first.");
}

struct ListSource {
  static constexpr std::string_view kType = "list";
  DataPath list;
  DataPath root;
  ListFormat format = ListFormat::kPathLabel;
  DataPath landmarks;
};
template <class Visitor>
void describe(Visitor& v, ListSource& c) {
  v.field("list", c.list, "The list file.", Required{});
  v.field("root", c.root, "Folder that the list's paths are relative to.", Required{});
  v.field("format", c.format, "What one line holds; never guessed.", Required{});
  v.field("landmarks", c.landmarks, "CSV of five points per image; header names the columns, path first.");
}

struct RecordIoSource {
  static constexpr std::string_view kType = "recordio";
  DataPath rec;
  DataPath idx;
};
template <class Visitor>
void describe(Visitor& v, RecordIoSource& c) {
  v.field("rec", c.rec, "The .rec file.", Required{});
  v.field("idx", c.idx,
          "The .idx file; empty: the .rec's name with .idx if that exists, else rebuilt by scanning.");
}

// Tar shards in webdataset's naming: KEY.jpg with KEY.cls, KEY.txt or KEY.json.
struct WebdatasetSource {
  static constexpr std::string_view kType = "webdataset";
  DataPath shards;
  SampleLabel label = SampleLabel::kCls;
  std::string json_field = "label";
};
template <class Visitor>
void describe(Visitor& v, WebdatasetSource& c) {
  v.field("shards", c.shards,
          "The tar files: a path with {000..123}, {a,b}, * and ? in it, as webdataset and shells write them.",
          Required{});
  v.field(
      "label", c.label,
      "Where a sample's label stands: cls: a whole number in KEY.cls; txt: a name in KEY.txt; json: either "
      "in a field of KEY.json; none: test images without identities. Not read of unlabeled sources.");
  v.field("json_field", c.json_field, "That field, in the outermost object.");
}

// A verification set of InsightFace (lfw.bin): images 2i and 2i+1 are pair i. Role test only.
struct BinSource {
  static constexpr std::string_view kType = "bin";
  DataPath file;
};
template <class Visitor>
void describe(Visitor& v, BinSource& c) {
  v.field("file", c.file, "The pickled verification set (.bin); read without executing anything.",
          Required{});
}

struct SyntheticSource {
  static constexpr std::string_view kType = "synthetic";
  int64_t identities = 100;
  int64_t images_per_identity = 10;
  int64_t first_identity = 0;
  uint64_t seed = 1;
};
template <class Visitor>
void describe(Visitor& v, SyntheticSource& c) {
  v.field("identities", c.identities, "Number of synthetic people.", AtLeast{1});
  v.field("images_per_identity", c.images_per_identity, "Faces of each.", AtLeast{1});
  v.field("first_identity", c.first_identity,
          "Number of the first person; ranges that do not overlap share nobody.", AtLeast{0});
  v.field("seed", c.seed, "Another seed, other people.");
}

// root/<video>/<frame>: aligned frames of videos, as the LFR challenge has them.
struct FramesSource {
  static constexpr std::string_view kType = "frames";
  DataPath root;
  DataPath list;
};
template <class Visitor>
void describe(Visitor& v, FramesSource& c) {
  v.field("root", c.root, "Folder with one sub-folder of frames per video.", Required{});
  v.field("list", c.list, "The videos in order: a line is 'video' or 'video number-of-frames'.", Required{});
}

// Faces in video files, one row per frame or per face that `faces` gives.
struct VideosSource {
  static constexpr std::string_view kType = "videos";
  DataPath root;
  DataPath list;
  VideoListFormat format = VideoListFormat::kName;
  DataPath faces;
  bool allow_faceless = false;
  int64_t every = 1;
  double frames_per_second = 0;
  int64_t max_frames = 0;
  int64_t missing_frames = 0;
};
template <class Visitor>
void describe(Visitor& v, VideosSource& c) {
  v.field("root", c.root, "Folder that holds the video files.", Required{});
  v.field("list", c.list,
          "The videos in order; empty: all video files below root, in byte order of their paths.");
  v.field("format", c.format, "What one line of the list holds; never guessed.");
  v.field("faces", c.faces,
          "CSV of boxes, and of five points if known (docs/formats.md); empty: every frame is one face.");
  v.field("allow_faceless", c.allow_faceless,
          "Videos without a face (in `faces`, in the frames that are taken) are left out with a warning, "
          "instead of being an error.");
  v.field("every", c.every, "Take every n-th frame, from the first on.", AtLeast{1});
  v.field("frames_per_second", c.frames_per_second,
          "Of these the first in each 1 / n second, by the frames' times; 0: all.", AtLeast{0});
  v.field("max_frames", c.max_frames, "At most so many frames of a video, evenly spread; 0: no limit.",
          AtLeast{0});
  v.field("missing_frames", c.missing_frames,
          "How many frames of a video may be damaged or missing before it is refused.", AtLeast{0});
}

struct SourceConfig {
  std::string name;
  Role role = Role::kLabeled;
  ColorOrder color_order = ColorOrder::kRgb;
  std::variant<FolderSource, ListSource, RecordIoSource, BinSource, SyntheticSource, FramesSource,
               VideosSource, WebdatasetSource>
      kind;
  std::array<int64_t, 2> shift{0, 0};
  double held_out = 0;
  DataPath exclude;
  DataPath label_map{};
};
template <class Visitor>
void describe(Visitor& v, SourceConfig& c) {
  v.field("name", c.name,
          "Short name of the source, used in reports and by protocols (letters, digits, _ and -).",
          Required{});
  v.field("role", c.role,
          "labeled: known identities; unlabeled: strangers for the UIR loss; test: never trained on.",
          Required{});
  v.variant("type", c.kind, "Kind of source.");
  v.field("shift", c.shift,
          "Moves every image by [x, y] pixels, border replicated ([8, 0] for 112x96 crops).",
          Between{-56, 56});
  v.field("color_order", c.color_order,
          "bgr where red and blue were swapped when the images were stored: they are swapped back.");
  v.field("held_out", c.held_out,
          "Share kept out of training for measurements: of each identity with at least 3 images, or of "
          "unlabeled images.",
          Between{0, 0.9});
  v.field("exclude", c.exclude,
          "List of images never to use: a line is an item of the source, and what follows a tab is not read "
          "(uir-index overlap and clean write such lists).");
  v.field("label_map", c.label_map,
          "List of identities that are another one: a line is an identity of the source, a tab, and the "
          "identity that it belongs to (uir-index clean writes such lists).");
}

// Every augmentation is drawn independently per image; probability 0 turns it off.
struct AugmentConfig {
  bool mirror = true;
  double crop = 0;
  double crop_min_area = 0.8;
  double color = 0;
  double color_strength = 0.3;
  double low_resolution = 0;
  double jpeg = 0;
  double blur = 0;
  double occlusion = 0;
};
template <class Visitor>
void describe(Visitor& v, AugmentConfig& c) {
  v.field("mirror", c.mirror, "Mirror half of the images left to right.");
  v.field("crop", c.crop, "Probability of a random crop, resized back.", Between{0, 1});
  v.field("crop_min_area", c.crop_min_area, "Smallest area of that crop, as a share of the image.",
          Between{0.1, 1});
  v.field("color", c.color, "Probability of a change of brightness, contrast and saturation.", Between{0, 1});
  v.field("color_strength", c.color_strength, "Largest relative change of each of the three.", Between{0, 1});
  v.field("low_resolution", c.low_resolution, "Probability of shrinking by 1.5 to 5 and enlarging again.",
          Between{0, 1});
  v.field("jpeg", c.jpeg, "Probability of a JPEG round trip at quality 20 to 75.", Between{0, 1});
  v.field("blur", c.blur, "Probability of Gaussian or motion blur.", Between{0, 1});
  v.field("occlusion", c.occlusion, "Probability of a grey rectangle over 5 to 25 % of the image.",
          Between{0, 1});
}

struct LoaderConfig {
  int64_t threads = 0;
  int64_t prefetch = 4;
  int64_t max_bad = 0;
};
template <class Visitor>
void describe(Visitor& v, LoaderConfig& c) {
  v.field("threads", c.threads, "Decoding threads; 0: one per processor.", Between{0, 1024});
  v.field("prefetch", c.prefetch, "Batches decoded ahead of the network.", Between{1, 64});
  v.field("max_bad", c.max_bad,
          "Undecodable images tolerated in a run; each is replaced by the next good one of its stream and "
          "logged.",
          AtLeast{0});
}

struct DataConfig {
  std::vector<SourceConfig> sources;
  AugmentConfig augment;
  LoaderConfig loader;
};
template <class Visitor>
void describe(Visitor& v, DataConfig& c) {
  v.list("sources", c.sources, "Where faces come from; labeled sources get disjoint identities.",
         MayDifferOnResume{});
  v.section("augment", c.augment, "Random changes to training images.");
  v.section("loader", c.loader, "Decoding and batching.", MayDifferOnResume{});
}

}  // namespace uir
