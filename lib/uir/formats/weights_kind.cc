#include "uir/formats/weights_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "uir/base/error.h"
#include "uir/formats/protobuf_reader.h"
#include "uir/formats/torch_file.h"

namespace uir {
namespace {

// What something is, and what to do with it.
struct Kind {
  std::string_view what, remedy;
};

std::string told(std::string_view what, std::string_view remedy) {
  return concat("is ", what, ", not weights that are read here; ", remedy);
}
std::string told(const Kind& kind) { return told(kind.what, kind.remedy); }

constexpr std::string_view kDownload = "download the file itself";
constexpr std::string_view kUnpack = "unpack it and name the weights in it";
constexpr std::string_view kConvert =
    "load it with the tool that wrote it, and save its tensors under the names of the state dict as "
    "safetensors (in Python: safetensors.numpy.save_file)";

constexpr Kind kTorchScript{
    "a TorchScript program",
    "save the state dict: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth') in Python, or "
    "model.state_dict() of the model that it was made from"};
constexpr Kind kExportedProgram{"a program of torch.export",
                                "save the state dict: torch.save(torch.export.load(FILE).state_dict, "
                                "'weights.pth') in Python"};
constexpr Kind kDistributed{
    "a distributed checkpoint of PyTorch (.metadata and .distcp files)",
    "name the folder that holds its .metadata"};
constexpr Kind kSavedModel{"a SavedModel of TensorFlow", kConvert};
constexpr Kind kTensorFlowCheckpoint{"a checkpoint of TensorFlow", kConvert};
constexpr Kind kMxnet{"a network of MXNet", kConvert};
constexpr Kind kKeras{"a network of Keras", kConvert};

// --- Files, by how they begin ------------------------------------------------------------------------------

struct Magic {
  size_t offset;
  std::string_view bytes;
  Kind kind;
};
using namespace std::string_view_literals;
constexpr std::array kMagics{
    Magic{0, "\x89HDF\r\n\x1a\n"sv, {"an HDF5 file, as Keras writes it", kConvert}},
    Magic{0,
          "\x93NUMPY"sv,
          {"a NumPy array, which has no names",
           "save all arrays under the names of the state dict as safetensors (safetensors.numpy.save_file)"}},
    Magic{0, "\x12\x01\0\0\0\0\0\0"sv, kMxnet},
    Magic{0, "GGUF"sv, {"a GGUF file", kConvert}},
    Magic{4, "TFL3"sv, {"a TensorFlow Lite network", kConvert}},
    Magic{0, "7767517\n"sv, {"a network of ncnn", kConvert}},
    Magic{0, "\x1f\x8b"sv, {"a gzip-compressed file", kUnpack}},
    Magic{0, "BZh"sv, {"a bzip2-compressed file", kUnpack}},
    Magic{0, "\xfd\x37zXZ\0"sv, {"an xz-compressed file", kUnpack}},
    Magic{0, "\x28\xb5\x2f\xfd"sv, {"a zstd-compressed file", kUnpack}},
    Magic{0, "\x04\x22\x4d\x18"sv, {"an lz4-compressed file", kUnpack}},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, {"a 7z archive", kUnpack}},
    Magic{0, "Rar!\x1a\x07"sv, {"a rar archive", kUnpack}},
    Magic{0, "PK\x05\x06"sv, {"an empty zip archive", kDownload}},
    Magic{257, "ustar"sv, {"a tar archive", kUnpack}},
    Magic{0, "%PDF-"sv, {"a PDF document", kDownload}},
    Magic{0, "\x89PNG\r\n\x1a\n"sv, {"a picture", kDownload}},
    Magic{0, "\xff\xd8\xff"sv, {"a picture", kDownload}},
};

// A safetensors header has at most 100 MB and is a JSON object.
bool looks_like_safetensors(std::string_view text) {
  constexpr uint64_t kMaxHeader = 100'000'000;
  uint64_t length = 0;
  if (text.size() <= sizeof length) return false;
  std::memcpy(&length, text.data(), sizeof length);
  return length <= kMaxHeader && text[sizeof length] == '{';
}

bool looks_like_pickle(std::string_view text) {
  return text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
}

// --- Text --------------------------------------------------------------------------------------------------

bool is_text(std::string_view begin) {
  return std::ranges::all_of(begin, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : (c == '\t' || c == '\n' || c == '\r' || c == '\f');
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view without_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text.substr(std::min(text.find_first_not_of(" \t\r\n\f"), text.size()));
}

// The first line as far as it can be printed.
std::string quoted_line(std::string_view text) {
  std::string line(text.substr(0, std::min<size_t>(60, text.find_first_of("\r\n"))));
  for (char& c : line) c = c >= 0x20 && c < 0x7f ? c : '?';
  return "'" + line + "'";
}

std::string told_of_text(std::string_view text) {
  const std::string begin = lower(text.substr(0, 256));
  for (const std::string_view tag : {"<!doctype html", "<html", "<head", "<body", "<script", "<!--"}) {
    if (begin.starts_with(tag)) return told("a web page (HTML)", kDownload);
  }
  if (begin.starts_with("version https://git-lfs.") || begin.starts_with("version https://hawser."))
    return told("a Git-LFS pointer, which only says where the file is", "fetch the file: git lfs pull");
  if (begin.starts_with("/annex/objects/") || begin.starts_with("../.git/annex/"))
    return told("a git-annex pointer, which only says where the file is", "fetch the file: git annex get");
  if (begin.starts_with("<?xml") && begin.find("<net") != std::string::npos)
    return told("a network of OpenVINO", kConvert);
  return told(concat("a text file that begins ", quoted_line(text)), kDownload);
}

// --- Protobuf: ONNX and TensorFlow -------------------------------------------------------------------------

// A field; its content may reach beyond the end of the file.
struct Field {
  uint64_t number = 0, wire = 0, value = 0;  // value: of a varint; of a text or message its size
  std::string_view content;
};
constexpr uint64_t kVarint = 0, kLength = 2;

// None at the end, and for wire types that neither format has at the top.
std::optional<Field> take_field(std::string_view& text) {
  const auto tag = take_varint(text);
  if (!tag || (*tag & 7) == 1 || (*tag & 7) > kLength) return std::nullopt;
  const auto value = take_varint(text);
  if (!value) return std::nullopt;
  Field field{*tag >> 3, *tag & 7, *value, {}};
  if (field.wire == kLength) {
    field.content = text.substr(0, field.value);
    text.remove_prefix(field.content.size());
  }
  return field;
}

// SavedModel: 1 the version 1, then graphs.
bool looks_like_saved_model(std::string_view text) {
  const auto version = take_field(text);
  const auto graph = take_field(text);
  return version && version->number == 1 && version->wire == kVarint && version->value == 1 && graph &&
         graph->number == 2 && graph->wire == kLength && graph->value == graph->content.size();
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || (c != '\0' && std::strchr("_/.-", c) != nullptr);
  });
}

