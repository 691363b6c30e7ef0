#include "uir/formats/bin_set.h"

#include <cstring>
#include <string>

#include "uir/base/error.h"
#include "uir/formats/numpy_pickle.h"

namespace uir {
namespace {

struct Storage {
  explicit Storage(const fs::path& path) : file(path), pickle(file.bytes(), path.string(), globals) {}
  MappedFile file;
  NumpyGlobals globals;
  Pickle pickle;

  std::string_view dtype(const PickleValue& array) const { return globals.dtype(pickle, array); }
};

Bytes image_bytes(const Storage& set, const PickleValue& value, std::string_view place, size_t i) {
  if (value.type == PickleType::kBytes) return value.bytes;
  if (value.type == PickleType::kArray && set.dtype(value) == "u1") return value.bytes;
  fail(ErrorKind::kData, place, ": image ", i, " is neither bytes nor an array of uint8");
}

uint8_t truth(int64_t number, std::string_view place, size_t i) {
  if (number != 0 && number != 1)
    fail(ErrorKind::kData, place, ": pair ", i, ": ", number, " is neither true nor false");
  return static_cast<uint8_t>(number);
}

std::vector<uint8_t> truths_of_array(const Storage& set, const PickleValue& array, std::string_view place) {
  const std::string_view dtype = set.dtype(array);
  const size_t width = static_cast<size_t>(dtype[1] - '0');
  std::vector<uint8_t> truths(array.bytes.size() / width);
  for (size_t i = 0; i < truths.size(); ++i) {
    int64_t number = 0;
    std::memcpy(&number, array.bytes.data() + i * width, width);
    truths[i] = truth(number, place, i);
  }
  return truths;
}

std::vector<uint8_t> truths_of(const Storage& set, const PickleValue& value, std::string_view place) {
  if (value.type == PickleType::kArray) return truths_of_array(set, value, place);
  const Pickle& pickle = set.pickle;
  std::vector<uint8_t> truths;
  for (const Pickle::Id id : pickle.elements(value)) {
    if (pickle[id].type != PickleType::kNumber) {
      fail(ErrorKind::kData, place, ": pair ", truths.size(), ": neither true nor false");
    }
    truths.push_back(truth(pickle[id].number, place, truths.size()));
  }
  return truths;
}

// Pickle opcodes of what the writer needs.
constexpr std::string_view kBegin("\x80\x02]q\x00(", 6);  // protocol 2; an empty list, remembered; mark
constexpr char kBinString = 'T';                          // Python 2's bytes: int32 length, content
constexpr std::string_view kEndOfImages("e]q\x01(", 5);   // append all to the list; the second list
constexpr std::string_view kEnd("e\x86q\x02.", 5);        // append; tuple of both; stop
constexpr std::string_view kTrue = "\x88", kFalse = "\x89";

}  // namespace

BinSet::BinSet(const fs::path& path) {
  const auto storage = std::make_shared<const Storage>(path);
  storage_ = storage;
  const Pickle& pickle = storage->pickle;
  const std::string place = path.string();
  const auto& parts = pickle.elements(pickle[pickle.root()]);
  if (parts.size() != 2)
    fail(ErrorKind::kData, place, ": a tuple of ", parts.size(), ", expected (images, issame)");
  for (const Pickle::Id id : pickle.elements(pickle[parts[0]])) {
    images_.push_back(image_bytes(*storage, pickle[id], place, images_.size()));
  }
  is_same_ = truths_of(*storage, pickle[parts[1]], place);
  if (images_.size() != 2 * is_same_.size()) {
    fail(ErrorKind::kData, place, ": ", images_.size(), " images for ", is_same_.size(),
         " pairs, expected two for each");
  }
}

BinSetWriter::BinSetWriter(const fs::path& path) : file_(path) { file_.out().write(kBegin); }

void BinSetWriter::add_image(Bytes encoded) {
  if (encoded.size() > INT32_MAX)
    fail(ErrorKind::kData, "an image of ", encoded.size(), " bytes does not fit into a .bin");
  const auto length = static_cast<uint32_t>(encoded.size());
  file_.out().write(std::string_view(&kBinString, 1));
  file_.out().write(std::as_bytes(std::span(&length, 1)));
  file_.out().write(encoded);
  ++num_images_;
}

void BinSetWriter::commit(std::span<const uint8_t> is_same) {
  ensure(num_images_ == 2 * is_same.size(), "two images for each pair");
  file_.out().write(kEndOfImages);
  for (const uint8_t same : is_same) file_.out().write(same ? kTrue : kFalse);
  file_.out().write(kEnd);
  file_.commit();
}

}  // namespace uir
