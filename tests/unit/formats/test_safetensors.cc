#include <algorithm>
#include <cstring>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/formats/safetensors.h"

using namespace uir;

namespace {

// A file put together by hand, as the format's description says.
std::string file_bytes(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes + header + data;
}

constexpr const char* kGoodHeader =
    R"({"__metadata__":{"maker":"hand"},"b":{"dtype":"I64","shape":[],"data_offsets":[12,20]},)"
    R"("a":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]},"z":{"shape":[0,5],"dtype":"BF16","data_offsets":[20,20]}}   )";

std::string good_data() {
  const float values[3] = {1.5f, -2.0f, 0.25f};
  const int64_t count = -7;
  std::string data(20, '\0');
  std::memcpy(data.data(), values, 12);
  std::memcpy(data.data() + 12, &count, 8);
  return data;
}

std::string refusal(const TempFolder& folder, const std::string& bytes) {
  write_bytes(folder / "x.safetensors", bytes);
  const auto error = error_of([&] { SafetensorsFile file(folder / "x.safetensors"); });
  if (!error) return "accepted";
  REQUIRE(error->kind() == ErrorKind::kData);
  REQUIRE(std::string(error->what()).find("x.safetensors") != std::string::npos);
  return error->what();
}

std::string tensor_header(const std::string& fields) { return "{\"t\":{" + fields + "}}"; }

}  // namespace

TEST_CASE("safetensors: a file made by hand is read") {
  TempFolder folder;
  write_bytes(folder / "good.safetensors", file_bytes(kGoodHeader, good_data()));
  const SafetensorsFile file(folder / "good.safetensors");

  CHECK(file.metadata() == Metadata{{"maker", "hand"}});
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "a");  // by position in the file
  CHECK(file.tensors()[1].name == "b");
  CHECK(file.at("a").type == TensorType::kFloat32);
  CHECK(file.at("a").shape == std::vector<int64_t>{3, 1});
  float last = 0;
  std::memcpy(&last, file.at("a").bytes.data() + 8, 4);
  CHECK(last == 0.25f);
  CHECK(file.at("b").shape.empty());
  CHECK(file.at("b").bytes.size() == 8);
  CHECK(file.at("z").bytes.empty());
  CHECK(file.find("c") == nullptr);
  CHECK(fails_with(ErrorKind::kData, [&] { file.at("c"); }));
}

TEST_CASE("safetensors: the writer's bytes are those of the format") {
  TempFolder folder;
  const std::string data = good_data();
  SafetensorsWriter writer(folder / "w", {{"a", TensorType::kFloat32, {3, 1}}, {"b", TensorType::kInt64, {}}},
                           {{"k", "v\"\n"}});
  writer.write(as_bytes(std::string_view(data).substr(0, 12)));
  writer.write(as_bytes(std::string_view(data).substr(12)));
  writer.close();

  const std::string bytes = read_bytes(folder / "w");
  CHECK(writer.size() == bytes.size());
  CHECK(writer.checksum() == checksum64(as_bytes(bytes)));
  CHECK(writer.tensor_checksums().at("b") == checksum64(as_bytes(std::string_view(data).substr(12))));
  const std::string header =
      R"({"__metadata__":{"k":"v\"\n"},"a":{"data_offsets":[0,12],"dtype":"F32","shape":[3,1]},)"
      R"("b":{"data_offsets":[12,20],"dtype":"I64","shape":[]}})";
  const size_t padded = (header.size() + 7) / 8 * 8;
  CHECK(bytes == file_bytes(header + std::string(padded - header.size(), ' '), data));
  CHECK(SafetensorsFile(folder / "w").metadata().at("k") == "v\"\n");
}

TEST_CASE("safetensors: what is written otherwise than announced is a bug of ours") {
  TempFolder folder;
  SafetensorsWriter writer(folder / "w", {{"a", TensorType::kUInt8, {2}}}, {});
  CHECK(fails_with(ErrorKind::kInternal, [&] { writer.write(as_bytes("abc")); }));
  CHECK(fails_with(ErrorKind::kInternal, [&] { writer.close(); }));
  CHECK(fails_with(ErrorKind::kInternal, [&] {
    SafetensorsWriter twice(folder / "v", {{"a", TensorType::kUInt8, {2}}, {"a", TensorType::kUInt8, {2}}},
                            {});
  }));
  CHECK(fails_with(ErrorKind::kCannotCreate, [&] { SafetensorsWriter(folder / "no/such/folder", {}, {}); }));
}

