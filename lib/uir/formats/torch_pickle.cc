#include "uir/formats/torch_pickle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace uir {
namespace {

using Id = Pickle::Id;

// Numbers of globals: these, kStorage or kDtype plus an element type, and kUnknown plus the number of a
// maker.
enum Global : int64_t {
  kOrderedDict,
  kRebuildTensor,
  kRebuildTensorV2,
  kRebuildTensorV3,
  kRebuildParameter,
  kRebuildFromType,
  kUntypedStorage,
  kStorage = 100,
  kDtype = 200,
  kUnknown = 300
};

struct GlobalName {
  std::string_view module, name;
  Global global;
};
constexpr std::array<GlobalName, 11> kGlobals{{
    {"collections", "OrderedDict", kOrderedDict},
    {"collections", "Counter", kOrderedDict},
    {"torch._utils", "_rebuild_tensor", kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", kRebuildTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", kRebuildTensorV3},
    {"torch._utils", "_rebuild_parameter", kRebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", kRebuildParameter},
    {"torch._tensor", "_rebuild_from_type_v2", kRebuildFromType},
    {"torch", "UntypedStorage", kUntypedStorage},
    {"torch.storage", "UntypedStorage", kUntypedStorage},
    {"torch.storage", "_UntypedStorage", kUntypedStorage},
}};

struct TypeName {
  TensorType type;
  std::string_view storage, dtype;
};
constexpr std::array<TypeName, 8> kTypes{{
    {TensorType::kFloat64, "DoubleStorage", "float64"},
    {TensorType::kFloat32, "FloatStorage", "float32"},
    {TensorType::kFloat16, "HalfStorage", "float16"},
    {TensorType::kBFloat16, "BFloat16Storage", "bfloat16"},
    {TensorType::kInt64, "LongStorage", "int64"},
    {TensorType::kInt32, "IntStorage", "int32"},
    {TensorType::kUInt8, "ByteStorage", "uint8"},
    {TensorType::kBool, "BoolStorage", "bool"},
}};

// Tensors that are not read, by what the name of their maker begins with.
struct UnreadTensor {
  std::string_view maker, why;
};
constexpr std::string_view kQuantised =
    "a quantised tensor; take the float weights from before the quantisation, or save dequantize() of each";
constexpr std::string_view kFloat8 =
    "a tensor of float8 (or another type of few bits); save it as float32: tensor.float()";
constexpr std::string_view kElsewhere =
    "a tensor whose values lie elsewhere (a distributed, meta or XLA tensor); gather it on one CPU and save "
    "that";
constexpr std::array kUnreadTensors{
    UnreadTensor{"torch._utils._rebuild_qtensor", kQuantised},
    UnreadTensor{"torch.QInt", kQuantised},
    UnreadTensor{"torch.QUInt", kQuantised},
    UnreadTensor{"torch.float8_", kFloat8},
    UnreadTensor{"torch.float4_", kFloat8},
    UnreadTensor{"torch._utils._rebuild_sparse", "a sparse tensor; save to_dense() of it"},
    UnreadTensor{"torch._utils._rebuild_nested", "a nested tensor; save plain ones"},
    UnreadTensor{"torch._utils._rebuild_meta", kElsewhere},
    UnreadTensor{"torch._utils._rebuild_xla", kElsewhere},
    UnreadTensor{"torch._utils._rebuild_device", kElsewhere},
    UnreadTensor{"torch._utils._rebuild_wrapper_subclass", kElsewhere},
    UnreadTensor{"torch.distributed.tensor", kElsewhere},
    UnreadTensor{"torch.distributed._tensor", kElsewhere},
    UnreadTensor{"torch.distributed._shard", kElsewhere},
    UnreadTensor{"torch.Char", "a tensor of int8; save it as float32: tensor.float()"},
    UnreadTensor{"torch.Short", "a tensor of int16; save it as float32: tensor.float()"},
    UnreadTensor{"torch.Complex", "a tensor of complex numbers, which no network here has"},
    UnreadTensor{"torch.int", "a tensor of integers; save it as float32: tensor.float()"},
    UnreadTensor{"torch.uint", "a tensor of integers; save it as float32: tensor.float()"},
    UnreadTensor{"torch.complex", "a tensor of complex numbers, which no network here has"},
    UnreadTensor{"numpy.core.multiarray._reconstruct", "a NumPy array; save torch.from_numpy() of it"},
    UnreadTensor{"numpy._core.multiarray._reconstruct", "a NumPy array; save torch.from_numpy() of it"},
};

constexpr size_t kMaxRank = 64;

uint64_t count_of(const Pickle& pickle, Id id) {
  const int64_t number = pickle.number_of(id);
  if (number < 0) pickle.refuse("a count is negative: ", number);
  return static_cast<uint64_t>(number);
}

std::vector<int64_t> sizes_of(Pickle& pickle, Id id) {
  const std::vector<Id>& elements = pickle.elements(pickle[id]);
  if (elements.size() > kMaxRank) pickle.refuse("a tensor of ", elements.size(), " dimensions");
  pickle.spend(elements.size() * sizeof(int64_t));
  std::vector<int64_t> sizes;
  for (const Id element : elements) sizes.push_back(static_cast<int64_t>(count_of(pickle, element)));
  return sizes;
}

// OrderedDict(), Counter(dict), or OrderedDict([[key, value], …]) as Python 2 has it.
PickleValue make_dict(Pickle& pickle, const std::vector<Id>& arguments) {
  if (arguments.empty()) return pickle.make_dict({});
  if (arguments.size() > 1) pickle.refuse("a dict of ", arguments.size(), " arguments");
  const PickleValue content = pickle[arguments[0]];
  if (content.type == PickleType::kDict || content.type == PickleType::kObject) return content;
  Pickle::DictEntries entries;
  for (const Id id : pickle.elements(content)) {
    const std::vector<Id>& pair = pickle.elements(pickle[id]);
    if (pair.size() != 2) pickle.refuse("an item of a dict has ", pair.size(), " parts");
    entries.emplace_back(pair[0], pair[1]);
  }
  return pickle.make_dict(std::move(entries));
}

bool is_empty(const TensorInfo& info) { return std::ranges::find(info.shape, 0) != info.shape.end(); }

// Elements that do not follow each other, one by one.
std::vector<std::byte> gather(Bytes elements, const TensorInfo& info, const std::vector<int64_t>& strides,
                              uint64_t num_bytes) {
  const size_t width = element_size(info.type);
  std::vector<std::byte> copy(num_bytes);
  std::vector<int64_t> index(info.shape.size(), 0);
  size_t source = 0;
  for (size_t target = 0; target < num_bytes; target += width) {
    std::memcpy(copy.data() + target, elements.data() + source * width, width);
    for (size_t d = index.size(); d-- > 0;) {
      source += static_cast<size_t>(strides[d]);
      if (++index[d] < info.shape[d]) break;
      source -= static_cast<size_t>(strides[d] * info.shape[d]);
      index[d] = 0;
    }
  }
  return copy;
}

}  // namespace

std::optional<int64_t> TorchGlobals::find(Pickle& pickle, std::string_view module, std::string_view name) {
  for (const GlobalName& known : kGlobals) {
    if (known.module == module && known.name == name) return known.global;
  }
  for (const TypeName& known : kTypes) {
    if (module != "torch") break;
    if (known.storage == name) return kStorage + static_cast<int64_t>(known.type);
    if (known.dtype == name) return kDtype + static_cast<int64_t>(known.type);
  }
  pickle.spend(sizeof(std::string) + module.size() + 1 + name.size());
  makers_.push_back(concat(module, '.', name));
  return kUnknown + std::ssize(makers_) - 1;
}

std::string_view TorchGlobals::why_no_tensor(std::string_view maker) {
  const auto found = std::ranges::find_if(
      kUnreadTensors, [&](const UnreadTensor& unread) { return maker.starts_with(unread.maker); });
  return found == kUnreadTensors.end() ? std::string_view() : found->why;
}

PickleValue TorchGlobals::call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) {
  if (global >= kUnknown) return {PickleType::kObject, global - kUnknown, {}};
  switch (global) {
    case kOrderedDict:
      return make_dict(pickle, arguments);
    case kRebuildTensor:    // (storage, offset, size, stride)
    case kRebuildTensorV2:  // … requires_grad, backward_hooks[, metadata]
      return rebuild_tensor(pickle, arguments, std::nullopt);
    case kRebuildTensorV3:  // … requires_grad, backward_hooks, dtype[, metadata]
      if (arguments.size() < 7 || pickle[arguments[6]].type != PickleType::kGlobal ||
          pickle[arguments[6]].number < kDtype)
        pickle.refuse("a tensor without element type");
      if (pickle[arguments[6]].number >= kUnknown) return call(pickle, pickle[arguments[6]].number, {});
      return rebuild_tensor(pickle, arguments, static_cast<TensorType>(pickle[arguments[6]].number - kDtype));
    case kRebuildParameter:  // (tensor, requires_grad, backward_hooks[, state])
      if (arguments.empty() || (pickle[arguments[0]].type != PickleType::kTensor &&
                                pickle[arguments[0]].type != PickleType::kObject))
        pickle.refuse("a parameter that is no tensor");
      return pickle[arguments[0]];
    case kRebuildFromType:  // (what rebuilds the tensor, its class, arguments, state)
      if (arguments.size() < 3 || pickle[arguments[0]].type != PickleType::kGlobal ||
          pickle[arguments[0]].number == kRebuildFromType)
        pickle.refuse("a tensor of a class of its own, of which nothing tells how it is made");
      return call(pickle, pickle[arguments[0]].number, pickle.elements(pickle[arguments[2]]));
    default:
      pickle.refuse("calls an element type");
  }
}

