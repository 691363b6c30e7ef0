// What a file or folder that somebody gives as weights is, told by its content, not by its name: the one
// place that knows by sight what this field keeps networks in, and what is downloaded in their stead. What is
// not read is refused by name, with what to do about it; docs/formats.md ("Weights") has the table.
//
// Cost: the first bytes of a file, of a protobuf the heads of its outermost fields; of an archive the names
// of its entries; of a folder the names in it.
// Errors: kData. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "uir/base/file.h"
#include "uir/formats/zip.h"

namespace uir {

enum class WeightsFormat { kSafetensors, kTorch, kOnnx };

// kData for a file that looks like none of them: what it is instead, as far as that is known. Whether the rest of
// the file is sound is for its reader to say (SafetensorsFile, TorchFile, read_onnx).
WeightsFormat weights_format(const MappedFile& file);

// Whether the bytes begin as an ONNX file does; it may be damaged all the same.
bool looks_like_onnx(std::string_view text);

// The pickle of an archive that torch.save wrote, in a folder of any name; null if there is none.
inline constexpr std::string_view kTorchPickle = "data.pkl";
const ZipEntry* find_torch_pickle(const ZipFile& zip);

// What the archive is, and what to do, where it holds no pickle of torch.save or a TorchScript program; empty
// otherwise.
std::string foreign_archive(const ZipFile& zip);

// The same for a folder; empty where nothing in it tells.
std::string foreign_folder(const fs::path& folder);

}  // namespace uir
