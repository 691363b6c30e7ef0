// A restricted interpreter of Python pickles: plain values and what a PickleGlobals allows, nothing else.
//
// It knows None, numbers, text, bytes, tuples, lists (sets are lists) and dicts; it never imports, calls or
// executes anything. What a global means, if it is allowed at all, is the business of PickleGlobals: NumPy's
// arrays (numpy_pickle.h), PyTorch's tensors (torch_file.h). These may also let objects stand whose meaning
// nobody knows: what is put into one is dropped.
// Cost: one pass over the bytes. Memory: bounded by the size of the pickle, or of the file around it (plus 1
// MiB).
// Errors: kData naming the offset and the opcode or global that is not allowed. Threads: const after
// construction.
#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

enum class PickleType : uint8_t {
  kNone,
  kNumber,
  kFloat,
  kText,
  kBytes,
  kSequence,
  kDict,
  kGlobal,
  kObject,
  // Of NumPy and PyTorch.
  kDtype,
  kArray,
  kStorage,
  kTensor
};

struct PickleValue {
  PickleType type = PickleType::kNone;
  int64_t number =
      0;        // kNumber (True is 1), kGlobal: which; kObject: what made it; others: where its parts are
  Bytes bytes;  // kText, kBytes: content; kDtype: name; kArray: data, row by row

  double real() const { return std::bit_cast<double>(number); }  // kFloat
};

class Pickle;

// What the globals of one kind of file mean. The functions get the interpreter to look at values, and refuse
// through it.
class PickleGlobals {
 public:
  using Id = uint32_t;
  virtual ~PickleGlobals() = default;
  // Whether this kind of file has the opcode, of those that the interpreter knows; refused by name otherwise.
  virtual bool allows(uint8_t /*opcode*/) const { return true; }
  // The global's number; none: refused by name.
  virtual std::optional<int64_t> find(Pickle& pickle, std::string_view module, std::string_view name) = 0;
  // What global(arguments…) gives.
  virtual PickleValue call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) = 0;
  // Sets the state of an object; dicts are never passed on.
  virtual void build(Pickle& pickle, Id object, Id state) = 0;
  // What stands outside the pickle under this name.
  virtual PickleValue load_persistent(Pickle& pickle, Id name);
  // Ends the message of a refusal: what the file is not, and what to do.
  virtual std::string_view verdict() const = 0;
};

class Pickle {
 public:
  using Id = PickleGlobals::Id;
  using DictEntries =
      std::vector<std::pair<Id, Id>>;  // key and value, in order; of a repeated key the last counts

  // The pickle at the front of the bytes. place: the file's name, for messages. Bytes and globals must
  // outlive the object.
  Pickle(Bytes bytes, std::string place, PickleGlobals& globals)
      : Pickle(bytes, std::move(place), globals, bytes.size()) {}
  // memory: how much it may need (plus 32 MiB), where it is a part of something larger.
  Pickle(Bytes bytes, std::string place, PickleGlobals& globals, uint64_t memory);

  Id root() const { return root_; }
  uint64_t size() const { return position_; }  // of the pickle itself, its end included
  const PickleValue& operator[](Id id) const { return values_[id]; }
  const std::vector<Id>& elements(const PickleValue& sequence) const;
  const DictEntries& entries(const PickleValue& dict) const;

  // Values that must be of a kind; refused otherwise. Python 2 writes text as bytes.
  std::string_view text_of(Id id) const;
  int64_t number_of(Id id) const;
  Bytes bytes_of(Id id) const;

  // For PickleGlobals.
  void set(Id id, PickleValue value) { values_[id] = value; }
  PickleValue make_dict(DictEntries entries);
  void spend(uint64_t bytes);  // of the memory budget
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, place_, ": offset ", opcode_at_, ": ", parts..., "; ", globals_.verdict(),
         " (nothing was executed)");
  }

 private:
  bool step();  // executes one opcode; false after STOP
  [[noreturn]] void refuse_opcode(uint8_t opcode) const;
  bool push_plain(uint8_t opcode);
  bool execute_on_memo(uint8_t opcode);
  bool collect(uint8_t opcode);
  bool collect_dict(uint8_t opcode);
  void ask_globals(uint8_t opcode);
  void push_constant(uint8_t opcode);
  void push_content(PickleType type, uint64_t length);
  void push_float();

  // Reading.
  uint64_t read_unsigned(size_t bytes);
  int64_t read_signed(size_t bytes);
  Bytes read_bytes(uint64_t length);
  std::string_view read_line();

  // The stack, the marks on it, and the memo.
  void push(Id id);
  void push(PickleValue value) { push(make(value)); }
  Id pop();
  Id top();
  std::vector<Id> pop_to_mark();
  void push_sequence(std::vector<Id> elements);
  void push_last(size_t count);  // the last values as one tuple
  bool rearrange(uint8_t opcode);
  void append(const std::vector<Id>& elements);
  void set_items(const std::vector<Id>& keys_and_values);
  void push_global(std::string_view module, std::string_view name);
  void reduce(Id arguments);
  void build();
  void remember(uint64_t slot);
  Id make(PickleValue value);

  const Bytes bytes_;
  const std::string place_;
  PickleGlobals& globals_;
  const uint64_t memory_;
  uint64_t position_ = 0, opcode_at_ = 0, spent_ = 0;
  std::deque<PickleValue> values_;
  std::deque<std::vector<Id>> sequences_;
  std::deque<DictEntries> dicts_;
  std::vector<Id> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Id> memo_;
  Id root_ = 0;
};

}  // namespace uir
