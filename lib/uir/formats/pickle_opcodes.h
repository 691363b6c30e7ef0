// The opcodes of Python pickles (protocols 2 to 5) that files of numbers need. Source: CPython's pickletools.
#pragma once

#include <cstdint>
#include <string>

namespace uir::pickle_opcodes {

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
  kBinFloat = 'G',
  kEmptyDict = '}',
  kDict = 'd',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBuild = 'b',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kNewObj = 0x81,
  kNewObjEx = 0x92,
  kBinUnicode8 = 0x8d,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kProto = 0x80,
  kFrame = 0x95,
};

// As Python calls an opcode that is refused, always or in some kinds of files; others in hexadecimal digits.
std::string name_of(uint8_t opcode);

}  // namespace uir::pickle_opcodes