void TorchGlobals::build(Pickle& pickle, Id object, Id) {
  if (pickle[object].type == PickleType::kObject || pickle[object].type == PickleType::kTensor) return;
  pickle.refuse("sets the state of something that is no dict");
}

// ('storage', type, key, location, elements[, (view key, first element, elements) or None]); before PyTorch
// 1.6 also ('module', class, file, source) of a module whose class is asked for.
PickleValue TorchGlobals::load_persistent(Pickle& pickle, Id name) {
  const std::vector<Id>& parts = pickle.elements(pickle[name]);
  if (parts.size() >= 2 && pickle.text_of(parts[0]) == "module") return pickle[parts[1]];
  if (parts.size() < 5 || parts.size() > 6 || pickle.text_of(parts[0]) != "storage")
    pickle.refuse("refers to something else than a storage");
  const PickleValue& type = pickle[parts[1]];
  if (type.type == PickleType::kGlobal && type.number >= kUnknown) {
    unread_storage_ = makers_[static_cast<size_t>(type.number - kUnknown)];
    return call(pickle, type.number, {});
  }
  return storage_of_type(pickle, type, parts);
}

PickleValue TorchGlobals::storage_of_type(Pickle& pickle, const PickleValue& type,
                                          const std::vector<Id>& parts) {
  const bool untyped = type.type == PickleType::kGlobal && type.number == kUntypedStorage;
  if (!untyped && (type.type != PickleType::kGlobal || type.number < kStorage || type.number >= kDtype))
    pickle.refuse("a storage without element type");
  TorchStorage storage;
  storage.key = pickle.text_of(parts[2]);
  storage.untyped = untyped;
  storage.type = untyped ? TensorType::kUInt8 : static_cast<TensorType>(type.number - kStorage);
  storage.num_elements = count_of(pickle, parts[4]);
  StorageView view{0, 0, storage.num_elements};
  if (parts.size() == 6 && pickle[parts[5]].type != PickleType::kNone) {
    const std::vector<Id>& range = pickle.elements(pickle[parts[5]]);
    if (range.size() != 3) pickle.refuse("a malformed view of a storage");
    view.first = count_of(pickle, range[1]);
    view.num_elements = count_of(pickle, range[2]);
    if (view.first > storage.num_elements || view.num_elements > storage.num_elements - view.first)
      pickle.refuse("a view beyond storage '", storage.key, "'");
  }
  view.storage = add_storage(pickle, std::move(storage));
  pickle.spend(sizeof view);
  storage_views_.push_back(view);
  return {PickleType::kStorage, static_cast<int64_t>(storage_views_.size() - 1), {}};
}

