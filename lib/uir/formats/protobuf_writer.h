// Messages in Protocol Buffers' wire format, written field by field: what ONNX files and TensorBoard's events
// need.
//
// Own code, because a second protobuf library in one process clashes with the one inside LibTorch; writing
// needs no more than three of its encodings. Nothing is read back here.
// Source: Protocol Buffers, "Encoding": a field is the varint (number << 3 | wire type) and its value.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace uir {

class ProtobufWriter {
 public:
  // int32, int64, uint64, bool and enum fields; negative numbers take ten bytes.
  ProtobufWriter& integer(uint32_t field, int64_t value) {
    key(field, kVarint);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  ProtobufWriter& float32(uint32_t field, float value) {
    key(field, kFixed32);
    fixed(std::bit_cast<uint32_t>(value));
    return *this;
  }
  ProtobufWriter& float64(uint32_t field, double value) {
    key(field, kFixed64);
    fixed(std::bit_cast<uint64_t>(value));
    return *this;
  }
  // string and bytes fields.
  ProtobufWriter& text(uint32_t field, std::string_view value) {
    begin(field, value.size());
    bytes_.append(value);
    return *this;
  }
  // The start of a string, bytes or message field whose content, `size` bytes, the caller writes behind
  // bytes().
  ProtobufWriter& begin(uint32_t field, uint64_t size) {
    key(field, kLengthDelimited);
    varint(size);
    return *this;
  }
  // A message inside this one.
  ProtobufWriter& message(uint32_t field, const ProtobufWriter& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

  void key(uint32_t field, WireType type) { varint(uint64_t{field} << 3 | type); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  template <class Unsigned>
  void fixed(Unsigned value) {
    for (size_t i = 0; i < sizeof value; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

}  // namespace uir
