#include "uir/formats/protobuf_reader.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "uir/base/error.h"

namespace uir {
namespace {

template <class T>
T little_endian(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

std::optional<uint64_t> take_varint(std::string_view& text) {
  uint64_t value = 0;
  for (int shift = 0; shift < 70 && !text.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void ProtobufReader::broken(const std::string& what) const {
  fail(ErrorKind::kData, *place_, ": damaged or cut off: ", what, " at byte ", rest_.data() - begin_);
}

std::string_view ProtobufReader::take(uint64_t size) {
  if (size > rest_.size()) broken(concat("a field of ", size, " bytes where ", rest_.size(), " are left"));
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const auto number = [&] {
    const auto value = take_varint(rest_);
    if (!value) broken("a number without end");
    return *value;
  };
  const uint64_t key = number();
  field_ = key >> 3;
  type_ = static_cast<WireType>(key & 7);
  if (field_ == 0) broken("a field with number 0");
  switch (type_) {
    case WireType::kVarint:
      varint_ = number();
      return true;
    case WireType::kFixed64:
      content_ = take(8);
      return true;
    case WireType::kLengthDelimited:
      content_ = take(number());
      return true;
    case WireType::kFixed32:
      content_ = take(4);
      return true;
  }
  broken(concat("a field of the unknown kind ", key & 7));
}

void ProtobufReader::expect(WireType type) const {
  if (type_ != type) broken(concat("field ", field_, " is of another kind than the format's"));
}

int64_t ProtobufReader::integer() const {
  expect(WireType::kVarint);
  return static_cast<int64_t>(varint_);
}
float ProtobufReader::float32() const {
  expect(WireType::kFixed32);
  return little_endian<float>(content_);
}
double ProtobufReader::float64() const {
  expect(WireType::kFixed64);
  return little_endian<double>(content_);
}
std::string_view ProtobufReader::bytes() const {
  expect(WireType::kLengthDelimited);
  return content_;
}
ProtobufReader ProtobufReader::message() const { return {bytes(), begin_, place_}; }

void ProtobufReader::append_to(std::vector<int64_t>& integers) const {
  if (type_ == WireType::kVarint) return integers.push_back(integer());
  for (std::string_view packed = bytes(); !packed.empty();) {
    const auto value = take_varint(packed);
    if (!value) broken("a number without end");
    integers.push_back(static_cast<int64_t>(*value));
  }
}

template <class T>
void ProtobufReader::append_fixed(std::vector<T>& numbers, WireType type) const {
  if (type_ == type) return numbers.push_back(little_endian<T>(content_));
  std::string_view packed = bytes();
  if (packed.size() % sizeof(T) != 0)
    broken(concat(packed.size(), " bytes of numbers with ", sizeof(T), " each"));
  for (; !packed.empty(); packed.remove_prefix(sizeof(T))) numbers.push_back(little_endian<T>(packed));
}
void ProtobufReader::append_to(std::vector<float>& numbers) const {
  append_fixed(numbers, WireType::kFixed32);
}
void ProtobufReader::append_to(std::vector<double>& numbers) const {
  append_fixed(numbers, WireType::kFixed64);
}

}  // namespace uir
