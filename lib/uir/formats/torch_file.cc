#include "uir/formats/torch_file.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "uir/base/error.h"
#include "uir/formats/torch_pickle.h"
#include "uir/formats/weights_kind.h"
#include "uir/formats/zip.h"

namespace uir {
namespace {

using Id = Pickle::Id;

constexpr std::string_view kZipMagic = "PK\x03\x04";
// The pickled number 0x1950a86a20f9469cfc6c with which the old container begins.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
constexpr int64_t kLegacyProtocol = 1001;
constexpr uint64_t kMemoryAllowance = uint64_t{1} << 20;

bool starts_with(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

constexpr Id kAbsent = ~Id{0};

// Python 2 pickles text as bytes.
bool is_text(const PickleValue& value) {
  return value.type == PickleType::kText || value.type == PickleType::kBytes;
}

// The value of a text key, of a repeated one the last; kAbsent if there is none.
Id find_key(const Pickle& pickle, Id dict, std::string_view key) {
  const auto& entries = pickle.entries(pickle[dict]);
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const PickleValue& name = pickle[entry->first];
    if (is_text(name) && as_text(name.bytes) == key) return entry->second;
  }
  return kAbsent;
}

}  // namespace

struct TorchFile::Impl {
  Impl(MappedFile whole, Bytes part, std::string name);

  void read_zip();
  void read_legacy();
  void read_legacy_header(uint64_t& at);
  void read_legacy_storages(uint64_t at, const Pickle& keys);
  // Storage data must be of the announced size.
  void set_data(TorchStorage& storage, Bytes data) const;
  Pickle& keep(Bytes bytes, const std::string& part) {
    return pickle.emplace(bytes, part.empty() ? place : place + ": " + part, globals, memory);
  }
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, place, ": ", parts...);
  }

  MappedFile file;  // of nothing, where the bytes are someone else's
  Bytes bytes;
  std::string place;
  uint64_t memory = 0;
  std::optional<ZipFile> zip;
  TorchGlobals globals;
  std::optional<Pickle> pickle;
};

TorchFile::Impl::Impl(MappedFile whole, Bytes part, std::string name)
    : file(std::move(whole)),
      bytes(part.empty() ? file.bytes() : part),
      place(std::move(name)),
      memory(bytes.size()) {
  if (starts_with(bytes, kLegacyMagic)) {
    read_legacy();
  } else if (starts_with(bytes, kZipMagic)) {
    read_zip();
  } else {
    refuse("neither of the containers that torch.save writes (zip, or the stream before PyTorch 1.6)");
  }
  globals.resolve(place, memory + kMemoryAllowance);
}

void TorchFile::Impl::set_data(TorchStorage& storage, Bytes data) const {
  const uint64_t width = storage.untyped ? 1 : element_size(storage.type);
  if (data.size() % width != 0 || data.size() / width != storage.num_elements) {
    refuse("storage '", storage.key, "' has ", data.size(), " bytes, expected ", storage.num_elements,
           " elements of ", width);
  }
  storage.data = data;
}

// One folder: data.pkl, data/<key>, perhaps byteorder and version.
void TorchFile::Impl::read_zip() {
  zip.emplace(bytes, place);
  if (const std::string foreign = foreign_archive(*zip); !foreign.empty()) refuse(foreign);
  const ZipEntry* found = find_torch_pickle(*zip);
  const std::string folder(found->name.substr(0, found->name.size() - kTorchPickle.size()));
  if (const ZipEntry* entry = zip->find(folder + "byteorder")) {
    const std::string_view order = as_text(zip->read(*entry));
    if (order != "little") refuse("its byte order is '", order.substr(0, 16), "', expected 'little'");
  }
  keep(zip->read(*found), std::string(found->name));
  for (TorchStorage& storage : globals.storages()) {
    const ZipEntry* entry = zip->find(folder + "data/" + storage.key);
    if (!entry) refuse("storage '", storage.key, "' is missing in the archive");
    set_data(storage, zip->read(*entry));
  }
}

// Magic number, protocol, facts about the system, the object, the keys of its storages, the storages.
void TorchFile::Impl::read_legacy() {
  uint64_t at = kLegacyMagic.size();
  read_legacy_header(at);
  at += keep(bytes.subspan(at), "").size();
  TorchGlobals none;
  const Pickle keys(bytes.subspan(at), place, none, memory);
  read_legacy_storages(at + keys.size(), keys);
}

