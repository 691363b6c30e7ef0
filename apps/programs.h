// The programs, in the order of an experiment, and what each one does in one line: in its own help and manual
// page, and in the list of `uir --help`.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "uir/base/error.h"

namespace uir {

struct Program {
  std::string_view name;  // without "uir-", the command of `uir`
  std::string_view description;
};

inline constexpr std::array kPrograms = {
    Program{"index",
            "Indexes the faces of an experiment: folders, lists, RecordIO, videos, synthetic faces."},
    Program{"train", "Trains with labeled faces (margin softmax) and unlabeled faces (UIR loss)."},
    Program{"extract", "Embeds images and their mirror images; continues where it was interrupted."},
    Program{"eval", "Evaluates embeddings and class centers: verification, open set, UIR's measurements."},
    Program{"export",
            "Writes a network as ONNX (.onnx), TorchScript (.pt) or PyTorch state dict (.pth), once another "
            "engine has computed the same embeddings with it, or its tensors were read back."},
    Program{"identify",
            "Finds who appears when in films and photos; answers questions to the timelines, and corrects "
            "them."},
};

constexpr std::string_view kProgramPrefix = "uir-";

// Of "uir-index".
inline std::string description_of(std::string_view program) {
  for (const auto& [name, description] : kPrograms) {
    if (program.substr(kProgramPrefix.size()) == name) return std::string(description);
  }
  fail(ErrorKind::kInternal, program, " is no program of kPrograms");
}

}  // namespace uir