TEST_CASE("safetensors: sizes of shapes") {
  const int64_t big = int64_t{1} << 62;
  CHECK(byte_size({"", TensorType::kFloat64, {2, 3}}) == 48u);
  CHECK(byte_size({"", TensorType::kBool, {}}) == 1u);
  CHECK(byte_size({"", TensorType::kUInt8, {big, 0}}) == 0u);
  CHECK_FALSE(byte_size({"", TensorType::kFloat32, {big}}));
  CHECK_FALSE(byte_size({"", TensorType::kUInt8, {0, big, big}}));  // overflows in whatever order
  CHECK_FALSE(byte_size({"", TensorType::kUInt8, {-1}}));
}

TEST_CASE("safetensors: hostile headers are refused with a reason") {
  TempFolder folder;
  const auto refused = [&](const std::string& header, const std::string& data, const std::string& reason) {
    INFO(header.substr(0, 200));
    const std::string message = refusal(folder, file_bytes(header, data));
    INFO(message.substr(0, 500));
    CHECK(message.find(reason) != std::string::npos);
    CHECK(message.size() < 1000);
  };
  const std::string good = R"("dtype":"U8","shape":[2],"data_offsets":[0,2])";
  REQUIRE(refusal(folder, file_bytes(tensor_header(good), "ab")) == "accepted");
  REQUIRE(refusal(folder, file_bytes("{}", "")) == "accepted");

  refused("", "", "not a JSON object");
  refused("[]", "", "not a JSON object");
  refused(" " + tensor_header(good), "ab", "not a JSON object");
  refused("\xef\xbb\xbf{}", "", "not a JSON object");
  refused(std::string("{}\0garbage", 10), "", "not a JSON object");
  refused("{} x", "", "byte 4");
  refused("{", "", "byte 2");
  refused("{}{}", "", "byte 3");
  refused("{\"t\":" + std::string(200000, '['), "", "an array");
  refused("{\"t\":" + std::string(200000, '{'), "", "byte");
  refused("{\"t\":{\"shape\":" + std::string(200000, '['), "", "an array");
  refused("{\"t\":{\"shape\":[" + std::string(200000, '9') + "]}}", "", "number overflow");
  refused("{\"t\":nul" + std::string(200000, 'x'), "", "byte");
  refused("{\"" + std::string(200000, 'n') + "\x01\":1}", "", "byte");
  refused(R"({"t":1})", "", "a number");
  refused(R"({"t":null})", "", "null");
  refused(R"({"t":"x"})", "", "a text");
  refused(R"({"t":true})", "", "a truth value");
  refused(tensor_header(good + R"(,"extra":1)"), "ab", "unknown key");
  refused(tensor_header(good + R"(,"dtype":"U8")"), "ab", "repeated key dtype");
  refused(tensor_header(good + R"(,"shape":[2])"), "ab", "repeated key shape");
  refused(tensor_header(good + R"(,"data_offsets":[0,2])"), "ab", "repeated key data_offsets");
  refused("{\"t\":{" + good + "},\"t\":{" + good + "}}", "ab", "");
  refused(
      R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
      "", "repeated tensor \"t\"");
  refused(R"({"__metadata__":{},"__metadata__":{}})", "", "repeated __metadata__");
  refused(R"({"__metadata__":{"a":"1","a":"2"}})", "", "repeated metadata \"a\"");
  refused(R"({"__metadata__":{"a":1}})", "", "a number");
  refused(R"({"__metadata__":{"a":{}}})", "", "an object");
  refused(R"({"__metadata__":"a"})", "", "a text");
  refused(tensor_header(R"("shape":[2],"data_offsets":[0,2])"), "ab", "lacks");
  refused(tensor_header(R"("dtype":"U8","data_offsets":[0,2])"), "ab", "lacks");
  refused(tensor_header(R"("dtype":"U8","shape":[2])"), "ab", "lacks");
  refused(tensor_header(R"("dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2])"), "ab",
          "unsupported dtype \"F8_E4M3\"");
  refused(tensor_header(R"("dtype":7,"shape":[2],"data_offsets":[0,2])"), "ab", "a number");
  refused(tensor_header(R"("dtype":"U8","shape":2,"data_offsets":[0,2])"), "ab", "a number");
  refused(tensor_header(R"("dtype":"U8","shape":[-2],"data_offsets":[0,2])"), "ab", "negative");
  refused(tensor_header(R"("dtype":"U8","shape":[2.0],"data_offsets":[0,2])"), "ab", "fraction");
  refused(tensor_header(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,2])"), "ab",
          "too large");
  refused(tensor_header(R"("dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,2])"), "ab",
          "too large");
  refused(tensor_header(R"("dtype":"U8","shape":[2],"data_offsets":[0])"), "ab", "two data_offsets");
  refused(tensor_header(R"("dtype":"U8","shape":[2],"data_offsets":[0,1,2])"), "ab", "a number");
  refused(tensor_header(R"("dtype":"U8","shape":[2],"data_offsets":[2,0])"), "ab", "expected 2 bytes from 0");
  refused(tensor_header(R"("dtype":"U8","shape":[2],"data_offsets":[0,3])"), "ab", "expected 2 bytes");
  refused(tensor_header(R"("dtype":"F32","shape":[2],"data_offsets":[0,2])"), "ab", "expected 8 bytes");
  refused(tensor_header(R"("dtype":"U8","shape":[1000000000000],"data_offsets":[0,1000000000000])"), "ab",
          "inside 2");
  refused(tensor_header(R"("dtype":"U8","shape":[2],"data_offsets":[1,3])"), "abc", "from 0");
  refused(tensor_header(good), "abc", "cover 2 of 3");
  refused(
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
      "abc", "from 2");
  std::string many = "1";
  for (int i = 0; i < 64; ++i) many += ",1";
  refused(tensor_header("\"dtype\":\"U8\",\"shape\":[" + many + R"(],"data_offsets":[0,1])"), "a",
          "dimensions");
}

