// ONNX files of any tool, read strictly and without running anything.
//
// Shapes: constants of the types of OnnxType, in the file or in files beside it (external data), whose
// folder they may not leave. Constants stay where they lie (mapped) unless the file spells them out number
// by number.
// Source: onnx.proto of the ONNX specification.
// Cost: one pass over the file's structure; constants are not touched, but the whole file is read once for
// its checksum.
// Errors: kMissingInput for a file, or a file of weights, that is not there; kData, naming place and remedy,
// for what is damaged, lies about its sizes, or is no plain network: control flow, functions, sparse
// constants, operators of other domains, weights outside the file's folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/onnx/model.h"

namespace uir {

struct OnnxFile {
  OnnxModel model;  // its inputs: those that are no constants
  fs::path path;
  std::string producer;                              // "pytorch 2.1"; may be empty
  std::string checksum;                              // of the file and of its files of weights, 16 hex digits
  std::vector<std::shared_ptr<const void>> storage;  // what the constants lie in
};
OnnxFile read_onnx(const fs::path& path);

}  // namespace uir
