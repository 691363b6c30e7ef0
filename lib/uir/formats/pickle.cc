#include "uir/formats/pickle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinString = 'T',
  kShortBinString = 'U',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinBytes8 = 0x8e,
  kByteArray8 = 0x96,
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kEmptyList = ']',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kAppend = 'a',
  kAppends = 'e',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kMemoize = 0x94,
  kGlobalOpcode = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kBuild = 'b',
  kProto = 0x80,
  kFrame = 0x95,
};

// The opcodes of Python that are refused, so that messages can name them.
constexpr std::array<std::pair<uint8_t, std::string_view>, 31> kRefusedOpcodes{
    {{'0', "POP"},        {'1', "POP_MARK"},     {'2', "DUP"},         {'F', "FLOAT"},
     {'G', "BINFLOAT"},   {'I', "INT"},          {'L', "LONG"},        {'P', "PERSID"},
     {'Q', "BINPERSID"},  {'S', "STRING"},       {'V', "UNICODE"},     {'d', "DICT"},
     {'}', "EMPTY_DICT"}, {'g', "GET"},          {'i', "INST"},        {'l', "LIST"},
     {'o', "OBJ"},        {'p', "PUT"},          {'s', "SETITEM"},     {'u', "SETITEMS"},
     {0x81, "NEWOBJ"},    {0x82, "EXT1"},        {0x83, "EXT2"},       {0x84, "EXT4"},
     {0x8b, "LONG4"},     {0x8d, "BINUNICODE8"}, {0x8f, "EMPTY_SET"},  {0x90, "ADDITEMS"},
     {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"},   {0x97, "NEXT_BUFFER"}}};

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

constexpr uint64_t kMemoryAllowance = uint64_t{1} << 20;

std::string opcode_name(uint8_t opcode) {
  for (const auto& [code, name] : kRefusedOpcodes) {
    if (code == opcode) return std::string(name);
  }
  return concat("0x", std::hex, static_cast<int>(opcode));
}

}  // namespace

template <class... Parts>
void Pickle::refuse(const Parts&... parts) const {
  fail(ErrorKind::kData, place_, ": offset ", opcode_at_, ": ", parts...,
       "; this is not a verification set (nothing was executed)");
}

Pickle::Pickle(Bytes bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {
  if (bytes_.size() < 2 || bytes_[0] != std::byte{kProto}) {
    refuse("does not start like a Python pickle of protocol 2 to 5");
  }
  while (step()) {
  }
  root_ = pop();
}

bool Pickle::step() {
  opcode_at_ = position_;
  const auto opcode = static_cast<uint8_t>(read_bytes(1)[0]);
  switch (opcode) {
    case kStop:
      return false;
    case kProto:
      if (const uint64_t protocol = read_unsigned(1); protocol < 2 || protocol > 5)
        refuse("pickle protocol ", protocol);
      return true;
    case kFrame:
      if (const uint64_t length = read_unsigned(8); length > bytes_.size() - position_)
        refuse("a frame of ", length, " bytes, beyond the end");
      return true;
    case kNone:
    case kNewTrue:
    case kNewFalse:
    case kBinInt:
    case kBinInt1:
    case kBinInt2:
    case kLong1:
      push_constant(opcode);
      return true;
    case kShortBinString:
    case kShortBinBytes:
      push_content(PickleType::kBytes, read_unsigned(1));
      return true;
    case kBinString:
    case kBinBytes:
      push_content(PickleType::kBytes, read_unsigned(4));
      return true;
    case kBinBytes8:
    case kByteArray8:
      push_content(PickleType::kBytes, read_unsigned(8));
      return true;
    case kShortBinUnicode:
      push_content(PickleType::kText, read_unsigned(1));
      return true;
    case kBinUnicode:
      push_content(PickleType::kText, read_unsigned(4));
      return true;
    case kBinPut:
    case kLongBinPut:
    case kMemoize:
    case kBinGet:
    case kLongBinGet:
      execute_on_memo(opcode);
      return true;
    default:
      execute_on_stack(opcode);
      return true;
  }
}

void Pickle::push_constant(uint8_t opcode) {
  PickleValue value{PickleType::kNumber, 0, {}};
  switch (opcode) {
    case kNone:
      value.type = PickleType::kNone;
      break;
    case kNewTrue:
      value.number = 1;
      break;
    case kNewFalse:
      break;
    case kBinInt:
      value.number = read_signed(4);
      break;
    case kBinInt1:
      value.number = read_signed(1) & 0xff;
      break;
    case kBinInt2:
      value.number = read_signed(2) & 0xffff;
      break;
    default:
      const uint64_t length = read_unsigned(1);
      if (length > 8) refuse("a number of ", length, " bytes");
      value.number = read_signed(length);
  }
  push(value);
}

void Pickle::push_content(PickleType type, uint64_t length) { push({type, 0, read_bytes(length)}); }

void Pickle::execute_on_stack(uint8_t opcode) {
  switch (opcode) {
    case kMark:
      spend(sizeof(size_t));
      marks_.push_back(stack_.size());
      break;
    case kEmptyList:
    case kEmptyTuple:
      push_sequence({});
      break;
    case kTuple:
      push_sequence(pop_to_mark());
      break;
    case kTuple1:
      push_last(1);
      break;
    case kTuple2:
      push_last(2);
      break;
    case kTuple3:
      push_last(3);
      break;
    case kAppend:
      append({pop()});
      break;
    case kAppends:
      append(pop_to_mark());
      break;
    case kGlobalOpcode: {
      const std::string_view module = read_line();
      push_global(module, read_line());
      break;
    }
    case kStackGlobal: {
      const Id name = pop();
      push_global(text_of(pop()), text_of(name));
      break;
    }
    case kReduce:
      reduce();
      break;
    case kBuild:
      build();
      break;
    default:
      refuse("opcode ", opcode_name(opcode), " is not allowed");
  }
}

void Pickle::execute_on_memo(uint8_t opcode) {
  if (opcode == kBinPut) return remember(read_unsigned(1));
  if (opcode == kLongBinPut) return remember(read_unsigned(4));
  if (opcode == kMemoize) return remember(memo_.size());
  const uint64_t slot = read_unsigned(opcode == kBinGet ? 1 : 4);
  const auto found = memo_.find(slot);
  if (found == memo_.end()) refuse("memo ", slot, " is empty");
  push(found->second);
}

// --- Reading -----------------------------------------------------------------------------------------------

Bytes Pickle::read_bytes(uint64_t length) {
  if (length > bytes_.size() - position_)
    refuse("the file is truncated: ", length, " bytes expected, ", bytes_.size() - position_, " left");
  const Bytes bytes = bytes_.subspan(position_, length);
  position_ += length;
  return bytes;
}

uint64_t Pickle::read_unsigned(size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, read_bytes(bytes).data(), bytes);
  return value;
}

int64_t Pickle::read_signed(size_t bytes) {
  if (bytes == 0) return 0;
  const auto unused_bits = static_cast<int>(64 - 8 * bytes);
  return static_cast<int64_t>(read_unsigned(bytes) << unused_bits) >> unused_bits;
}

std::string_view Pickle::read_line() {
  const std::string_view rest = as_text(bytes_.subspan(position_));
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) refuse("the file is truncated: a line without end");
  position_ += end + 1;
  return rest.substr(0, end);
}

// --- Stack and memo ----------------------------------------------------------------------------------------

void Pickle::spend(uint64_t bytes) {
  spent_ += bytes;
  if (spent_ > bytes_.size() + kMemoryAllowance)
    refuse("needs more memory than the file's ", bytes_.size(), " bytes");
}

Pickle::Id Pickle::make(PickleValue value) {
  spend(sizeof(PickleValue));
  values_.push_back(value);
  return static_cast<Id>(values_.size() - 1);
}

void Pickle::push(Id id) {
  spend(sizeof id);
  stack_.push_back(id);
}

Pickle::Id Pickle::top() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("the stack is empty");
  return stack_.back();
}