size_t TorchGlobals::add_storage(Pickle& pickle, TorchStorage storage) {
  const auto [known, is_new] = storage_by_key_.try_emplace(storage.key, storages_.size());
  if (is_new) {
    pickle.spend(sizeof storage + 2 * storage.key.size() + 8 * sizeof(void*));
    storages_.push_back(std::move(storage));
    return known->second;
  }
  const TorchStorage& before = storages_[known->second];
  if (before.type != storage.type || before.untyped != storage.untyped ||
      before.num_elements != storage.num_elements)
    pickle.refuse("storage '", storage.key, "' has two types or sizes");
  return known->second;
}

PickleValue TorchGlobals::rebuild_tensor(Pickle& pickle, const std::vector<Id>& arguments,
                                         std::optional<TensorType> type) {
  if (!arguments.empty() && pickle[arguments[0]].type == PickleType::kObject) return pickle[arguments[0]];
  if (arguments.size() < 4 || pickle[arguments[0]].type != PickleType::kStorage)
    pickle.refuse("a tensor without storage");
  Tensor tensor;
  tensor.storage = storage_views_[static_cast<size_t>(pickle[arguments[0]].number)];
  const TorchStorage& storage = storages_[tensor.storage.storage];
  if (storage.untyped != type.has_value()) pickle.refuse("a tensor whose element type is not known");
  tensor.view.type = type.value_or(storage.type);
  tensor.offset = count_of(pickle, arguments[1]);
  tensor.view.shape = sizes_of(pickle, arguments[2]);
  tensor.strides = sizes_of(pickle, arguments[3]);
  if (tensor.strides.size() != tensor.view.shape.size())
    pickle.refuse("a tensor with ", tensor.view.shape.size(), " sizes and ", tensor.strides.size(),
                  " strides");
  tensor.made_at = pickle.size();
  pickle.spend(sizeof tensor);
  tensors_.push_back(std::move(tensor));
  return {PickleType::kTensor, static_cast<int64_t>(tensors_.size() - 1), {}};
}

