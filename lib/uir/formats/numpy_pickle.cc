#include "uir/formats/numpy_pickle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace uir {
namespace {

using Id = Pickle::Id;

enum class Global : int64_t { kReconstruct, kScalar, kFromBuffer, kNdarray, kDtype, kEncode };
struct GlobalName {
  std::string_view module, name;
  Global global;
};
constexpr std::array<GlobalName, 9> kGlobals{{
    {"numpy.core.multiarray", "_reconstruct", Global::kReconstruct},
    {"numpy._core.multiarray", "_reconstruct", Global::kReconstruct},
    {"numpy.core.multiarray", "scalar", Global::kScalar},
    {"numpy._core.multiarray", "scalar", Global::kScalar},
    {"numpy.core.numeric", "_frombuffer", Global::kFromBuffer},
    {"numpy._core.numeric", "_frombuffer", Global::kFromBuffer},
    {"numpy", "ndarray", Global::kNdarray},
    {"numpy", "dtype", Global::kDtype},
    {"_codecs", "encode", Global::kEncode},
}};

struct DtypeSize {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<DtypeSize, 4> kDtypes{{{"u1", 1}, {"b1", 1}, {"i4", 4}, {"i8", 8}}};

uint64_t item_size(const Pickle& pickle, Id dtype) {
  if (pickle[dtype].type != PickleType::kDtype) pickle.refuse("an array or scalar without dtype");
  const std::string_view name = as_text(pickle[dtype].bytes);
  return std::ranges::find(kDtypes, name, &DtypeSize::name)->bytes;
}

PickleValue make_dtype(const Pickle& pickle, const std::vector<Id>& arguments) {
  if (arguments.empty()) pickle.refuse("a dtype without name");
  const std::string_view name = pickle.text_of(arguments[0]);
  if (std::ranges::find(kDtypes, name, &DtypeSize::name) == kDtypes.end())
    pickle.refuse("dtype '", name, "' is not allowed");
  return {PickleType::kDtype, 0, as_bytes(name)};
}

PickleValue make_scalar(const Pickle& pickle, const std::vector<Id>& arguments) {
  if (arguments.size() != 2) pickle.refuse("a malformed numpy scalar");
  const uint64_t size = item_size(pickle, arguments[0]);
  const Bytes content = pickle.bytes_of(arguments[1]);
  if (content.size() != size) pickle.refuse("a numpy scalar of ", content.size(), " bytes");
  int64_t number = 0;
  std::memcpy(&number, content.data(), content.size());
  return {PickleType::kNumber, number, {}};
}

// (version, byte order, subarray, names, fields, item size, alignment, flags): only plain little-endian
// numbers.
void check_dtype_state(const Pickle& pickle, const std::vector<Id>& state) {
  if (state.size() < 5) pickle.refuse("the state of a dtype has ", state.size(), " parts");
  const std::string_view order = pickle.text_of(state[1]);
  const bool plain = std::all_of(state.begin() + 2, state.begin() + 5,
                                 [&](Id id) { return pickle[id].type == PickleType::kNone; });
  if (!plain || (order != "|" && order != "<")) pickle.refuse("a dtype that is not plain and little-endian");
}

}  // namespace

std::optional<int64_t> NumpyGlobals::find(Pickle&, std::string_view module, std::string_view name) {
  for (const GlobalName& known : kGlobals) {
    if (known.module == module && known.name == name) return static_cast<int64_t>(known.global);
  }
  return std::nullopt;
}

PickleValue NumpyGlobals::call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) {
  switch (static_cast<Global>(global)) {
    case Global::kReconstruct:  // (ndarray, (0,), b'b'): an array that BUILD fills
      return add_array(pickle, {}, {});
    case Global::kFromBuffer:  // (buffer, dtype, shape, order)
      if (arguments.size() != 4) pickle.refuse("_frombuffer with ", arguments.size(), " arguments");
      return make_array(pickle, arguments[2], arguments[1], arguments[0]);
    case Global::kScalar:
      return make_scalar(pickle, arguments);
    case Global::kDtype:
      return make_dtype(pickle, arguments);
    case Global::kEncode:
      return encode_latin1(pickle, arguments);
    case Global::kNdarray:
      break;
  }
  pickle.refuse("calls numpy.ndarray");
}

// The state of an array: (version, shape, dtype, is Fortran order, data).
void NumpyGlobals::build(Pickle& pickle, Id object, Id state) {
  const std::vector<Id>& parts = pickle.elements(pickle[state]);
  if (pickle[object].type == PickleType::kDtype) return check_dtype_state(pickle, parts);
  if (pickle[object].type != PickleType::kArray)
    pickle.refuse("sets the state of something that is neither an array nor a dtype");
  if (parts.size() != 5) pickle.refuse("the state of an array has ", parts.size(), " parts, expected 5");
  pickle.set(object, make_array(pickle, parts[1], parts[2], parts[4]));
}

PickleValue NumpyGlobals::add_array(Pickle& pickle, Array array, Bytes content) {
  pickle.spend(sizeof(Array));
  arrays_.push_back(array);
  return {PickleType::kArray, static_cast<int64_t>(arrays_.size() - 1), content};
}

PickleValue NumpyGlobals::make_array(Pickle& pickle, Id shape, Id dtype, Id data) {
  const uint64_t width = item_size(pickle, dtype);
  const Bytes content = pickle.bytes_of(data);
  uint64_t items = 1;
  for (const Id side : pickle.elements(pickle[shape])) {
    const int64_t n = pickle.number_of(side);
    if (n < 0 || (n > 0 && items > content.size() / static_cast<uint64_t>(n)))
      pickle.refuse("an array's shape exceeds its data");
    items *= static_cast<uint64_t>(n);
  }
  if (items * width != content.size()) {
    pickle.refuse("an array of ", items, " ", as_text(pickle[dtype].bytes), " has ", content.size(),
                  " bytes of data");
  }
  return add_array(pickle, {dtype, true}, content);
}

// Protocol 2 of Python 3 stores bytes as text: code points 0 … 255, as UTF-8.
PickleValue NumpyGlobals::encode_latin1(Pickle& pickle, const std::vector<Id>& arguments) {
  if (arguments.size() != 2 || pickle.text_of(arguments[1]) != "latin1")
    pickle.refuse("_codecs.encode to something else than latin1");
  const std::string_view text = pickle.text_of(arguments[0]);
  pickle.spend(text.size());
  std::vector<std::byte> decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      decoded.push_back(std::byte{lead});
      continue;
    }
    const auto follow = static_cast<uint8_t>(++i < text.size() ? text[i] : 0);
    if ((lead & 0xfc) != 0xc0 || (follow & 0xc0) != 0x80) pickle.refuse("text that is not latin1");
    decoded.push_back(static_cast<std::byte>((lead & 3) << 6 | (follow & 0x3f)));
  }
  decoded_.push_back(std::move(decoded));
  return {PickleType::kBytes, 0, decoded_.back()};
}

std::string_view NumpyGlobals::dtype(const Pickle& pickle, const PickleValue& array) const {
  const Array& description = arrays_[static_cast<size_t>(array.number)];
  if (!description.built) pickle.refuse("an array without data");
  return as_text(pickle[description.dtype].bytes);
}

}  // namespace uir
