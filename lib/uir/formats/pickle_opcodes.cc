#include "uir/formats/pickle_opcodes.h"

#include <array>
#include <ios>
#include <string_view>
#include <utility>

#include "uir/base/error.h"

namespace uir::pickle_opcodes {
namespace {

constexpr std::array<std::pair<uint8_t, std::string_view>, 31> kRefusedOpcodes{
    {{'0', "POP"},        {'1', "POP_MARK"},     {'2', "DUP"},         {'F', "FLOAT"},
     {'G', "BINFLOAT"},   {'I', "INT"},          {'L', "LONG"},        {'P', "PERSID"},
     {'Q', "BINPERSID"},  {'S', "STRING"},       {'V', "UNICODE"},     {'d', "DICT"},
     {'}', "EMPTY_DICT"}, {'g', "GET"},          {'i', "INST"},        {'l', "LIST"},
     {'o', "OBJ"},        {'p', "PUT"},          {'s', "SETITEM"},     {'u', "SETITEMS"},
     {0x81, "NEWOBJ"},    {0x82, "EXT1"},        {0x83, "EXT2"},       {0x84, "EXT4"},
     {0x8b, "LONG4"},     {0x8d, "BINUNICODE8"}, {0x8f, "EMPTY_SET"},  {0x90, "ADDITEMS"},
     {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"},   {0x97, "NEXT_BUFFER"}}};

}  // namespace

std::string name_of(uint8_t opcode) {
  for (const auto& [code, name] : kRefusedOpcodes) {
    if (code == opcode) return std::string(name);
  }
  return concat("0x", std::hex, static_cast<int>(opcode));
}

}  // namespace uir::pickle_opcodes