TEST_CASE("safetensors: lying header lengths and short files") {
  TempFolder folder;
  const std::string good = file_bytes(kGoodHeader, good_data());
  for (size_t size = 0; size < good.size(); ++size)
    CHECK(refusal(folder, good.substr(0, size)) != "accepted");
  CHECK(refusal(folder, good + "x").find("cover") != std::string::npos);
  for (const uint64_t length : {uint64_t{100'000'001}, uint64_t{1} << 40, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string bytes = good;
    std::memcpy(bytes.data(), &length, 8);
    CHECK(refusal(folder, bytes).find("header of") != std::string::npos);
  }
  // A header beyond 100 MB inside a file that has it (sparse).
  write_bytes(folder / "huge", "");
  std::filesystem::resize_file(folder / "huge", 200'000'000);
  std::fstream huge(folder / "huge", std::ios::binary | std::ios::in | std::ios::out);
  const uint64_t length = 100'000'001;
  huge.write(reinterpret_cast<const char*>(&length), 8);
  huge.close();
  CHECK(fails_with(ErrorKind::kData, [&] { SafetensorsFile file(folder / "huge"); }));
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { SafetensorsFile file(folder / "absent"); }));
}

TEST_CASE("safetensors: random damage is refused or stays inside the file") {
  TempFolder folder;
  const std::string good = file_bytes(kGoodHeader, good_data());
  int accepted = 0;
  for (uint64_t round = 0; round < 2000; ++round) {
    ItemRandom random(1, RandomPurpose::kTest, 0, round);
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    write_bytes(folder / "f", bytes);
    const auto error = error_of([&] {
      const SafetensorsFile file(folder / "f");
      ++accepted;
      const auto all = file.file().bytes();
      for (const TensorView& view : file.tensors()) {
        REQUIRE(view.bytes.size() == byte_size(view));
        REQUIRE(view.bytes.data() >= all.data());
        REQUIRE(view.bytes.data() + view.bytes.size() <= all.data() + all.size());
      }
    });
    REQUIRE((!error || error->kind() == ErrorKind::kData));
  }
  CHECK(accepted > 0);  // flips in data and names
  CHECK(accepted < 1500);
}
