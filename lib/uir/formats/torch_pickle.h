// What PyTorch's globals mean in a pickle: storages that lie outside of it, tensors as views of them, and
// dicts with an order. Private to torch_file.cc.
//
// Tensors are resolved in two steps, since the old container has its storages behind the pickle: the pickle
// tells shapes and storages, then storages() get their bytes, and resolve() makes the views.
// Whatever another global makes (settings, NumPy's numbers, whole modules) is an object of which only the
// name is known.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/formats/pickle.h"
#include "uir/formats/safetensors.h"

namespace uir {

// A storage as the pickle names it.
struct TorchStorage {
  std::string key;
  TensorType type = TensorType::kFloat32;
  bool untyped = false;  // counts bytes; the tensors tell the type
  uint64_t num_elements = 0;
  Bytes data;
};

class TorchGlobals : public PickleGlobals {
 public:
  std::optional<int64_t> find(Pickle& pickle, std::string_view module, std::string_view name) override;
  PickleValue call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) override;
  void build(Pickle& pickle, Id object, Id state) override;
  PickleValue load_persistent(Pickle& pickle, Id name) override;
  std::string_view verdict() const override {
    return "only state dicts are read: save model.state_dict() with torch.save";
  }

  // Every storage once, in the order in which they were first named.
  std::deque<TorchStorage>& storages() { return storages_; }
  // After every storage has its data, of the size that it announced: the tensors' views, or copies of those
  // that are not contiguous, in at most so much memory. place: the file's name, for messages.
  void resolve(std::string_view place, uint64_t memory);
  const TensorView& tensor(const PickleValue& value) const {
    return tensors_[static_cast<size_t>(value.number)].view;
  }
  // What made an object: "numpy.core.multiarray.scalar".
  const std::string& maker(const PickleValue& object) const {
    return makers_[static_cast<size_t>(object.number)];
  }
  // Why a tensor that such a global makes is not read, and what to do; empty: it makes no tensor.
  static std::string_view why_no_tensor(std::string_view maker);
  // The element type of a storage that is not read, and therefore not among storages(); empty: all are.
  const std::string& unread_storage() const { return unread_storage_; }

 private:
  // A range of a storage's elements.
  struct StorageView {
    size_t storage = 0;
    uint64_t first = 0, num_elements = 0;
  };
  struct Tensor {
    StorageView storage;
    uint64_t offset = 0;  // of the first element in the storage view
    std::vector<int64_t> strides;
    uint64_t made_at = 0;  // offset in the pickle
    TensorView view;
  };

  PickleValue rebuild_tensor(Pickle& pickle, const std::vector<Id>& arguments,
                             std::optional<TensorType> type);
  PickleValue storage_of_type(Pickle& pickle, const PickleValue& type, const std::vector<Id>& parts);
  size_t add_storage(Pickle& pickle, TorchStorage storage);
  void resolve(Tensor& tensor, std::string_view place, uint64_t& memory);

  std::deque<TorchStorage> storages_;
  std::unordered_map<std::string, size_t> storage_by_key_;
  std::deque<StorageView> storage_views_;
  std::deque<Tensor> tensors_;
  std::deque<std::vector<std::byte>> copies_;
  std::deque<std::string> makers_;  // of objects, by their number
  std::string unread_storage_;
};

}  // namespace uir