// GraphDef: nodes, each with a name and an operation.
bool looks_like_frozen_graph(std::string_view text) {
  const auto node = take_field(text);
  if (!node || node->number != 1 || node->wire != kLength) return false;
  std::string_view content = node->content;
  const auto name = take_field(content);
  const auto operation = take_field(content);
  return name && name->number == 1 && name->wire == kLength && is_identifier(name->content) && operation &&
         operation->number == 2 && operation->wire == kLength && is_identifier(operation->content);
}

// --- Names -------------------------------------------------------------------------------------------------

// The entry's name without the archive's one folder.
std::string_view in_folder(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

bool is_weights_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kEndings{".pth", ".pt",  ".ckpt", ".safetensors",
                                                     ".bin", ".tar", ".onnx", ".h5"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

std::string names_of(const ZipFile& zip) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, zip.entries().size()); ++i)
    text += concat(i ? ", " : "", quoted_line(zip.entries()[i].name));
  return zip.entries().size() > kShown ? text + ", …" : text;
}

// The names in a folder, in order; none where it cannot be read.
std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.insert(entry->path().filename().string());
  return names;
}

std::string unknown_file(std::string_view text) {
  std::string begin;
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text.substr(0, 8)) {
    const auto byte = static_cast<unsigned char>(c);
    begin += concat(begin.empty() ? "" : " ", kDigits[byte >> 4], kDigits[byte & 15]);
  }
  return concat("is neither a safetensors file nor one of torch.save, and not known here: it begins ", begin,
                "; if it should be one of these, it is damaged or cut: ", kDownload);
}

std::string told_of_file(std::string_view text) {
  if (text.empty()) return told("an empty file", kDownload);
  for (const Magic& magic : kMagics) {
    if (text.substr(std::min(magic.offset, text.size())).starts_with(magic.bytes)) return told(magic.kind);
  }
  const std::string_view begin = text.substr(0, 4096);
  if (std::ranges::all_of(begin, [](char c) { return c == '\0'; }))
    return told("a file that begins with zeros only, as an interrupted download leaves it", kDownload);
  if (looks_like_pickle(text))
    return told("a Python pickle that torch.save did not write",
                "load it in Python, and save its dict of tensors with torch.save or as safetensors");
  if (is_text(begin)) return told_of_text(without_space(text));
  if (looks_like_saved_model(text)) return told(kSavedModel);
  if (looks_like_frozen_graph(text)) return told("a frozen graph of TensorFlow", kConvert);
  return unknown_file(text);
}

}  // namespace

