#include "uir/formats/pickle.h"

#include <cstring>
#include <utility>

#include "uir/base/error.h"
#include "uir/formats/pickle_opcodes.h"

namespace uir {
using namespace pickle_opcodes;

namespace {

// A pickle needs some 15 bytes for each of its own: a small network as a whole object of PyTorch 2.6 has 84 kB
// of pickle in a file of 200 kB.
constexpr uint64_t kMemoryAllowance = uint64_t{32} << 20;

}  // namespace

PickleValue PickleGlobals::load_persistent(Pickle& pickle, Id) {
  pickle.refuse("refers to something outside of it");
}

Pickle::Pickle(Bytes bytes, std::string place, PickleGlobals& globals, uint64_t memory)
    : bytes_(bytes), place_(std::move(place)), globals_(globals), memory_(memory) {
  if (bytes_.size() < 2 || bytes_[0] != std::byte{kProto}) {
    refuse("does not start like a Python pickle of protocol 2 to 5");
  }
  while (step()) {
  }
  root_ = pop();
}

void Pickle::refuse_opcode(uint8_t opcode) const { refuse("opcode ", name_of(opcode), " is not allowed"); }

bool Pickle::step() {
  opcode_at_ = position_;
  const auto opcode = static_cast<uint8_t>(read_bytes(1)[0]);
  if (opcode == kStop) return false;
  if (!globals_.allows(opcode)) refuse_opcode(opcode);
  if (opcode == kProto) {
    const uint64_t protocol = read_unsigned(1);
    if (protocol < 2 || protocol > 5) refuse("pickle protocol ", protocol);
  } else if (opcode == kFrame) {
    const uint64_t length = read_unsigned(8);
    if (length > bytes_.size() - position_) refuse("a frame of ", length, " bytes, beyond the end");
  } else if (!push_plain(opcode) && !execute_on_memo(opcode) && !collect(opcode) && !rearrange(opcode)) {
    ask_globals(opcode);
  }
  return true;
}

// Opcodes that push what follows them; false for others.
bool Pickle::push_plain(uint8_t opcode) {
  switch (opcode) {
    case kNone:
    case kNewTrue:
    case kNewFalse:
    case kBinInt:
    case kBinInt1:
    case kBinInt2:
    case kLong1:
      push_constant(opcode);
      return true;
    case kBinFloat:
      push_float();
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
    case kBinUnicode8:
      push_content(PickleType::kText, read_unsigned(8));
      return true;
    default:
      return false;
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
      // Larger ones (states of generators of randomness) are no count or label: whoever needs one refuses
      // them.
      if (length <= 8) {
        value.number = read_signed(length);
      } else {
        read_bytes(length);
        value.type = PickleType::kNone;
      }
  }
  push(value);
}

// The only number in a pickle that is big-endian.
void Pickle::push_float() {
  const Bytes bytes = read_bytes(8);
  uint64_t bits = 0;
  for (const std::byte byte : bytes) bits = bits << 8 | std::to_integer<uint64_t>(byte);
  push({PickleType::kFloat, static_cast<int64_t>(bits), {}});
}

void Pickle::push_content(PickleType type, uint64_t length) { push({type, 0, read_bytes(length)}); }

// Marks, and sequences and dicts from what lies on the stack; false for other opcodes.
bool Pickle::collect(uint8_t opcode) {
  switch (opcode) {
    case kMark:
      spend(sizeof(size_t));
      marks_.push_back(stack_.size());
      return true;
    case kEmptyList:
    case kEmptyTuple:
    case kEmptySet:
      push_sequence({});
      return true;
    case kTuple:
    case kFrozenSet:
      push_sequence(pop_to_mark());
      return true;
    case kTuple1:
      push_last(1);
      return true;
    case kTuple2:
      push_last(2);
      return true;
    case kTuple3:
      push_last(3);
      return true;
    case kAppend:
      append({pop()});
      return true;
    case kAppends:
    case kAddItems:
      append(pop_to_mark());
      return true;
    default:
      return collect_dict(opcode);
  }
}

bool Pickle::collect_dict(uint8_t opcode) {
  switch (opcode) {
    case kEmptyDict:
      push(make_dict({}));
      return true;
    case kDict: {
      const std::vector<Id> items = pop_to_mark();
      push(make_dict({}));
      set_items(items);
      return true;
    }
    case kSetItem: {
      const Id value = pop();
      const Id key = pop();
      set_items({key, value});
      return true;
    }
    case kSetItems:
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

// Opcodes that only move what lies on the stack; false for others.
bool Pickle::rearrange(uint8_t opcode) {
  switch (opcode) {
    case kDup:
      push(top());
      return true;
    case kPopMark:
      pop_to_mark();
      return true;
    case kPop:
      // A mark that lies on top goes first.
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    default:
      return false;
  }
}

// Opcodes whose meaning the globals decide.
void Pickle::ask_globals(uint8_t opcode) {
  switch (opcode) {
    case kBinPersId:
      return push(globals_.load_persistent(*this, pop()));
    case kGlobalOpcode: {
      const std::string_view module = read_line();
      return push_global(module, read_line());
    }
    case kStackGlobal: {
      const Id name = pop();
      return push_global(text_of(pop()), text_of(name));
    }
    case kReduce:
    case kNewObj:
      return reduce(pop());
    case kNewObjEx:
      pop();  // arguments by name
      return reduce(pop());
    case kBuild:
      return build();
    default:
      refuse_opcode(opcode);
  }
}

// False for opcodes that do not concern the memo.
bool Pickle::execute_on_memo(uint8_t opcode) {
  switch (opcode) {
    case kBinPut:
      remember(read_unsigned(1));
      return true;
    case kLongBinPut:
      remember(read_unsigned(4));
      return true;
    case kMemoize:
      remember(memo_.size());
      return true;
    case kBinGet:
    case kLongBinGet: {
      const uint64_t slot = read_unsigned(opcode == kBinGet ? 1 : 4);
      const auto found = memo_.find(slot);
      if (found == memo_.end()) refuse("memo ", slot, " is empty");
      push(found->second);
      return true;
    }
    default:
      return false;
  }
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
  if (bytes > memory_ + kMemoryAllowance - spent_)
    refuse("needs more memory than the file's ", memory_, " bytes");
  spent_ += bytes;
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
  if (list.type == PickleType::kObject) return;
  if (list.type != PickleType::kSequence) refuse("appends to something that is no list");
  spend(elements.size() * sizeof(Id));
  std::vector<Id>& target = sequences_[static_cast<size_t>(list.number)];
  target.insert(target.end(), elements.begin(), elements.end());
}

PickleValue Pickle::make_dict(DictEntries entries) {
  spend(sizeof entries + entries.size() * sizeof(entries[0]));
  dicts_.push_back(std::move(entries));
  return {PickleType::kDict, static_cast<int64_t>(dicts_.size() - 1), {}};
}

void Pickle::set_items(const std::vector<Id>& keys_and_values) {
  const PickleValue& dict = values_[top()];
  if (dict.type == PickleType::kObject) return;
  if (dict.type != PickleType::kDict) refuse("sets items of something that is no dict");
  if (keys_and_values.size() % 2 != 0) refuse("a key without value");
  spend(keys_and_values.size() * sizeof(Id));
  DictEntries& entries = dicts_[static_cast<size_t>(dict.number)];
  for (size_t i = 0; i < keys_and_values.size(); i += 2)
    entries.emplace_back(keys_and_values[i], keys_and_values[i + 1]);
}

void Pickle::push_global(std::string_view module, std::string_view name) {
  const std::optional<int64_t> global = globals_.find(*this, module, name);
  if (!global) refuse("global '", module, ".", name, "' is not allowed");
  push({PickleType::kGlobal, *global, {}});
}

void Pickle::reduce(Id arguments) {
  const PickleValue& function = values_[pop()];
  if (function.type == PickleType::kObject) return push(function);  // what an unknown object gives
  if (function.type != PickleType::kGlobal) refuse("calls something that is no function");
  push(globals_.call(*this, function.number, elements(values_[arguments])));
}

// The attributes of an OrderedDict (_metadata of a state dict) are dropped.
void Pickle::build() {
  const Id state = pop();
  if (values_[top()].type != PickleType::kDict) globals_.build(*this, top(), state);
}

void Pickle::remember(uint64_t slot) {
  const Id id = top();
  if (memo_.insert_or_assign(slot, id).second) spend(4 * sizeof(uint64_t));
}

// --- Values ------------------------------------------------------------------------------------------------

const std::vector<Pickle::Id>& Pickle::elements(const PickleValue& sequence) const {
  if (sequence.type != PickleType::kSequence) refuse("expected a tuple or a list");
  return sequences_[static_cast<size_t>(sequence.number)];
}

const Pickle::DictEntries& Pickle::entries(const PickleValue& dict) const {
  if (dict.type != PickleType::kDict) refuse("expected a dict");
  return dicts_[static_cast<size_t>(dict.number)];
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

}  // namespace uir
