#include "uir/formats/bin_set.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "pickle_fixtures.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/real_data.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/formats/numpy_pickle.h"
#include "uir/images/decode.h"

using namespace uir;
using namespace std::string_literals;

namespace {

fs::path write(const TempFolder& folder, std::string_view content) {
  const fs::path path = folder / "set.bin";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// What the reader says to a pickle made of these bytes.
std::string refusal(std::string_view content) {
  const TempFolder folder;
  const auto error = error_of([&] { BinSet{write(folder, content)}; });
  if (!error) return "accepted";
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

const std::string kHeader = "\x80\x03"s;

}  // namespace

TEST_CASE("Every dialect that Python writes gives the same set", "[bin_set]") {
  const TempFolder folder;
  for (const PickleFixture& fixture : kPickleFixtures) {
    INFO(fixture.name);
    const BinSet set(write(folder, fixture.bytes()));
    REQUIRE(set.num_images() == 4);
    REQUIRE(set.num_pairs() == 2);
    for (int64_t i = 0; i < 4; ++i) CHECK(as_text(set.image(i)) == kFixtureImages[static_cast<size_t>(i)]);
    CHECK(set.is_same(0));
    CHECK_FALSE(set.is_same(1));
  }
}

TEST_CASE("A pickle that is cut off anywhere is refused", "[bin_set]") {
  for (const PickleFixture& fixture : kPickleFixtures) {
    const std::string whole = fixture.bytes();
    for (size_t length = 0; length < whole.size(); ++length) {
      INFO(fixture.name << " cut to " << length);
      NumpyGlobals globals;
      CHECK(kind_of([&] { Pickle(as_bytes(whole).first(length), "cut.bin", globals); }) == ErrorKind::kData);
    }
  }
}

TEST_CASE("Damaged pickles never crash the reader", "[bin_set]") {
  for (uint64_t round = 0; round < 3000; ++round) {
    ItemRandom random(1, RandomPurpose::kTest, 0, round);
    std::string bytes = kPickleFixtures[random.below(kPickleFixtures.size())].bytes();
    for (int i = 0; i < 3; ++i) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    NumpyGlobals globals;
    const auto kind = kind_of([&] { Pickle(as_bytes(bytes), "damaged.bin", globals); });
    CHECK((!kind || kind == ErrorKind::kData));
  }
}

TEST_CASE("Pickles that would execute something are refused by name", "[bin_set]") {
  CHECK_THAT(refusal(kHeader + "cos\nsystem\nX\x02\0\0\0ls\x85R."s),
             contains_text("'os.system' is not allowed"));
  CHECK_THAT(refusal("\x80\x04\x8c\x08"
                     "builtins\x8c\x04"
                     "eval\x93\x8c\x01"
                     "1\x85R."s),
             contains_text("'builtins.eval'"));
  CHECK_THAT(refusal(kHeader + "cnumpy\nndarray\n)R."s), contains_text("numpy.ndarray"));
  CHECK_THAT(refusal(kHeader + "(i__main__\nC\n."s), contains_text("INST"));
  CHECK_THAT(refusal(kHeader + "cnumpy\ndtype\n)\x81."s), contains_text("NEWOBJ"));
  CHECK_THAT(refusal(kHeader + "X\x01\0\0\0aQ."s), contains_text("BINPERSID"));
  CHECK_THAT(refusal(kHeader + "\x82\x01."s), contains_text("EXT1"));
  CHECK_THAT(refusal(kHeader + "}."s), contains_text("EMPTY_DICT"));
  CHECK_THAT(refusal(kHeader + "G\x3f\xf8\0\0\0\0\0\0."s), contains_text("BINFLOAT"));
  CHECK_THAT(refusal(kHeader + "](]]u."s), contains_text("SETITEMS"));
  CHECK_THAT(refusal(kHeader + "\xfe."s), contains_text("0xfe"));
  CHECK_THAT(refusal("(lp0\n."s), contains_text("protocol 2 to 5"));
  CHECK_THAT(refusal("\x80\x06N."s), contains_text("protocol 6"));
  CHECK_THAT(refusal(kHeader + "cos\nsystem\nX\x02\0\0\0ls\x85R."s), contains_text("set.bin: offset 2"));
}

TEST_CASE("Malformed values are refused", "[bin_set]") {
  const std::string dtype = "cnumpy\ndtype\nX\x02\0\0\0u1K\0K\x01\x87R"s;
  const auto array = [&](const std::string& shape, const std::string& data) {
    return kHeader + "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01"s + shape + dtype + "\x89" + data +
           "tb.";
  };
  CHECK_THAT(refusal(array("K\x02K\x02\x86",
                           "C\x03"
                           "abc")),
             contains_text("shape exceeds its data"));
  CHECK_THAT(refusal(array("K\x02\x85",
                           "C\x03"
                           "abc")),
             contains_text("an array of 2 u1 has 3 bytes"));
  CHECK_THAT(refusal(array("J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87",
                           "C\x01"
                           "a")),
             contains_text("shape"));
  CHECK_THAT(refusal(array("J\xff\xff\xff\xff\x85",
                           "C\x01"
                           "a")),
             contains_text("shape"));
  CHECK_THAT(refusal(kHeader + "cnumpy\ndtype\nX\x02\0\0\0O8K\0K\x01\x87R."s), contains_text("dtype 'O8'"));
  CHECK_THAT(refusal(kHeader + "K\x01K\x02"
                               "a."s),
             contains_text("no list"));
  CHECK_THAT(refusal(kHeader + "."s), contains_text("stack is empty"));
  CHECK_THAT(refusal(kHeader + "h\x07."s), contains_text("memo 7"));
  CHECK_THAT(refusal(kHeader + "e."s), contains_text("no mark"));
  CHECK_THAT(refusal(kHeader + "K\x01(\x85t."s), contains_text("stack is empty"));
}

TEST_CASE("Sets whose parts do not fit are refused", "[bin_set]") {
  CHECK_THAT(refusal(kHeader + "](C\x01"
                               "aC\x01"
                               "be](\x88\x89"
                               "e\x86."s),
             contains_text("2 images for 2 pairs"));
  CHECK_THAT(refusal(kHeader + "](C\x01"
                               "aC\x01"
                               "be](K\x02"
                               "e\x86."s),
             contains_text("2 is neither true nor false"));
  CHECK_THAT(refusal(kHeader + "](C\x01"
                               "aNe](\x88"
                               "e\x86."s),
             contains_text("image 1 is neither bytes"));
  CHECK_THAT(refusal(kHeader + "](C\x01"
                               "aC\x01"
                               "be](Ne\x86."s),
             contains_text("neither true nor false"));
  CHECK_THAT(refusal(kHeader + "](C\x01"
                               "ae."s),
             contains_text("expected (images, issame)"));
  CHECK_THAT(refusal(kHeader + "K\x01."s), contains_text("expected a tuple or a list"));
}

TEST_CASE("A small file cannot make the reader allocate much", "[bin_set]") {
  // Each opcode would make a value of 32 bytes, or decode 64 KiB of text once more.
  std::string many_values = kHeader + std::string(8 << 20, ')');
  CHECK_THAT(refusal(many_values), contains_text("more memory than the file"));
  std::string many_marks = kHeader + std::string(8 << 20, '(');
  CHECK_THAT(refusal(many_marks), contains_text("more memory than the file"));
  std::string text = kHeader + "c_codecs\nencode\nq\x01X\0\0\x01\0"s + std::string(1 << 16, 'a') +
                     "X\x06\0\0\0latin1\x86q\x02"s;
  for (int i = 0; i < 1000; ++i) text += "h\x01h\x02R";
  CHECK_THAT(refusal(text), contains_text("more memory than the file"));
  CHECK_THAT(refusal(kHeader + "\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"s), contains_text("truncated"));
  CHECK_THAT(refusal("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f."s), contains_text("frame"));
}

TEST_CASE("A written set is read again", "[bin_set]") {
  const TempFolder folder;
  const fs::path path = folder / "written.bin";
  BinSetWriter writer(path);
  for (const std::string_view image : kFixtureImages) writer.add_image(as_bytes(image));
  const std::array<uint8_t, 2> is_same{1, 0};
  writer.commit(is_same);
  const BinSet set(path);
  REQUIRE(set.num_images() == 4);
  for (int64_t i = 0; i < 4; ++i) CHECK(as_text(set.image(i)) == kFixtureImages[static_cast<size_t>(i)]);
  CHECK(set.is_same() == std::vector<uint8_t>{1, 0});
}

TEST_CASE("A written set is read by Python's pickle, too", "[bin_set]") {
  if (std::system("python3 -c 'import pickle' 2>/dev/null") != 0) {
    WARN("skipped: no python3");
    return;
  }
  const TempFolder folder;
  BinSetWriter writer(folder / "written.bin");
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  writer.add_image(as_bytes(every_byte));
  writer.add_image(as_bytes(""));
  writer.commit(std::array<uint8_t, 1>{1});
  std::ofstream(folder / "read.py") << R"(
import pickle, sys
data = open(sys.argv[1], "rb").read()
assert data[:2] == b"\x80\x02"
try:  # as the public readers do it
    pickle.loads(data)
    sys.exit("bytes were taken for ASCII")
except UnicodeDecodeError:
    images, issame = pickle.loads(data, encoding="bytes")
assert images == [bytes(range(256)), b""] and issame == [True], (images, issame)
)";
  const std::string run =
      "python3 " + (folder / "read.py").string() + " " + (folder / "written.bin").string();
  CHECK(std::system(run.c_str()) == 0);
}

TEST_CASE("A set whose images do not match its pairs is not written", "[bin_set]") {
  const TempFolder folder;
  {
    BinSetWriter writer(folder / "written.bin");
    writer.add_image(as_bytes("one"));
    const std::array<uint8_t, 1> is_same{1};
    CHECK(kind_of([&] { writer.commit(is_same); }) == ErrorKind::kInternal);
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("A missing set is missing input", "[bin_set]") {
  CHECK(kind_of([] { BinSet{"/nowhere/lfw.bin"}; }) == ErrorKind::kMissingInput);
}

TEST_CASE("A published set: 10 genuine pairs of LFW", "[bin_set][real]") {
  const fs::path path = real_data("formats/insightface_small_lfw.bin");
  if (path.empty()) return;
  const BinSet set(path);
  CHECK(set.num_images() == 20);
  CHECK(set.is_same() == std::vector<uint8_t>(10, 1));
  for (int64_t i = 0; i < set.num_images(); ++i) {
    CHECK(decode_image(set.image(i)).size.num_bytes() > 0);
  }
}
