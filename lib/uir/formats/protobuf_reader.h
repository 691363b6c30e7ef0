// Messages in Protocol Buffers' wire format, read field by field: what ONNX files need.
//
// Own code, because a second protobuf library in one process clashes with the one inside LibTorch. Nothing is
// copied and nothing is trusted: every length must lie inside its message, and groups, which no format here
// has, are refused.
// Source: Protocol Buffers, "Encoding".
// Errors: kData naming the place and the byte of the file at which the message is broken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace uir {

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// The varint at the front of text, taken off; none if it is cut off or longer than ten bytes.
std::optional<uint64_t> take_varint(std::string_view& text);

class ProtobufReader {
 public:
  // place: for messages; must outlive the reader, as the bytes must.
  ProtobufReader(std::string_view message, const std::string& place)
      : rest_(message), begin_(message.data()), place_(&place) {}

  // Steps to the next field; false at the message's end.
  bool next();
  uint64_t field() const { return field_; }

  // The value of the field; another wire type than the value's is kData.
  int64_t integer() const;
  float float32() const;
  double float64() const;
  std::string_view bytes() const;
  std::string text() const { return std::string(bytes()); }
  ProtobufReader message() const;
  // Appends a repeated field's numbers, packed or one by one.
  void append_to(std::vector<int64_t>& integers) const;
  void append_to(std::vector<float>& numbers) const;
  void append_to(std::vector<double>& numbers) const;

  [[noreturn]] void broken(const std::string& what) const;

 private:
  ProtobufReader(std::string_view message, const char* begin, const std::string* place)
      : rest_(message), begin_(begin), place_(place) {}
  void expect(WireType type) const;
  template <class T>
  void append_fixed(std::vector<T>& numbers, WireType type) const;
  std::string_view take(uint64_t size);

  std::string_view rest_;
  const char* begin_;  // of the outermost message
  const std::string* place_;
  uint64_t field_ = 0;
  WireType type_ = WireType::kVarint;
  uint64_t varint_ = 0;
  std::string_view content_;
};

}  // namespace uir
