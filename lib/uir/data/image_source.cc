#include "uir/data/image_source.h"

#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/data/color_order.h"
#include "uir/data/synthetic.h"
#include "uir/data/tar_shards.h"
#include "uir/data/video_images.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/images/align.h"
#include "uir/images/decode.h"
#include "uir/images/image_folder.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr ImageSize kNetworkSize{static_cast<int>(kImageSize), static_cast<int>(kImageSize)};

[[noreturn]] void fail_changed(const std::string& how) {
  fail(ErrorKind::kData, "changed since it was indexed (", how, "); run uir-index again");
}

SyntheticSource synthetic_source(const SourceInfo& info) {
  const std::string place = concat("source '", info.name, "'");
  SyntheticSource source;
  source.identities = json_at<int64_t>(info.settings, "identities", place);
  source.images_per_identity = json_at<int64_t>(info.settings, "images_per_identity", place);
  source.first_identity = json_at<int64_t>(info.settings, "first_identity", place);
  source.seed = json_at<uint64_t>(info.settings, "seed", place);
  return source;
}

// What a source needs open while its rows are read.
struct SourceStorage {
  ColorOrder colors = ColorOrder::kRgb;
  std::optional<ImageFolder> files;     // kFiles
  std::optional<RecordFile> record;     // kRecordIo
  std::optional<BinSet> bin;            // kBin
  SyntheticSource synthetic;            // kSynthetic
  std::unique_ptr<VideoImages> videos;  // kVideos
  std::optional<TarShards> tar;         // kTar
};

SourceStorage open_storage(const Index& index, const SourceInfo& info) {
  SourceStorage storage;
  storage.colors = color_order_of(info);
  switch (info.kind) {
    case SourceKind::kFiles:
      try {
        storage.files.emplace(info.path);
      } catch (const Error& error) {
        throw error.at(concat("source '", info.name, "'"));
      }
      break;
    case SourceKind::kRecordIo:
      storage.record.emplace(info.path);
      break;
    case SourceKind::kBin:
      storage.bin.emplace(info.path);
      break;
    case SourceKind::kSynthetic:
      storage.synthetic = synthetic_source(info);
      break;
    case SourceKind::kVideos:
      storage.videos = std::make_unique<VideoImages>(index, info);
      break;
    case SourceKind::kTar:
      storage.tar.emplace(info.shards);
      break;
  }
  return storage;
}

}  // namespace

struct ImageSource::Impl {
  explicit Impl(Index opened) : index(std::move(opened)) {
    for (const SourceInfo& info : index.sources()) storages.push_back(open_storage(index, info));
  }

  const SourceStorage& storage_of(const SourceInfo& info) const {
    return storages[static_cast<size_t>(&info - index.sources().data())];
  }

  // The row's bytes, checked against the index: a view of a mapped file, or read into `buffer`.
  Bytes stored(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    const Bytes bytes = info.kind == SourceKind::kFiles      ? stored_in_file(info, row, buffer)
                        : info.kind == SourceKind::kRecordIo ? stored_in_record(info, row, buffer)
                        : info.kind == SourceKind::kTar      ? stored_in_tar(info, row)
                                                             : stored_in_bin(info, row);
    if (content_hash(bytes) != index.hashes()[static_cast<size_t>(row)]) fail_changed("other content");
    return bytes;
  }

  Bytes stored_in_file(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    const ImageFile file = storage_of(info).files->open(std::string(index.item(row)));
    const uint32_t size = index.sizes()[static_cast<size_t>(row)];
    buffer.resize(size_t{size} + 1);
    const std::optional<size_t> read = file.read(buffer, size);
    if (!read) fail_changed("no longer a file");
    if (read != size) fail_changed(concat(*read > size ? "longer" : "shorter", " than ", size, " bytes"));
    return Bytes(buffer).first(size);
  }

  Bytes stored_in_record(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    return storage_of(info).record->record(index.offsets()[static_cast<size_t>(row)], buffer).image;
  }

  Bytes stored_in_tar(const SourceInfo& info, int64_t row) const {
    const auto i = static_cast<size_t>(row);
    const std::optional<Bytes> bytes = storage_of(info).tar->bytes(index.offsets()[i], index.sizes()[i]);
    if (!bytes) fail_changed("its shard ends before it");
    return *bytes;
  }

