// safetensors files: named arrays behind a JSON header, read from strangers without trust. Free of LibTorch.
//
// Format: u64 header length (little-endian) | JSON header | data. The header maps each tensor's name to
// {"dtype", "shape", "data_offsets": [begin, end)} relative to the data, and optionally "__metadata__" to a
// map of texts. What the reader accepts: a header of at most 100 MB that is strict JSON without repeated or
// unknown keys, the element types of TensorType (others are refused by name), offsets that cover the data
// without gap or overlap, and sizes that agree with shape and type.
// Cost: opening parses the header only; memory is a small multiple of the header's length.
// Errors: kMissingInput, kData naming the file and the tensor; writing as OutputFile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

enum class TensorType { kFloat64, kFloat32, kFloat16, kBFloat16, kInt64, kInt32, kUInt8, kBool };
size_t element_size(TensorType type);
std::string_view type_name(TensorType type);  // as in the file: "F32"

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::kFloat32;
  std::vector<int64_t> shape;
};
// Bytes of the tensor; none if that exceeds 63 bits or a size is negative.
std::optional<uint64_t> byte_size(const TensorInfo& info);

// A tensor inside a mapped file; the bytes may be misaligned for their type.
struct TensorView : TensorInfo {
  Bytes bytes;
};

using Metadata = std::map<std::string, std::string>;

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);

  const std::vector<TensorView>& tensors() const { return tensors_; }  // by position in the file
  const TensorView* find(std::string_view name) const;                 // null if there is none
  const TensorView& at(std::string_view name) const;                   // kData if there is none
  const Metadata& metadata() const { return metadata_; }
  const MappedFile& file() const { return file_; }

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::vector<uint32_t> by_name_;  // positions in tensors_, sorted by name
  Metadata metadata_;
};

// Writes a file tensor by tensor; memory does not grow with it. Not atomic by itself.
class SafetensorsWriter {
 public:
  // All tensors must be announced, in the order in which write() will get them.
  SafetensorsWriter(const fs::path& path, std::vector<TensorInfo> tensors, const Metadata& metadata);

  // The next tensor, whole.
  void write(Bytes bytes);
  // fsyncs; every tensor must have been written.
  void close();

  uint64_t size() const { return out_.size(); }
  uint64_t checksum() const { return out_.checksum(); }  // of the whole file
  const std::map<std::string, uint64_t>& tensor_checksums() const { return checksums_; }

 private:
  std::vector<TensorInfo> tensors_;
  size_t next_ = 0;
  std::map<std::string, uint64_t> checksums_;
  OutputFile out_;
};

}  // namespace uir
