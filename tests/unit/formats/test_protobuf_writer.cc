#include <limits>
#include <string>

#include "support/catch.h"
#include "uir/formats/protobuf_writer.h"

using namespace uir;

namespace {
std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    for (const int nibble : {(byte >> 4) & 15, byte & 15}) text.push_back("0123456789abcdef"[nibble]);
  }
  return text;
}
}  // namespace

// The first three are the examples of the format's own description (protobuf.dev, "Encoding"); the others
// were worked out by hand from its rules.
TEST_CASE("Fields are encoded as Protocol Buffers describe it", "[protobuf]") {
  CHECK(hex(ProtobufWriter().integer(1, 150).bytes()) == "089601");
  CHECK(hex(ProtobufWriter().text(2, "testing").bytes()) == "120774657374696e67");
  CHECK(hex(ProtobufWriter().message(3, ProtobufWriter().integer(1, 150)).bytes()) == "1a03089601");
  CHECK(hex(ProtobufWriter().integer(1, -2).bytes()) == "08feffffffffffffffff01");
  CHECK(hex(ProtobufWriter().integer(16, 0).bytes()) == "800100");
  CHECK(hex(ProtobufWriter().integer(1, std::numeric_limits<int64_t>::max()).bytes()) ==
        "08ffffffffffffffff7f");
  CHECK(hex(ProtobufWriter().float32(1, 1.5f).bytes()) == "0d0000c03f");
  CHECK(hex(ProtobufWriter().float64(1, -2.0).bytes()) == "0900000000000000c0");
  CHECK(hex(ProtobufWriter().text(2, "").integer(1, 1).bytes()) == "12000801");
}
