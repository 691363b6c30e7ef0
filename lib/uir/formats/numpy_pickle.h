// What NumPy's globals mean in a pickle: arrays of uint8, bool, int32 and int64, their dtypes and scalars,
// and _codecs.encode, by which protocol 2 of Python 3 stores bytes. docs/formats.md ("Verification sets")
// names them all.
//
// Cost, errors, threads: as pickle.h.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "uir/formats/pickle.h"

namespace uir {

class NumpyGlobals : public PickleGlobals {
 public:
  // No dicts, no floats, no objects, nothing outside.
  bool allows(uint8_t opcode) const override {
    return std::string_view("G}dsuQ012\x81\x92\x8d\x8f\x90\x91").find(static_cast<char>(opcode)) ==
           std::string_view::npos;
  }
  std::optional<int64_t> find(Pickle& pickle, std::string_view module, std::string_view name) override;
  PickleValue call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) override;
  void build(Pickle& pickle, Id object, Id state) override;
  std::string_view verdict() const override { return "this is not a verification set"; }

  // The element type of an array: "u1", "b1", "i4" or "i8".
  std::string_view dtype(const Pickle& pickle, const PickleValue& array) const;

 private:
  struct Array {
    Id dtype = 0;
    bool built = false;
  };

  PickleValue add_array(Pickle& pickle, Array array, Bytes content);
  PickleValue make_array(Pickle& pickle, Id shape, Id dtype, Id data);
  PickleValue encode_latin1(Pickle& pickle, const std::vector<Id>& arguments);

  std::deque<Array> arrays_;
  std::deque<std::vector<std::byte>> decoded_;
};

}  // namespace uir