  Bytes stored_in_bin(const SourceInfo& info, int64_t row) const {
    const BinSet& bin = *storage_of(info).bin;
    const uint64_t image = index.offsets()[static_cast<size_t>(row)];
    if (image >= static_cast<uint64_t>(bin.num_images()))
      fail_changed(concat("only ", bin.num_images(), " images"));
    return bin.image(static_cast<int64_t>(image));
  }

  void load_synthetic(const SourceInfo& info, int64_t row, uint8_t* rgb) const {
    const SyntheticSource& source = storage_of(info).synthetic;
    const int64_t number = row - info.first_row;
    render_synthetic_face(source, number / source.images_per_identity, number % source.images_per_identity,
                          rgb);
  }

  // Decodes straight into rgb when the image has the network's size; true if it was aligned by landmarks.
  bool decode_and_fit(int64_t row, Bytes bytes, uint8_t* rgb) const {
    if (decode_image_of_size(bytes, kNetworkSize, rgb)) return false;
    thread_local RgbImage image;
    decode_image(bytes, image);
    if (index.flags()[static_cast<size_t>(row)] & kHasLandmarks) {
      align_face(image, index.landmarks()[static_cast<size_t>(row)], rgb);
      return true;
    }
    resize_face(image, rgb);
    return false;
  }

  void load(const SourceInfo& info, int64_t row, uint8_t* rgb) const {
    load_as_stored(info, row, rgb);
    if (storage_of(info).colors == ColorOrder::kRgb) return;
    for (size_t i = 0; i < kImageBytes; i += 3) std::swap(rgb[i], rgb[i + 2]);
  }

  // The colours in the order in which the source has them.
  void load_as_stored(const SourceInfo& info, int64_t row, uint8_t* rgb) const {
    if (info.kind == SourceKind::kVideos) return storage_of(info).videos->load(row, rgb);
    bool aligned = false;
    if (info.kind == SourceKind::kSynthetic) {
      load_synthetic(info, row, rgb);
    } else {
      thread_local std::vector<std::byte> buffer;
      aligned = decode_and_fit(row, stored(info, row, buffer), rgb);
    }
    if (!aligned) shift_face(rgb, info.shift[0], info.shift[1]);
  }

  Index index;
  std::vector<SourceStorage> storages;  // one per source of the index
};

ImageSource::ImageSource(Index index) : impl_(std::make_unique<Impl>(std::move(index))) {}
ImageSource::~ImageSource() = default;
ImageSource::ImageSource(ImageSource&&) noexcept = default;

const Index& ImageSource::index() const { return impl_->index; }

void ImageSource::load(int64_t row, uint8_t* rgb) const {
  try {
    impl_->load(impl_->index.source_of_row(row), row, rgb);
  } catch (const Error& error) {
    throw error.at(describe(row));
  }
}

std::vector<std::byte> ImageSource::encoded(int64_t row) const {
  const SourceInfo& info = impl_->index.source_of_row(row);
  std::vector<std::byte> buffer;
  try {
    if (!has_encoded_images(info.kind)) {
      buffer.resize(kImageBytes);
      impl_->load(info, row, reinterpret_cast<uint8_t*>(buffer.data()));
      return buffer;
    }
    const Bytes bytes = impl_->stored(info, row, buffer);
    return {bytes.begin(), bytes.end()};
  } catch (const Error& error) {
    throw error.at(describe(row));
  }
}

bool ImageSource::as_jpeg(int64_t row, int quality, std::vector<std::byte>& encoded_row) const {
  const SourceInfo& source = index().source_of_row(row);
  const bool fits = !(index().flags()[static_cast<size_t>(row)] & kNotNetworkSize) &&
                    source.shift == std::array<int64_t, 2>{0, 0} &&
                    impl_->storage_of(source).colors == ColorOrder::kRgb;
  if (fits && has_encoded_images(source.kind)) {
    encoded_row = encoded(row);
    if (is_jpeg(encoded_row)) return true;
  }
  thread_local std::vector<uint8_t> rgb(kImageBytes);
  load(row, rgb.data());
  encoded_row = encode_jpeg(rgb.data(), kNetworkSize, quality);
  return false;
}

std::string ImageSource::describe(int64_t row) const {
  return concat("source '", impl_->index.source_of_row(row).name, "': ", impl_->index.item(row));
}

}  // namespace uir
