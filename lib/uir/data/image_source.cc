#include "uir/data/image_source.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "uir/base/error.h"
#include "uir/data/align.h"
#include "uir/data/bin_set.h"
#include "uir/data/decode.h"
#include "uir/data/loader.h"
#include "uir/data/recordio.h"
#include "uir/data/synthetic.h"

namespace uir {
namespace {

constexpr ImageSize kNetworkSize{static_cast<int>(kImageSize), static_cast<int>(kImageSize)};

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail_changed(const std::string& how) {
  fail(ErrorKind::kData, "changed since it was indexed (", how, "); run uir-index again");
}

// Opens a file below a folder. The kernel itself keeps the path inside (one system call instead of a resolution
// of every link); where it cannot or will not, resolve_inside decides. A pipe in place of the file does not block.
FileDescriptor open_inside(const FileDescriptor& root_fd, const fs::path& root, const std::string& item) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  auto fd = static_cast<int>(::syscall(SYS_openat2, root_fd.get(), item.c_str(), &how, sizeof how));
  if (fd < 0) fd = ::open(resolve_inside(root, item).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(ErrorKind::kMissingInput, "cannot open: ", std::strerror(errno));
  return FileDescriptor(fd);
}

// Reads until there are at least `expected` bytes, or the file ends. Bytes has room for one more, which shows a
// longer file without another system call.
size_t read_file(int fd, size_t expected, std::span<std::byte> bytes) {
  size_t done = 0;
  while (done < expected) {
    const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (errno == EISDIR || errno == EAGAIN) {
      fail_changed("no longer a file");
    } else if (errno != EINTR) {
      fail(ErrorKind::kIo, "cannot read: ", std::strerror(errno));
    }
  }
  return done;
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
struct OpenSource {
  FileDescriptor root;               // kFiles
  std::optional<RecordFile> record;  // kRecordIo
  std::optional<BinSet> bin;         // kBin
  SyntheticSource synthetic;         // kSynthetic
};

OpenSource open_source(const SourceInfo& info) {
  OpenSource source;
  switch (info.kind) {
    case SourceKind::kFiles:
      source.root = FileDescriptor(::open(info.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (source.root.get() < 0) {
        fail(ErrorKind::kMissingInput, "source '", info.name, "': ", info.path.string(),
             ": cannot open the folder: ", std::strerror(errno));
      }
      break;
    case SourceKind::kRecordIo:
      source.record.emplace(info.path);
      break;
    case SourceKind::kBin:
      source.bin.emplace(info.path);
      break;
    case SourceKind::kSynthetic:
      source.synthetic = synthetic_source(info);
      break;
  }
  return source;
}

}  // namespace

struct ImageSource::Impl {
  explicit Impl(Index opened) : index(std::move(opened)) {
    for (const SourceInfo& info : index.sources()) open.push_back(open_source(info));
  }

  const OpenSource& open_of(const SourceInfo& info) const {
    return open[static_cast<size_t>(&info - index.sources().data())];
  }

  // The row's bytes, checked against the index: a view of a mapped file, or read into `buffer`.
  Bytes stored(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    const Bytes bytes = info.kind == SourceKind::kFiles      ? stored_in_file(info, row, buffer)
                        : info.kind == SourceKind::kRecordIo ? stored_in_record(info, row, buffer)
                                                             : stored_in_bin(info, row);
    if (content_hash(bytes) != index.hashes()[static_cast<size_t>(row)]) fail_changed("other content");
    return bytes;
  }

  Bytes stored_in_file(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    const FileDescriptor file = open_inside(open_of(info).root, info.path, std::string(index.item(row)));
    const uint32_t size = index.sizes()[static_cast<size_t>(row)];
    buffer.resize(size_t{size} + 1);
    const size_t read = read_file(file.get(), size, buffer);
    if (read != size) fail_changed(concat(read > size ? "longer" : "shorter", " than ", size, " bytes"));
    return Bytes(buffer).first(size);
  }

  Bytes stored_in_record(const SourceInfo& info, int64_t row, std::vector<std::byte>& buffer) const {
    return open_of(info).record->record(index.offsets()[static_cast<size_t>(row)], buffer).image;
  }

  Bytes stored_in_bin(const SourceInfo& info, int64_t row) const {
    const BinSet& bin = *open_of(info).bin;
    const uint64_t image = index.offsets()[static_cast<size_t>(row)];
    if (image >= static_cast<uint64_t>(bin.num_images()))
      fail_changed(concat("only ", bin.num_images(), " images"));
    return bin.image(static_cast<int64_t>(image));
  }

  void load_synthetic(const SourceInfo& info, int64_t row, uint8_t* rgb) const {
    const SyntheticSource& source = open_of(info).synthetic;
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
  std::vector<OpenSource> open;  // one per source of the index
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
    if (info.kind == SourceKind::kSynthetic) {
      buffer.resize(kImageBytes);
      impl_->load_synthetic(info, row, reinterpret_cast<uint8_t*>(buffer.data()));
      return buffer;
    }
    const Bytes bytes = impl_->stored(info, row, buffer);
    return {bytes.begin(), bytes.end()};
  } catch (const Error& error) {
    throw error.at(describe(row));
  }
}

std::string ImageSource::describe(int64_t row) const {
  return concat("source '", impl_->index.source_of_row(row).name, "': ", impl_->index.item(row));
}

}  // namespace uir
