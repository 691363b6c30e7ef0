#include "uir/data/pack.h"

#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/base/random.h"
#include "uir/data/image_source.h"
#include "uir/formats/recordio.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr std::string_view kManifestName = "pack.json";
constexpr size_t kImagesPerBatch = 1024;

// An image of a shard: keys run by class and row, the order in the file is random.
struct PackedImage {
  int64_t label, row;
  uint64_t key = 0;
};

// Keys of one identity's images.
struct IdentityKeys {
  uint64_t first, end;
};

std::vector<PackedImage> images_of_shard(const Index& index, const std::vector<int64_t>& rows,
                                         const RandomPermutation& order, uint64_t begin, uint64_t end) {
  std::vector<PackedImage> images;
  images.reserve(end - begin);
  for (uint64_t i = begin; i < end; ++i) {
    const int64_t row = rows[order(i)];
    images.push_back({index.labels()[static_cast<size_t>(row)], row});
  }
  return images;
}

std::vector<IdentityKeys> number_keys(std::vector<PackedImage>& images) {
  std::vector<PackedImage*> by_class;
  for (PackedImage& image : images) by_class.push_back(&image);
  std::sort(by_class.begin(), by_class.end(), [](const PackedImage* a, const PackedImage* b) {
    return std::pair(a->label, a->row) < std::pair(b->label, b->row);
  });
  std::vector<IdentityKeys> identities;
  for (size_t i = 0; i < by_class.size(); ++i) {
    by_class[i]->key = i + 1;
    if (by_class[i]->label < 0) continue;
    if (i == 0 || by_class[i]->label != by_class[i - 1]->label) identities.push_back({i + 1, i + 1});
    identities.back().end = i + 2;
  }
  return identities;
}

class Packer {
 public:
  Packer(const Index& index, const fs::path& folder, const PackOptions& options)
      : index_(index), images_(index), folder_(folder), options_(options) {}

  PackReport run() {
    PackReport report;
    report.labeled = pack_role(Role::kLabeled, report);
    report.unlabeled = pack_role(Role::kUnlabeled, report);
    if (report.labeled + report.unlabeled == 0)
      fail(ErrorKind::kData, "the index has no images to train on; there is nothing to pack");
    write_text("property", concat(index_.num_classes(), ",", kImageSize, ",", kImageSize, "\n"));
    write_text(kManifestName, manifest(report).dump(2) + "\n");
    folder_.commit();
    return report;
  }

 private:
  int64_t pack_role(Role role, PackReport& report) {
    const std::vector<int64_t> rows = index_.training_rows(role);
    if (rows.empty()) return 0;
    const uint64_t n = rows.size();
    const auto num_shards = static_cast<size_t>((n + per_shard() - 1) / per_shard());
    const RandomPermutation order(n, options_.seed, RandomPurpose::kPack, static_cast<uint64_t>(role));
    Progress progress(concat("packing ", enum_name(role), " images"), "images", static_cast<int64_t>(n));
    for (size_t shard = 0; shard < num_shards; ++shard) {
      auto images =
          images_of_shard(index_, rows, order, n * shard / num_shards, n * (shard + 1) / num_shards);
      write_shard(folder_.path() / shard_name(std::string(enum_name(role)), shard, num_shards), images,
                  report, progress);
    }
    report.shards += static_cast<int64_t>(num_shards);
    return static_cast<int64_t>(n);
  }

  uint64_t per_shard() const { return static_cast<uint64_t>(options_.images_per_shard); }

  void write_shard(const fs::path& rec, std::vector<PackedImage>& images, PackReport& report,
                   Progress& progress) {
    const std::vector<IdentityKeys> identities = number_keys(images);
    RecordWriter writer(rec, fs::path(rec).replace_extension(".idx"));
    for (size_t begin = 0; begin < images.size(); begin += kImagesPerBatch) {
      const size_t end = std::min(images.size(), begin + kImagesPerBatch);
      write_images(writer, std::span(images).subspan(begin, end - begin), report);
      progress.add(static_cast<int64_t>(end - begin));
    }
    write_identities(writer, images.size(), identities);
    writer.close();
    add_file(writer.rec());
    add_file(writer.idx());
  }