void TorchFile::Impl::read_legacy_header(uint64_t& at) {
  TorchGlobals none;
  const Pickle protocol(bytes.subspan(at), place, none, memory);
  if (const int64_t number = protocol.number_of(protocol.root()); number != kLegacyProtocol)
    refuse("protocol ", number, ", expected ", kLegacyProtocol);
  at += protocol.size();
  const Pickle system(bytes.subspan(at), place, none, memory);
  const Id little = find_key(system, system.root(), "little_endian");
  if (little == kAbsent || system.number_of(little) != 1) refuse("it is not little-endian");
  at += system.size();
}

// Each: u64 number of elements, then these.
void TorchFile::Impl::read_legacy_storages(uint64_t at, const Pickle& keys) {
  if (!globals.unread_storage().empty())
    refuse("holds ", globals.unread_storage(),
           ", of which nothing tells the size; save it with PyTorch 1.6 or later");
  const std::vector<Id>& order = keys.elements(keys[keys.root()]);
  std::deque<TorchStorage>& storages = globals.storages();
  std::unordered_map<std::string_view, TorchStorage*> by_key;
  for (TorchStorage& storage : storages) by_key.emplace(storage.key, &storage);
  if (order.size() != storages.size())
    refuse(order.size(), " storages where its tensors have ", storages.size());
  for (const Id id : order) {
    const auto found = by_key.find(keys.text_of(id));
    if (found == by_key.end()) refuse("storage '", keys.text_of(id), "' is of no tensor, or there twice");
    TorchStorage& storage = *found->second;
    const Bytes rest = bytes.subspan(at);
    const uint64_t width = storage.untyped ? 1 : element_size(storage.type);
    uint64_t count = 0;
    if (rest.size() < sizeof count) refuse("truncated: storage '", storage.key, "' is missing");
    std::memcpy(&count, rest.data(), sizeof count);
    if (count > (rest.size() - sizeof count) / width)
      refuse("truncated: storage '", storage.key, "' of ", count, " elements reaches beyond the end");
    set_data(storage, rest.subspan(sizeof count, count * width));
    by_key.erase(found);
    at += sizeof count + count * width;
  }
}

TorchFile::TorchFile(const fs::path& path)
    : impl_(std::make_unique<Impl>(MappedFile(path), Bytes(), path.string())) {}
TorchFile::TorchFile(Bytes bytes, std::string place)
    : impl_(std::make_unique<Impl>(MappedFile(), bytes, std::move(place))) {}
TorchFile::~TorchFile() = default;

bool TorchFile::recognises(Bytes bytes) {
  return starts_with(bytes, kZipMagic) || starts_with(bytes, kLegacyMagic.substr(0, 8));
}

const MappedFile& TorchFile::file() const { return impl_->file; }

std::optional<TensorView> TorchFile::tensor() const {
  const PickleValue& root = (*impl_->pickle)[impl_->pickle->root()];
  return root.type == PickleType::kTensor ? std::optional(impl_->globals.tensor(root)) : std::nullopt;
}

TorchDict TorchFile::root() const {
  const Pickle& pickle = *impl_->pickle;
  const PickleValue& root = pickle[pickle.root()];
  if (root.type == PickleType::kObject)
    impl_->refuse("holds no dict but an object of '", impl_->globals.maker(root),
                  "', perhaps a whole model; ", impl_->globals.verdict(), " (nothing was executed)");
  if (root.type != PickleType::kDict)
    impl_->refuse("holds no dict; save a state dict: torch.save(model.state_dict(), …)");
  return {*this, pickle.root()};
}

std::vector<std::string_view> TorchDict::keys() const {
  const Pickle& pickle = *file_->impl_->pickle;
  std::vector<std::string_view> keys;
  std::set<std::string_view> seen;
  for (const auto& entry : pickle.entries(pickle[id_])) {
    const PickleValue& name = pickle[entry.first];
    if (is_text(name) && seen.insert(as_text(name.bytes)).second) keys.push_back(as_text(name.bytes));
  }
  return keys;
}

