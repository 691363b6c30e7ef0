// Files of torch.save (.pt, .pth) without PyTorch: state dicts and checkpoints, read from strangers without
// trust.
//
// Two containers: a zip archive with a pickle and raw storages (since PyTorch 1.6), and the stream before it
// (which begins 80 02 8a 0a 6c fc 9c 46). docs/formats.md ("Weights") lists what the pickle may hold. Beside
// the tensors, what other classes made is passed over; whole models, element types that TensorType lacks,
// big-endian files and other archives (weights_kind.h) are refused by name.
// Cost: opening interprets the pickle and reads each storage once for its checksum (zip only). Memory:
// contiguous tensors are views into the memory map, others are copied; all in all bounded by the file's size
// (plus 1 MiB).
// Errors: kMissingInput, kData naming the file and the place. Threads: const after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/formats/safetensors.h"

namespace uir {

class TorchFile;

// A dict inside a file: a handle that is cheap to copy and lives no longer than the file.
class TorchDict {
 public:
  // The keys that are text, in order, without repeats.
  std::vector<std::string_view> keys() const;
  // The values that are tensors under text keys; names are the keys. kData, naming the key, if one is a
  // tensor of a kind that is not read (quantised, float8, distributed …).
  std::vector<TensorView> tensors() const;
  // The same with those of the dicts in it, however deep: "key.key"; a dict that is named twice counts once.
  std::vector<TensorView> all_tensors() const;
  // Whether all_tensors() has any, or refuses to read one; arrays of NumPy are none. Refuses nothing itself.
  bool holds_tensors() const;
  // The text keys whose values are objects of other classes, and the classes.
  std::vector<std::pair<std::string_view, std::string_view>> objects() const;
  // The value of a key; none if it is absent or of another type. A number may be an integer, a truth value or
  // a float.
  std::optional<TorchDict> dict(std::string_view key) const;
  std::optional<TensorView> tensor(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;

 private:
  friend class TorchFile;
  std::vector<std::pair<std::string_view, uint32_t>> values() const;  // of text keys, in order
  bool holds_tensors(std::set<uint32_t>& seen) const;
  void add_tensors(const std::string& prefix, std::set<uint32_t>& seen, std::vector<TensorView>& all) const;
  TorchDict(const TorchFile& file, uint32_t id) : file_(&file), id_(id) {}
  const TorchFile* file_;
  uint32_t id_;  // in the pickle
};

class TorchFile {
 public:
  explicit TorchFile(const fs::path& path);
  // What torch.save wrote into a part of a file, which must outlive this. place: for messages.
  TorchFile(Bytes bytes, std::string place);
  ~TorchFile();
  TorchFile(const TorchFile&) = delete;
  TorchFile& operator=(const TorchFile&) = delete;

  // True for the first bytes of either container, which no safetensors file has.
  static bool recognises(Bytes bytes);

  TorchDict root() const;  // kData if the file holds something else than a dict
  // The tensor that it holds instead of a dict; none if it holds something else.
  std::optional<TensorView> tensor() const;
  const MappedFile& file() const;

 private:
  friend class TorchDict;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
