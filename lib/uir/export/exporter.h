// One network as one file for other programs: written, checked, and only then there.
//
// Errors: kUsage for options that do not fit; kData, with nothing written, if the check fails; those of the
// writers (onnx_network.h, torch_files.h) and of check.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "uir/export/check.h"
#include "uir/export/options.h"
#include "uir/model/backbone.h"
#include "uir/network/config.h"

namespace uir {

struct ExportedNetwork {
  ModelConfig config;
  std::shared_ptr<Backbone> backbone;  // made from the config, in evaluation mode, on the CPU
  std::string weights_checksum;
};

struct CheckFaces {
  std::string origin;  // for people: "images of the index"
  at::Tensor images;   // uint8 [N, 112, 112, 3], N ≥ 1
};

// Publishes options.output once another engine has computed the network's embeddings of the faces with it;
// of a state dict, once its tensors were read back, and then nobody asks for faces.
void export_network(const ExportOptions& options, const ExportedNetwork& network,
                    const std::function<CheckFaces()>& faces);

}  // namespace uir
