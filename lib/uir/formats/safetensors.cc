#include "uir/formats/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxRank = 64;
constexpr std::string_view kMetadataKey = "__metadata__";

struct TypeRow {
  TensorType type;
  std::string_view name;
  size_t size;
};
constexpr TypeRow kTypes[] = {
    {TensorType::kFloat64, "F64", 8},   {TensorType::kFloat32, "F32", 4}, {TensorType::kFloat16, "F16", 2},
    {TensorType::kBFloat16, "BF16", 2}, {TensorType::kInt64, "I64", 8},   {TensorType::kInt32, "I32", 4},
    {TensorType::kUInt8, "U8", 1},      {TensorType::kBool, "BOOL", 1},
};

// A name from a stranger's file, safe to print.
std::string quoted(const std::string& name) {
  return nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Receives the header's JSON events and accepts exactly the format's grammar, so that nothing nests and
// nothing is allocated beyond the header's own content. Offsets are checked afterwards.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  struct Entry {
    TensorInfo info;
    uint64_t begin = 0, end = 0;
  };

  explicit HeaderReader(const fs::path& path) : path_(path) {}

  std::vector<Entry> entries;
  Metadata metadata;

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, path_.string(), ": safetensors header: ", parts...);
  }

  bool start_object(size_t) override {
    switch (place_) {
      case Place::kStart:
        place_ = Place::kRoot;
        return true;
      case Place::kMetadataStart:
        place_ = Place::kMetadata;
        return true;
      case Place::kTensorStart:
        place_ = Place::kTensor;
        return true;
      default:
        refuse_value("an object");
    }
  }

  bool key(string_t& name) override {
    if (place_ == Place::kRoot) {
      root_key(name);
    } else if (place_ == Place::kMetadata) {
      metadata_value_ = start_metadata_entry(name);
    } else {
      tensor_key(name);
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor && !(has_type_ && has_shape_ && has_offsets_)) {
      refuse("tensor ", tensor(), " lacks dtype, shape or data_offsets");
    }
    place_ = place_ == Place::kRoot ? Place::kEnd : Place::kRoot;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ == Place::kShapeStart) {
      place_ = Place::kShape;
    } else if (place_ == Place::kOffsetsStart) {
      place_ = Place::kOffsets;
      num_offsets_ = 0;
    } else {
      refuse_value("an array");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kOffsets && num_offsets_ != 2)
      refuse("tensor ", tensor(), ": expected two data_offsets");
    place_ = Place::kTensor;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      add_size(value);
    } else if (place_ == Place::kOffsets && num_offsets_ < 2) {
      (num_offsets_++ == 0 ? entries.back().begin : entries.back().end) = value;
    } else {
      refuse_value("a number");
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kTypeStart) {
      entries.back().info.type = parse_type(value);
      place_ = Place::kTensor;
    } else if (place_ == Place::kMetadata && metadata_value_) {
      *std::exchange(metadata_value_, nullptr) = std::move(value);
    } else {
      refuse_value("a text");
    }
    return true;
  }

  bool null() override { refuse_value("null"); }
  bool boolean(bool) override { refuse_value("a truth value"); }
  bool number_integer(number_integer_t) override { refuse_value("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { refuse_value("a fraction"); }
  bool binary(binary_t&) override { refuse_value("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& e) override {
    refuse("byte ", position, ": ",
           std::string_view(e.what()).substr(0, 200));  // it may quote the whole header
  }

 private:
  enum class Place {
    kStart,
    kRoot,
    kMetadataStart,
    kMetadata,
    kTensorStart,
    kTensor,
    kTypeStart,
    kShapeStart,
    kShape,
    kOffsetsStart,
    kOffsets,
    kEnd,
  };

  std::string tensor() const { return quoted(entries.back().info.name); }

  [[noreturn]] void refuse_value(std::string_view what) const {
    if (entries.empty()) refuse(what, " where the format has none");
    refuse(what, " where the format has none, in or after tensor ", tensor());
  }

  void root_key(string_t& name) {
    if (name == kMetadataKey) {
      if (std::exchange(has_metadata_, true)) refuse("repeated ", kMetadataKey);
      place_ = Place::kMetadataStart;
      return;
    }
    entries.emplace_back().info.name = std::move(name);
    has_type_ = has_shape_ = has_offsets_ = false;
    place_ = Place::kTensorStart;
  }

  std::string* start_metadata_entry(const string_t& name) {
    const auto [entry, is_new] = metadata.try_emplace(name);
    if (!is_new) refuse("repeated metadata ", quoted(name));
    return &entry->second;
  }

  void tensor_key(const string_t& name) {
    bool* seen = nullptr;
    if (name == "dtype") {
      seen = &has_type_;
      place_ = Place::kTypeStart;
    } else if (name == "shape") {
      seen = &has_shape_;
      place_ = Place::kShapeStart;
    } else if (name == "data_offsets") {
      seen = &has_offsets_;
      place_ = Place::kOffsetsStart;
    } else {
      refuse("tensor ", tensor(), ": unknown key ", quoted(name));
    }
    if (std::exchange(*seen, true)) refuse("tensor ", tensor(), ": repeated key ", name);
  }

  void add_size(uint64_t value) {
    auto& shape = entries.back().info.shape;
    if (shape.size() == kMaxRank) refuse("tensor ", tensor(), ": more than ", kMaxRank, " dimensions");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      refuse("tensor ", tensor(), ": size ", value, " is too large");
    }
    shape.push_back(static_cast<int64_t>(value));
  }

  TensorType parse_type(const string_t& name) const {
    for (const TypeRow& row : kTypes) {
      if (row.name == name) return row.type;
    }
    refuse("tensor ", tensor(), ": unsupported dtype ", quoted(name),
           "; expected F64, F32, F16, BF16, I64, I32, U8 or BOOL: save it as float32");
  }

  const fs::path& path_;
  Place place_ = Place::kStart;
  bool has_metadata_ = false, has_type_ = false, has_shape_ = false, has_offsets_ = false;
  int num_offsets_ = 0;
  std::string* metadata_value_ = nullptr;  // where the next text goes
};

// The header's text; the data follow it.
std::string_view header_text(const MappedFile& file) {
  const std::string_view all = as_text(file.bytes());
  uint64_t length = 0;
  if (all.size() < sizeof length) {
    fail(ErrorKind::kData, file.path().string(), ": ", all.size(),
         " bytes are too few for a safetensors file");
  }
  std::memcpy(&length, all.data(), sizeof length);
  if (length > std::min<uint64_t>(kMaxHeader, all.size() - sizeof length)) {
    fail(ErrorKind::kData, file.path().string(), ": not a safetensors file, or truncated: header of ", length,
         " bytes in a file of ", all.size(), " (at most ", kMaxHeader, " are allowed)");
  }
  return all.substr(sizeof length, length);
}

void parse_header(std::string_view text, HeaderReader& reader) {
  // The JSON reader would skip a byte order mark and take a zero byte for the end.
  if (!text.starts_with('{') || text.find('\0') != std::string_view::npos) reader.refuse("not a JSON object");
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
}

// Sorts by offset and checks that the tensors tile [0, data_size).
void check_layout(HeaderReader& reader, uint64_t data_size) {
  using Entry = HeaderReader::Entry;
  std::stable_sort(reader.entries.begin(), reader.entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t position = 0;
  for (const Entry& entry : reader.entries) {
    const std::optional<uint64_t> size = byte_size(entry.info);
    if (!size) reader.refuse("tensor ", quoted(entry.info.name), ": its shape is too large");
    if (entry.begin != position || entry.end < entry.begin || entry.end > data_size ||
        entry.end - entry.begin != *size) {
      reader.refuse("tensor ", quoted(entry.info.name), ": data_offsets [", entry.begin, ", ", entry.end,
                    "), expected ", *size, " bytes from ", position, " inside ", data_size);
    }
    position = entry.end;
  }
  if (position != data_size)
    reader.refuse("the tensors cover ", position, " of ", data_size, " bytes of data");
}

std::string make_header(const std::vector<TensorInfo>& tensors, const Metadata& metadata) {
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  uint64_t position = 0;
  for (const TensorInfo& tensor : tensors) {
    ensure(tensor.name != kMetadataKey && !header.contains(tensor.name), "tensor names are unique");
    const uint64_t end = position + byte_size(tensor).value();
    header[tensor.name] = {
        {"dtype", type_name(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data start aligned
  ensure(text.size() <= kMaxHeader, "a safetensors header has at most 100 MB");
  return text;
}

}  // namespace

size_t element_size(TensorType type) { return kTypes[static_cast<size_t>(type)].size; }
std::string_view type_name(TensorType type) { return kTypes[static_cast<size_t>(type)].name; }

std::optional<uint64_t> byte_size(const TensorInfo& info) {
  int64_t product = static_cast<int64_t>(element_size(info.type));
  bool empty = false;
  for (const int64_t size : info.shape) {
    // Zero sizes are left out of the product: whether the others overflow must not depend on their order.
    empty |= size == 0;
    if (size < 0 || (size > 0 && __builtin_mul_overflow(product, size, &product))) return std::nullopt;
  }
  return empty ? 0 : static_cast<uint64_t>(product);
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : file_(path) {
  const std::string_view header = header_text(file_);
  const Bytes data = file_.bytes().subspan(sizeof(uint64_t) + header.size());
  HeaderReader reader(path);
  parse_header(header, reader);
  check_layout(reader, data.size());
  tensors_.reserve(reader.entries.size());
  for (auto& entry : reader.entries) {
    tensors_.push_back({std::move(entry.info), data.subspan(entry.begin, entry.end - entry.begin)});
  }
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  const auto name = [&](uint32_t i) -> const std::string& { return tensors_[i].name; };
  std::sort(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  const auto repeated = std::adjacent_find(by_name_.begin(), by_name_.end(),
                                           [&](uint32_t a, uint32_t b) { return name(a) == name(b); });
  if (repeated != by_name_.end()) reader.refuse("repeated tensor ", quoted(name(*repeated)));
  metadata_ = std::move(reader.metadata);
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](uint32_t i, std::string_view wanted) { return tensors_[i].name < wanted; });
  return found != by_name_.end() && tensors_[*found].name == name ? &tensors_[*found] : nullptr;
}

const TensorView& SafetensorsFile::at(std::string_view name) const {
  if (const TensorView* view = find(name)) return *view;
  fail(ErrorKind::kData, file_.path().string(), ": there is no tensor '", name, "'");
}

SafetensorsWriter::SafetensorsWriter(const fs::path& path, std::vector<TensorInfo> tensors,
                                     const Metadata& metadata)
    : tensors_(std::move(tensors)), out_(path) {
  const std::string header = make_header(tensors_, metadata);
  const uint64_t length = header.size();
  out_.write_values(std::span(&length, 1));
  out_.write(header);
}

void SafetensorsWriter::write(Bytes bytes) {
  ensure(next_ < tensors_.size() && bytes.size() == byte_size(tensors_[next_]).value(),
         "a tensor is written as announced");
  out_.write(bytes);
  checksums_[tensors_[next_++].name] = checksum64(bytes);
}

void SafetensorsWriter::close() {
  ensure(next_ == tensors_.size(), "every announced tensor is written");
  out_.close();
}

}  // namespace uir