// Of a repeated key the last value counts.
std::vector<std::pair<std::string_view, uint32_t>> TorchDict::values() const {
  const Pickle& pickle = *file_->impl_->pickle;
  std::unordered_map<std::string_view, Id> last;
  for (const auto& [name, value] : pickle.entries(pickle[id_])) {
    if (is_text(pickle[name])) last[as_text(pickle[name].bytes)] = value;
  }
  std::vector<std::pair<std::string_view, uint32_t>> values;
  for (const std::string_view key : keys()) values.emplace_back(key, last.at(key));
  return values;
}

std::vector<TensorView> TorchDict::tensors() const {
  const TorchFile::Impl& file = *file_->impl_;
  std::vector<TensorView> tensors;
  for (const auto& [key, id] : values()) {
    const PickleValue& value = (*file.pickle)[id];
    if (value.type == PickleType::kObject) {
      const std::string_view why = TorchGlobals::why_no_tensor(file.globals.maker(value));
      if (!why.empty()) file.refuse("'", key, "' (", file.globals.maker(value), ") is ", why);
    }
    if (value.type != PickleType::kTensor) continue;
    tensors.push_back(file.globals.tensor(value));
    tensors.back().name = key;
  }
  return tensors;
}

std::vector<TensorView> TorchDict::all_tensors() const {
  std::set<uint32_t> seen;
  std::vector<TensorView> all;
  add_tensors("", seen, all);
  return all;
}

bool TorchDict::holds_tensors() const {
  std::set<uint32_t> seen;
  return holds_tensors(seen);
}

bool TorchDict::holds_tensors(std::set<uint32_t>& seen) const {
  if (!seen.insert(id_).second) return false;
  const TorchFile::Impl& file = *file_->impl_;
  return std::ranges::any_of(values(), [&](const auto& entry) {
    const PickleValue& value = (*file.pickle)[entry.second];
    if (value.type == PickleType::kDict) return TorchDict(*file_, entry.second).holds_tensors(seen);
    if (value.type != PickleType::kObject) return value.type == PickleType::kTensor;
    const std::string_view maker = file.globals.maker(value);
    return !maker.starts_with("numpy") && !TorchGlobals::why_no_tensor(maker).empty();
  });
}

// Dicts may hold each other in a circle, hence `seen`.
void TorchDict::add_tensors(const std::string& prefix, std::set<uint32_t>& seen,
                            std::vector<TensorView>& all) const {
  constexpr size_t kMaxPrefix = 1000;
  if (!seen.insert(id_).second || prefix.size() > kMaxPrefix) return;
  for (TensorView& view : tensors()) {
    view.name = prefix + view.name;
    all.push_back(std::move(view));
  }
  for (const std::string_view key : keys()) {
    if (const auto inner = dict(key)) inner->add_tensors(concat(prefix, key, '.'), seen, all);
  }
}

std::vector<std::pair<std::string_view, std::string_view>> TorchDict::objects() const {
  const TorchFile::Impl& file = *file_->impl_;
  std::vector<std::pair<std::string_view, std::string_view>> objects;
  for (const auto& [key, id] : values()) {
    const PickleValue& value = (*file.pickle)[id];
    if (value.type == PickleType::kObject) objects.emplace_back(key, file.globals.maker(value));
  }
  return objects;
}

std::optional<TorchDict> TorchDict::dict(std::string_view key) const {
  const Pickle& pickle = *file_->impl_->pickle;
  const Id id = find_key(pickle, id_, key);
  if (id == kAbsent || pickle[id].type != PickleType::kDict) return std::nullopt;
  return TorchDict(*file_, id);
}

std::optional<TensorView> TorchDict::tensor(std::string_view key) const {
  const Pickle& pickle = *file_->impl_->pickle;
  const Id id = find_key(pickle, id_, key);
  if (id == kAbsent || pickle[id].type != PickleType::kTensor) return std::nullopt;
  TensorView view = file_->impl_->globals.tensor(pickle[id]);
  view.name = key;
  return view;
}

std::optional<double> TorchDict::number(std::string_view key) const {
  const Pickle& pickle = *file_->impl_->pickle;
  const Id id = find_key(pickle, id_, key);
  if (id == kAbsent) return std::nullopt;
  if (pickle[id].type == PickleType::kFloat) return pickle[id].real();
  if (pickle[id].type == PickleType::kNumber) return static_cast<double>(pickle[id].number);
  return std::nullopt;
}

}  // namespace uir