void TorchGlobals::resolve(std::string_view place, uint64_t memory) {
  for (Tensor& tensor : tensors_) resolve(tensor, place, memory);
}

void TorchGlobals::resolve(Tensor& tensor, std::string_view place, uint64_t& memory) {
  const auto refuse = [&](const auto&... parts) {
    fail(ErrorKind::kData, place, ": offset ", tensor.made_at, ": a tensor of ", tensor.view.shape.size(),
         " dimensions in storage '", storages_[tensor.storage.storage].key, "': ", parts...);
  };
  const std::optional<uint64_t> num_bytes = byte_size(tensor.view);
  if (!num_bytes) refuse("its shape is too large");
  if (is_empty(tensor.view)) return;

  int64_t last = 0, contiguous_stride = 1;  // the last element; what the dimension's stride would be
  bool contiguous = true;
  for (size_t d = tensor.strides.size(); d-- > 0;) {
    const int64_t size = tensor.view.shape[d];
    int64_t reach = 0;
    if (__builtin_mul_overflow(size - 1, tensor.strides[d], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      refuse("its strides are too large");
    contiguous &= size == 1 || tensor.strides[d] == contiguous_stride;
    contiguous_stride *= size;
  }
  const Bytes data = storages_[tensor.storage.storage].data;
  const uint64_t width = element_size(tensor.view.type);
  const uint64_t unit = storages_[tensor.storage.storage].untyped ? 1 : width;  // of the storage's counts
  const Bytes view = data.subspan(tensor.storage.first * unit, tensor.storage.num_elements * unit);
  const uint64_t available = view.size() / width;
  if (tensor.offset >= available || static_cast<uint64_t>(last) >= available - tensor.offset)
    refuse("it needs element ", tensor.offset, " + ", last, " of ", available);
  const Bytes elements = view.subspan(tensor.offset * width);
  if (contiguous) {
    tensor.view.bytes = elements.first(*num_bytes);
    return;
  }
  if (*num_bytes > memory) refuse("spread out it would be larger than the file; save it with .contiguous()");
  memory -= *num_bytes;
  tensor.view.bytes = copies_.emplace_back(gather(elements, tensor.view, tensor.strides, *num_bytes));
}

}  // namespace uir
