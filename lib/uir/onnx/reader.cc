#include "uir/onnx/reader.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/formats/protobuf_reader.h"
#include "uir/formats/weights_kind.h"
#include "uir/onnx/tensor.h"

namespace uir {
namespace {

using Constants = std::vector<OnnxTensor>;

// A tensor's numbers as the file spells them out, in whichever field they stand.
struct SpelledOut {
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> integers;
};

template <class To, class From>
std::vector<std::byte> converted(const std::vector<From>& values) {
  std::vector<To> numbers;
  numbers.reserve(values.size());
  for (const From value : values) numbers.push_back(static_cast<To>(value));
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> bytes_of(const SpelledOut& numbers, OnnxType type) {
  switch (type) {
    case OnnxType::kFloat32:
      return converted<float>(numbers.floats);
    case OnnxType::kFloat64:
      return converted<double>(numbers.doubles);
    case OnnxType::kInt64:
      return converted<int64_t>(numbers.integers);
    case OnnxType::kInt32:
      return converted<int32_t>(numbers.integers);
    case OnnxType::kUint8:
    case OnnxType::kInt8:
    case OnnxType::kBool:
      return converted<uint8_t>(numbers.integers);
    case OnnxType::kFloat16:
    case OnnxType::kBFloat16:
      return converted<uint16_t>(numbers.integers);
  }
  return {};
}

OnnxType known_type(int64_t type, const std::string& place) {
  constexpr std::array<int64_t, 9> kKnown{1, 2, 3, 6, 7, 9, 10, 11, 16};
  for (const int64_t known : kKnown) {
    if (type == known) return static_cast<OnnxType>(type);
  }
  fail(ErrorKind::kData, place, ": numbers of ONNX's type ", type,
       ", which face networks do not have (float32, float16, bfloat16, float64 and integers are read)");
}

class Parser {
 public:
  explicit Parser(const fs::path& path) : place_(path.string()) {
    file_.path = path;
    auto mapped = std::make_shared<MappedFile>(path);
    checksum_.add(mapped->bytes());
    whole_ = as_text(mapped->bytes());
    file_.storage.push_back(std::move(mapped));
  }

  OnnxFile run() {
    if (!looks_like_onnx(whole_))
      fail(ErrorKind::kData, place_, ": is no ONNX file; take the file that was exported as one");
    std::string version;
    bool has_graph = false;
    for (ProtobufReader model(whole_, place_); model.next();) {
      switch (model.field()) {
        case 2:
          file_.producer = readable(model.text());
          break;
        case 3:
          version = readable(model.text());
          break;
        case 7:
          if (has_graph) model.broken("a second graph");
          has_graph = true;
          graph(model.message());
          break;
        case 8:
          opset(model.message());
          break;
        case 14:
          take_entry(model.message(), file_.model.metadata);
          break;
        case 25:
          refuse(
              "has functions of its own; export it again without them (torch.onnx.export with dynamo=False)");
      }
    }
    if (!has_graph) fail(ErrorKind::kData, place_, ": damaged or cut off: there is no graph in it");
    if (file_.model.opset == 0) refuse("does not say which opset its operators are of");
    if (!version.empty()) file_.producer += " " + version;
    take_constants_off_inputs();
    file_.checksum = checksum_hex(checksum_.value());
    return std::move(file_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { fail(ErrorKind::kData, place_, ": ", why); }

  void opset(ProtobufReader message) {
    std::string domain;
    int64_t version = 0;
    while (message.next()) {
      if (message.field() == 1) domain = message.text();
      if (message.field() == 2) version = message.integer();
    }
    // Those of other domains matter only if a node is of one.
    if (domain.empty() || domain == "ai.onnx") file_.model.opset = version;
  }

  // StringStringEntryProto: a key and its value.
  static void take_entry(ProtobufReader message, std::map<std::string, std::string>& entries) {
    std::string key, value;
    while (message.next()) {
      if (message.field() == 1) key = message.text();
      if (message.field() == 2) value = message.text();
    }
    entries[key] = value;
  }

  void graph(ProtobufReader graph) {
    while (graph.next()) {
      switch (graph.field()) {
        case 1:
          file_.model.nodes.push_back(node(graph.message()));
          break;
        case 5:
          file_.model.tensors.push_back(tensor(graph.message()));
          break;
        case 11:
          file_.model.inputs.push_back(value(graph.message()));
          break;
        case 12:
          file_.model.outputs.push_back(value(graph.message()));
          break;
        case 15:
          refuse("has sparse constants, which are not read; export it with dense ones");
      }
    }
  }

  OnnxNode node(ProtobufReader message) {
    OnnxNode node;
    std::string domain;
    std::vector<ProtobufReader> attributes;
    while (message.next()) {
      switch (message.field()) {
        case 1:
          node.inputs.push_back(message.text());
          break;
        case 2:
          node.outputs.push_back(message.text());
          break;
        case 3:
          node.name = message.text();
          break;
        case 4:
          node.type = message.text();
          break;
        case 5:
          attributes.push_back(message.message());
          break;
        case 7:
          domain = message.text();
          break;
      }
    }
    const std::string name = concat("node '", readable(node.name), "' (", readable(node.type), ")");
    if (!domain.empty() && domain != "ai.onnx")
      refuse(concat(name, " is an operator of the domain '", readable(domain),
                    "', which only its own runtime knows"));
    for (const ProtobufReader& each : attributes) attribute(each, node, name);
    return node;
  }

  // AttributeProto: a value of every kind that is read, of which `type` says which one counts.
  struct Attribute {
    std::string name;
    int64_t type = 0;
    float number = 0;
    int64_t integer = 0;
    std::string text;
    std::vector<int64_t> integers;
    std::vector<float> numbers;
    std::optional<OnnxTensor> constant;
  };

  void attribute(ProtobufReader message, OnnxNode& node, const std::string& node_name) {
    enum Type { kFloat = 1, kInt = 2, kString = 3, kTensor = 4, kFloats = 6, kInts = 7 };
    Attribute a = attribute_fields(message, node_name);
    const auto add = [&](OnnxAttribute value) { node.attributes.emplace_back(a.name, std::move(value)); };
    switch (a.type) {
      case kFloat:
        return add(a.number);
      case kInt:
        return add(a.integer);
      case kString:
        return add(std::move(a.text));
      case kFloats:
        return add(std::move(a.numbers));
      case kInts:
        return add(std::move(a.integers));
      case kTensor:
        if (a.constant) return add(std::move(*a.constant));
    }
    refuse(concat(node_name, ": attribute '", readable(a.name), "' is of a kind that is not read (", a.type,
                  ")"));
  }

  Attribute attribute_fields(ProtobufReader message, const std::string& node_name) {
    Attribute a;
    while (message.next()) {
      switch (message.field()) {
        case 1:
          a.name = message.text();
          break;
        case 2:
          a.number = message.float32();
          break;
        case 3:
          a.integer = message.integer();
          break;
        case 4:
          a.text = message.text();
          break;
        case 5:
          a.constant = tensor(message.message());
          break;
        case 6:
        case 11:
          refuse(concat(node_name, " has a graph of its own: control flow is not run"));
        case 7:
          message.append_to(a.numbers);
          break;
        case 8:
          message.append_to(a.integers);
          break;
        case 20:
          a.type = message.integer();
          break;
      }
    }
    return a;
  }

  OnnxTensor tensor(ProtobufReader message) {
    OnnxTensor tensor;
    SpelledOut numbers;
    std::optional<std::string_view> raw;
    int64_t type = 0, location = 0;
    std::map<std::string, std::string> external;
    while (message.next()) {
      switch (message.field()) {
        case 1:
          message.append_to(tensor.shape);
          break;
        case 2:
          type = message.integer();
          break;
        case 3:
          refuse("has a constant in segments, which are not read");
        case 4:
          message.append_to(numbers.floats);
          break;
        case 5:
        case 7:
          message.append_to(numbers.integers);
          break;
        case 8:
          tensor.name = message.text();
          break;
        case 9:
          raw = message.bytes();
          break;
        case 10:
          message.append_to(numbers.doubles);
          break;
        case 13:
          take_entry(message.message(), external);
          break;
        case 14:
          location = message.integer();
          break;
      }
    }
    const std::string name = concat(place_, ": constant '", readable(tensor.name), "'");
    tensor.type = known_type(type, name);
    if (location == 1) {
      tensor.data = external_data(external, name);
    } else {
      tensor.data = raw ? as_bytes(*raw) : keep(bytes_of(numbers, tensor.type));
    }
    check_size(tensor, name);
    return tensor;
  }

  Bytes keep(std::vector<std::byte> bytes) {
    auto kept = std::make_shared<std::vector<std::byte>>(std::move(bytes));
    file_.storage.push_back(kept);
    return *kept;
  }

  static void check_size(const OnnxTensor& tensor, const std::string& name) {
    const auto count = num_elements(tensor.shape);
    const int64_t bytes = bytes_per_element(tensor.type);
    const auto size = static_cast<int64_t>(tensor.data.size());
    // As of operators' results: sizes beside a 0 would mean nothing.
    if (count == 0 && tensor.shape.size() != 1) fail(ErrorKind::kData, name, ": has a dimension of size 0");
    if (!count || size % bytes != 0 || *count != size / bytes)
      fail(ErrorKind::kData, name, ": its shape asks for ", count ? std::to_string(*count) : "too many",
           " numbers of ", bytes, " bytes, there are ", size, " bytes; the file is damaged");
  }

  Bytes external_data(const std::map<std::string, std::string>& entries, const std::string& name) {
    const auto number = [&](const char* key, uint64_t otherwise) {
      const auto found = entries.find(key);
      if (found == entries.end()) return otherwise;
      const std::string& digits = found->second;
      uint64_t value = 0;
      const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (problem != std::errc() || end != digits.data() + digits.size())
        fail(ErrorKind::kData, name, ": its ", key, " in the file of weights is no number");
      return value;
    };
    const auto location = entries.find("location");
    if (location == entries.end())
      fail(ErrorKind::kData, name, ": does not say which file its numbers are in");
    const Bytes file = weights_file(location->second, name);
    const uint64_t offset = number("offset", 0);
    if (offset > file.size() || number("length", file.size() - offset) > file.size() - offset)
      fail(ErrorKind::kData, name, ": reaches beyond the end of its file of weights, ", location->second,
           "; fetch that file again");
    return file.subspan(offset, number("length", file.size() - offset));
  }

  Bytes weights_file(const std::string& location, const std::string& name) {
    if (const auto known = weights_files_.find(location); known != weights_files_.end()) return known->second;
    const fs::path folder = file_.path.parent_path().empty() ? "." : file_.path.parent_path();
    std::error_code error;
    const fs::path inside = fs::path(location).lexically_normal();
    if (inside.is_absolute() || inside.empty() || *inside.begin() == "..")
      fail(ErrorKind::kData, name, ": its weights lie outside the network's folder: '", readable(location),
           "'; they are not read");
    if (!fs::exists(folder / inside, error))
      fail(ErrorKind::kMissingInput, (folder / inside).string(), ": this file of weights, which ",
           file_.path.filename().string(), " names, is not there; put it beside the network");
    auto mapped = std::make_shared<MappedFile>(resolve_inside(folder, location));
    checksum_.add(mapped->bytes());
    const Bytes bytes = mapped->bytes();
    file_.storage.push_back(std::move(mapped));
    weights_files_.emplace(location, bytes);
    return bytes;
  }

  OnnxValue value(ProtobufReader message) {
    OnnxValue value;
    value.type = 0;
    while (message.next()) {
      if (message.field() == 1) value.name = message.text();
      if (message.field() == 2) value_type(message.message(), value);
    }
    return value;
  }

  // TypeProto: of a tensor, field 1. Others keep type 0.
  static void value_type(ProtobufReader type, OnnxValue& value) {
    while (type.next()) {
      if (type.field() != 1) continue;
      for (ProtobufReader tensor = type.message(); tensor.next();) {
        if (tensor.field() == 1) value.type = tensor.integer();
        if (tensor.field() != 2) continue;
        for (ProtobufReader shape = tensor.message(); shape.next();) {
          if (shape.field() == 1) value.shape.push_back(dimension(shape.message()));
        }
      }
    }
  }

  static int64_t dimension(ProtobufReader message) {
    int64_t size = kFreeSize;
    while (message.next()) {
      // Some exporters write 0 or -1 where they mean any.
      if (message.field() == 1 && message.integer() > 0) size = message.integer();
    }
    return size;
  }

  // Files of old versions list constants among the inputs.
  void take_constants_off_inputs() {
    std::set<std::string> constants;
    for (const OnnxTensor& tensor : file_.model.tensors) constants.insert(tensor.name);
    std::erase_if(file_.model.inputs, [&](const OnnxValue& input) { return constants.contains(input.name); });
  }

  OnnxFile file_;
  std::string place_;
  std::string_view whole_;
  Checksum checksum_;
  std::map<std::string, Bytes> weights_files_;
};

}  // namespace

OnnxFile read_onnx(const fs::path& path) { return Parser(path).run(); }

}  // namespace uir