// ModelProto: 1 the IR version, then producer, domain, version, text, 7 the graph, 8 the opsets, metadata,
// functions.
bool looks_like_onnx(std::string_view text) {
  const auto version = take_field(text);
  if (!version || version->number != 1 || version->wire != kVarint || version->value > 1000) return false;
  bool has_graph = false;
  constexpr std::array<uint64_t, 10> kMessages{2, 3, 4, 6, 7, 8, 14, 20, 25, 26};
  for (int fields = 0; fields < 64 && !text.empty(); ++fields) {
    const auto field = take_field(text);
    if (!field) return false;
    const bool is_message = std::ranges::count(kMessages, field->number) > 0;
    if (!(is_message && field->wire == kLength) && !(field->number == 5 && field->wire == kVarint))
      return false;
    has_graph |= field->number == 7 || field->number == 8;
  }
  return has_graph;
}

WeightsFormat weights_format(const MappedFile& file) {
  const std::string_view text = as_text(file.bytes());
  if (TorchFile::recognises(file.bytes())) {
    // Several archives one behind the other, so its names tell nothing.
    if (file.path().extension() == ".distcp")
      fail(ErrorKind::kData, file.path().string(), ": ", told(kDistributed));
    return WeightsFormat::kTorch;
  }
  if (looks_like_safetensors(text)) return WeightsFormat::kSafetensors;
  if (looks_like_onnx(text)) return WeightsFormat::kOnnx;
  fail(ErrorKind::kData, file.path().string(), ": ", told_of_file(text));
}

const ZipEntry* find_torch_pickle(const ZipFile& zip) {
  const auto found = std::ranges::find_if(zip.entries(), [](const ZipEntry& entry) {
    return entry.name.size() > kTorchPickle.size() && in_folder(entry.name) == kTorchPickle;
  });
  return found == zip.entries().end() ? nullptr : &*found;
}

std::string foreign_archive(const ZipFile& zip) {
  const auto any = [&](auto&& matches) {
    return std::ranges::any_of(zip.entries(), [&](const ZipEntry& entry) { return matches(entry.name); });
  };
  const auto has = [&](std::string_view name) {
    return any([&](std::string_view entry) { return in_folder(entry) == name; });
  };
  if (has("constants.pkl") || any([](std::string_view name) {
        return in_folder(name).starts_with("code/") && name.ends_with(".py");
      }))
    return told(kTorchScript);
  if (find_torch_pickle(zip)) return "";
  if (has("archive_format") || has("serialized_exported_program.json")) return told(kExportedProgram);
  if (any([](std::string_view name) { return name.ends_with("model.weights.h5"); })) return told(kKeras);
  if (any([](std::string_view name) { return in_folder(name) == "saved_model.pb"; }))
    return told(kSavedModel);
  if (!zip.entries().empty() && !any([](std::string_view name) { return !name.ends_with(".npy"); }))
    return told("an archive of NumPy arrays",
                "save them under the names of the state dict as safetensors: "
                "safetensors.numpy.save_file(dict(numpy.load(FILE)), 'weights.safetensors') in Python");
  return told(concat("a zip archive without ", kTorchPickle, ", so torch.save did not write it (it holds ",
                     names_of(zip), ")"),
              kUnpack);
}

std::string foreign_folder(const fs::path& folder) {
  const std::set<std::string> names = names_in(folder);
  const auto first = [&](auto&& matches) {
    const auto found = std::ranges::find_if(names, matches);
    return found == names.end() ? std::string() : *found;
  };
  const auto ends = [&](std::string_view ending) {
    return !first([&](const std::string& name) { return name.ends_with(ending); }).empty();
  };
  if (names.contains(".metadata") || ends(".distcp")) return told(kDistributed);
  if (names.contains("zero_to_fp32.py") || ends("_model_states.pt"))
    return told(
        "a checkpoint of DeepSpeed",
        "put it into one file: python3 zero_to_fp32.py . weights.bin (the script lies in its folder)");
  if (names.contains("saved_model.pb")) return told(kSavedModel);
  if (ends(".data-00000-of-00001") || (names.contains("checkpoint") && ends(".index")))
    return told(kTensorFlowCheckpoint);
  if (ends("-symbol.json")) return told(kMxnet);
  if (names.contains(std::string(kTorchPickle)))
    return told("an unpacked file of torch.save", "pack it again: zip -0 -r weights.pth FOLDER");
  if (names.contains("checkpoints"))
    return told("the folder of a run", "name one of its checkpoints: checkpoints/step-…");
  if (const std::string step = first([](const std::string& name) { return name.starts_with("step-"); });
      !step.empty())
    return told("the folder of all checkpoints", "name one of them: " + step);
  if (const std::string file = first(is_weights_name); !file.empty())
    return told("a folder", "name the file in it: " + file);
  return "";
}

}  // namespace uir