  // Reads (and encodes) on all threads, writes in order.
  void write_images(RecordWriter& writer, std::span<const PackedImage> images, PackReport& report) {
    std::vector<std::vector<std::byte>> encoded(images.size());
    std::vector<uint8_t> copied(images.size());
    parallel_blocks(static_cast<int64_t>(images.size()), 16, options_.threads,
                    [&](int64_t begin, int64_t end) {
                      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
                        copied[i] = images_.as_jpeg(images[i].row, options_.quality, encoded[i]);
                    });
    for (size_t i = 0; i < images.size(); ++i) {
      writer.write(images[i].key, static_cast<float>(images[i].label), encoded[i]);
      ++(copied[i] ? report.copied : report.encoded);
    }
  }

  // What InsightFace's readers look for: key 0 tells where images end, then comes one record per identity.
  static void write_identities(RecordWriter& writer, uint64_t num_images,
                               const std::vector<IdentityKeys>& identities) {
    uint64_t key = num_images + 1;
    for (const IdentityKeys& identity : identities) {
      writer.write(key++, std::array{static_cast<float>(identity.first), static_cast<float>(identity.end)},
                   {});
    }
    writer.write(0, std::array{static_cast<float>(num_images + 1), static_cast<float>(key)}, {});
  }

  void write_text(std::string_view name, const std::string& text) {
    OutputFile file(folder_.path() / name);
    file.write(text);
    file.close();
    add_file(file);
  }

  void add_file(const OutputFile& file) {
    files_[file.path().filename().string()] = {{"bytes", file.size()},
                                               {"checksum", checksum_hex(file.checksum())}};
  }

  Json manifest(const PackReport& report) const {
    return {{"format", "uir-pack"},
            {"version", 1},
            {"labeled", report.labeled},
            {"unlabeled", report.unlabeled},
            {"copied", report.copied},
            {"encoded", report.encoded},
            {"num_classes", index_.num_classes()},
            {"classes_fingerprint", index_.classes_fingerprint()},
            {"index_fingerprint", index_.fingerprint()},
            {"quality", options_.quality},
            {"seed", options_.seed},
            {"files", files_}};
  }

  const Index& index_;
  ImageSource images_;
  AtomicFolder folder_;
  PackOptions options_;
  Json files_ = Json::object();
};

void check_options(const PackOptions& options) {
  // Keys are stored as float32, too, and these are exact only up to 2^24 (identities need keys beyond the
  // images).
  constexpr int64_t kMaxImagesPerShard = int64_t{1} << 23;
  if (options.images_per_shard < 1 || options.images_per_shard >= kMaxImagesPerShard) {
    fail(ErrorKind::kConfig, "a shard can hold 1 to ", kMaxImagesPerShard - 1, " images, not ",
         options.images_per_shard);
  }
  if (options.quality < 1 || options.quality > 100)
    fail(ErrorKind::kConfig, "JPEG quality ", options.quality, " is not in 1 to 100");
}

void check_labels(const Index& index) {
  constexpr int64_t kMaxClasses = 1 << 24;
  if (index.num_classes() > kMaxClasses) {
    fail(ErrorKind::kData, "RecordIO stores labels as float32, exact for ", kMaxClasses,
         " classes; the index has ", index.num_classes());
  }
}

void check_file(const fs::path& path, const Json& entry, const std::string& place) {
  const MappedFile file(path);
  const auto bytes = json_at<uint64_t>(entry, "bytes", place);
  const auto checksum = json_at<std::string>(entry, "checksum", place);
  if (file.bytes().size() != bytes || checksum_hex(file.bytes()) != checksum) {
    fail(ErrorKind::kData, path.string(), ": damaged: size or checksum differ from those in ", place,
         "; pack again with uir-index --pack");
  }
}

}  // namespace

std::vector<std::string> PackReport::lines() const {
  return {concat("packed ", labeled, " labeled and ", unlabeled, " unlabeled images into ", shards,
                 " shards: ", copied, " unchanged, ", encoded, " encoded anew")};
}

PackReport pack_index(const Index& index, const fs::path& folder, const PackOptions& options) {
  check_options(options);
  check_labels(index);
  return Packer(index, folder, options).run();
}

void check_pack(const fs::path& rec) {
  const fs::path manifest_path = rec.parent_path() / kManifestName;
  if (!fs::exists(manifest_path)) return;
  const std::string place = manifest_path.string();
  const Json files = json_at<Json>(read_json_file(manifest_path), "files", place);
  for (const fs::path& shard : shard_paths(rec)) {
    const std::string name = shard.filename().string();
    if (files.contains(name)) check_file(shard, files[name], place);
  }
}

}  // namespace uir
