// A restricted interpreter of Python pickles: exactly what verification sets contain (docs/formats.md), nothing else.
//
// It knows numbers, text, bytes, tuples, lists and numpy arrays; it never imports, calls or executes anything.
// Cost: one pass over the bytes. Memory: bounded by the size of the pickle (plus 1 MiB).
// Errors: kData naming the offset and the opcode or global that is not allowed. Threads: const after construction.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "uir/base/file.h"

namespace uir {

enum class PickleType : uint8_t { kNone, kNumber, kText, kBytes, kSequence, kGlobal, kDtype, kArray };

struct PickleValue {
  PickleType type = PickleType::kNone;
  int64_t number = 0;  // kNumber (True is 1), kGlobal: which; kSequence, kArray: where its parts are
  Bytes bytes;         // kText, kBytes: content; kDtype: name; kArray: data, row by row
};

class Pickle {
 public:
  using Id = uint32_t;

  // place: the file's name, for messages. The bytes must outlive the object.
  Pickle(Bytes bytes, std::string place);

  const PickleValue& root() const { return (*this)[root_]; }
  const PickleValue& operator[](Id id) const { return values_[id]; }
  const std::vector<Id>& elements(const PickleValue& sequence) const;
  // The element type of an array: "u1", "b1", "i4" or "i8".
  std::string_view dtype(const PickleValue& array) const;

 private:
  struct Array {
    Id dtype = 0;
    bool built = false;
  };

  bool step();  // executes one opcode; false after STOP
  void push_constant(uint8_t opcode);
  void push_content(PickleType type, uint64_t length);
  void execute_on_stack(uint8_t opcode);
  void execute_on_memo(uint8_t opcode);

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
  void append(const std::vector<Id>& elements);
  void remember(uint64_t slot);

  // Globals and what they make.
  void push_global(std::string_view module, std::string_view name);
  void reduce();
  void build();
  void build_array(Id array, const std::vector<Id>& state);
  void build_dtype(const std::vector<Id>& state);
  PickleValue make_array(Id shape, Id dtype, Id data);
  PickleValue make_dtype(const std::vector<Id>& arguments);
  PickleValue make_scalar(const std::vector<Id>& arguments);
  PickleValue encode_latin1(const std::vector<Id>& arguments);

  Id make(PickleValue value);
  void spend(uint64_t bytes);  // of the memory budget
  std::string_view text_of(Id id) const;
  int64_t number_of(Id id) const;
  Bytes bytes_of(Id id) const;
  uint64_t item_size(Id dtype) const;
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const;

  const Bytes bytes_;
  const std::string place_;
  uint64_t position_ = 0, opcode_at_ = 0, spent_ = 0;
  std::deque<PickleValue> values_;
  std::deque<std::vector<Id>> sequences_;
  std::deque<Array> arrays_;
  std::deque<std::vector<std::byte>> decoded_;
  std::vector<Id> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Id> memo_;
  Id root_ = 0;
};

}  // namespace uir