Pickle::Id Pickle::pop() {
  const Id id = top();
  stack_.pop_back();
  return id;
}

std::vector<Pickle::Id> Pickle::pop_to_mark() {
  if (marks_.empty()) refuse("no mark on the stack");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Id> elements(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return elements;
}

void Pickle::push_sequence(std::vector<Id> elements) {
  spend(sizeof elements + elements.size() * sizeof(Id));
  sequences_.push_back(std::move(elements));
  push({PickleType::kSequence, static_cast<int64_t>(sequences_.size() - 1), {}});
}

void Pickle::push_last(size_t count) {
  std::vector<Id> elements(count);
  for (size_t i = count; i-- > 0;) elements[i] = pop();
  push_sequence(std::move(elements));
}

void Pickle::append(const std::vector<Id>& elements) {
  const PickleValue& list = values_[top()];
  if (list.type != PickleType::kSequence) refuse("appends to something that is no list");
  spend(elements.size() * sizeof(Id));
  std::vector<Id>& target = sequences_[static_cast<size_t>(list.number)];
  target.insert(target.end(), elements.begin(), elements.end());
}

void Pickle::remember(uint64_t slot) {
  const Id id = top();
  if (memo_.insert_or_assign(slot, id).second) spend(4 * sizeof(uint64_t));
}

// --- Globals -----------------------------------------------------------------------------------------------

void Pickle::push_global(std::string_view module, std::string_view name) {
  for (const GlobalName& known : kGlobals) {
    if (known.module == module && known.name == name) {
      return push({PickleType::kGlobal, static_cast<int64_t>(known.global), {}});
    }
  }
  refuse("global '", module, ".", name, "' is not allowed");
}

void Pickle::reduce() {
  const Id arguments_id = pop();
  const PickleValue& function = values_[pop()];
  if (function.type != PickleType::kGlobal) refuse("calls something that is no function");
  const std::vector<Id>& arguments = elements(values_[arguments_id]);
  switch (static_cast<Global>(function.number)) {
    case Global::kReconstruct:  // (ndarray, (0,), b'b'): an array that BUILD fills
      arrays_.emplace_back();
      spend(sizeof(Array));
      return push({PickleType::kArray, static_cast<int64_t>(arrays_.size() - 1), {}});
    case Global::kFromBuffer:  // (buffer, dtype, shape, order)
      if (arguments.size() != 4) refuse("_frombuffer with ", arguments.size(), " arguments");
      return push(make_array(arguments[2], arguments[1], arguments[0]));
    case Global::kScalar:
      return push(make_scalar(arguments));
    case Global::kDtype:
      return push(make_dtype(arguments));
    case Global::kEncode:
      return push(encode_latin1(arguments));
    case Global::kNdarray:
      break;
  }
  refuse("calls numpy.ndarray");
}

void Pickle::build() {
  const Id state = pop();
  const Id object = top();
  const std::vector<Id>& parts = elements(values_[state]);
  if (values_[object].type == PickleType::kArray) return build_array(object, parts);
  if (values_[object].type == PickleType::kDtype) return build_dtype(parts);
  refuse("sets the state of something that is neither an array nor a dtype");
}

// (version, shape, dtype, is Fortran order, data)
void Pickle::build_array(Id array, const std::vector<Id>& state) {
  if (state.size() != 5) refuse("the state of an array has ", state.size(), " parts, expected 5");
  values_[array] = make_array(state[1], state[2], state[4]);
}

// (version, byte order, subarray, names, fields, item size, alignment, flags): only plain little-endian numbers.
void Pickle::build_dtype(const std::vector<Id>& state) {
  if (state.size() < 5) refuse("the state of a dtype has ", state.size(), " parts");
  const std::string_view order = text_of(state[1]);
  const bool plain = std::all_of(state.begin() + 2, state.begin() + 5,
                                 [&](Id id) { return values_[id].type == PickleType::kNone; });
  if (!plain || (order != "|" && order != "<")) refuse("a dtype that is not plain and little-endian");
}

PickleValue Pickle::make_array(Id shape, Id dtype, Id data) {
  if (values_[dtype].type != PickleType::kDtype) refuse("an array without dtype");
  const Bytes content = bytes_of(data);
  uint64_t items = 1;
  for (const Id side : elements(values_[shape])) {
    const int64_t n = number_of(side);
    if (n < 0 || (n > 0 && items > content.size() / static_cast<uint64_t>(n)))
      refuse("an array's shape exceeds its data");
    items *= static_cast<uint64_t>(n);
  }
  if (items * item_size(dtype) != content.size()) {
    refuse("an array of ", items, " ", as_text(values_[dtype].bytes), " has ", content.size(),
           " bytes of data");
  }
  arrays_.push_back({dtype, true});
  spend(sizeof(Array));
  return {PickleType::kArray, static_cast<int64_t>(arrays_.size() - 1), content};
}

PickleValue Pickle::make_dtype(const std::vector<Id>& arguments) {
  if (arguments.empty()) refuse("a dtype without name");
  const std::string_view name = text_of(arguments[0]);
  const bool known =
      std::any_of(kDtypes.begin(), kDtypes.end(), [&](const DtypeSize& d) { return d.name == name; });
  if (!known) refuse("dtype '", name, "' is not allowed");
  return {PickleType::kDtype, 0, as_bytes(name)};
}

PickleValue Pickle::make_scalar(const std::vector<Id>& arguments) {
  if (arguments.size() != 2 || values_[arguments[0]].type != PickleType::kDtype)
    refuse("a malformed numpy scalar");
  const Bytes content = bytes_of(arguments[1]);
  if (content.size() != item_size(arguments[0])) refuse("a numpy scalar of ", content.size(), " bytes");
  int64_t number = 0;
  std::memcpy(&number, content.data(), content.size());
  return {PickleType::kNumber, number, {}};
}

// Protocol 2 of Python 3 stores bytes as text: code points 0 … 255, as UTF-8.
PickleValue Pickle::encode_latin1(const std::vector<Id>& arguments) {
  if (arguments.size() != 2 || text_of(arguments[1]) != "latin1")
    refuse("_codecs.encode to something else than latin1");
  const std::string_view text = text_of(arguments[0]);
  spend(text.size());
  std::vector<std::byte> decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      decoded.push_back(std::byte{lead});
      continue;
    }
    const auto follow = static_cast<uint8_t>(++i < text.size() ? text[i] : 0);
    if ((lead & 0xfc) != 0xc0 || (follow & 0xc0) != 0x80) refuse("text that is not latin1");
    decoded.push_back(static_cast<std::byte>((lead & 3) << 6 | (follow & 0x3f)));
  }
  decoded_.push_back(std::move(decoded));
  return {PickleType::kBytes, 0, decoded_.back()};
}

