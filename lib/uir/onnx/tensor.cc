#include "uir/onnx/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace uir {
namespace {

template <class T>
T element(Bytes data, size_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
  return value;
}

double half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                           : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                            : std::ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

double number(const OnnxTensor& tensor, size_t i) {
  switch (tensor.type) {
    case OnnxType::kFloat32:
      return element<float>(tensor.data, i);
    case OnnxType::kFloat64:
      return element<double>(tensor.data, i);
    case OnnxType::kInt64:
      return static_cast<double>(element<int64_t>(tensor.data, i));
    case OnnxType::kInt32:
      return element<int32_t>(tensor.data, i);
    case OnnxType::kInt8:
      return element<int8_t>(tensor.data, i);
    case OnnxType::kUint8:
      return element<uint8_t>(tensor.data, i);
    case OnnxType::kBool:
      return element<uint8_t>(tensor.data, i) != 0;
    case OnnxType::kFloat16:
      return half(element<uint16_t>(tensor.data, i));
    case OnnxType::kBFloat16:
      return std::bit_cast<float>(uint32_t{element<uint16_t>(tensor.data, i)} << 16);
  }
  return 0;
}

}  // namespace

std::vector<double> numbers_of(const OnnxTensor& tensor) {
  std::vector<double> numbers(tensor.data.size() / static_cast<size_t>(bytes_per_element(tensor.type)));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = number(tensor, i);
  return numbers;
}

Array array_of(const OnnxTensor& tensor) {
  return {tensor.shape, numbers_of(tensor), is_integer(tensor.type)};
}

bool is_integer(OnnxType type) {
  return type == OnnxType::kInt64 || type == OnnxType::kInt32 || type == OnnxType::kInt8 ||
         type == OnnxType::kUint8 || type == OnnxType::kBool;
}

int64_t bytes_per_element(OnnxType type) {
  switch (type) {
    case OnnxType::kInt64:
    case OnnxType::kFloat64:
      return 8;
    case OnnxType::kFloat32:
    case OnnxType::kInt32:
      return 4;
    case OnnxType::kFloat16:
    case OnnxType::kBFloat16:
      return 2;
    default:
      return 1;
  }
}

std::optional<int64_t> num_elements(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

}  // namespace uir