// --- Values ------------------------------------------------------------------------------------------------

const std::vector<Pickle::Id>& Pickle::elements(const PickleValue& sequence) const {
  if (sequence.type != PickleType::kSequence) refuse("expected a tuple or a list");
  return sequences_[static_cast<size_t>(sequence.number)];
}

std::string_view Pickle::dtype(const PickleValue& array) const {
  const Array& description = arrays_[static_cast<size_t>(array.number)];
  if (!description.built) refuse("an array without data");
  return as_text(values_[description.dtype].bytes);
}

// Python 2 writes names as byte strings.
std::string_view Pickle::text_of(Id id) const {
  const PickleValue& value = values_[id];
  if (value.type != PickleType::kText && value.type != PickleType::kBytes) refuse("expected text");
  return as_text(value.bytes);
}

int64_t Pickle::number_of(Id id) const {
  if (values_[id].type != PickleType::kNumber) refuse("expected a number");
  return values_[id].number;
}

Bytes Pickle::bytes_of(Id id) const {
  if (values_[id].type != PickleType::kBytes) refuse("expected bytes");
  return values_[id].bytes;
}

uint64_t Pickle::item_size(Id dtype) const {
  const std::string_view name = as_text(values_[dtype].bytes);
  return std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeSize& d) { return d.name == name; })
      ->bytes;
}

}  // namespace uir
