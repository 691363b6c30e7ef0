// What an ONNX file must be to embed faces here, and what is known of it before any engine sees it.
//
// Shapes: one float32 input [batch, 3, 112, 112], the batch free or fixed; one output with D > 1 numbers for
// each face, others (a norm) beside it.
// Cost: reading; where the file does not say how long its outputs are, one face through the interpreter.
// Errors: those of reader.h; kData for another input, operators that nobody here computes (all of them by
// name), and no or several outputs that may be the embedding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/onnx/reader.h"
#include "uir/pixels/preparation.h"

namespace uir {

struct FaceNetwork {
  OnnxFile file;
  std::string input, output;  // names of values
  int64_t embedding_size = 0;
  std::optional<int64_t> fixed_batch;  // so many faces in every call
  int64_t parameters = 0;              // numbers in floating-point constants
  // What the file tells of the pixels that it wants: metadata of ours, or a normalisation in its first nodes.
  std::optional<PixelRange> range;
  std::optional<ColorOrder> order;
  std::string told_by;  // for people: "its first nodes normalise bytes"

  std::string name() const { return file.path.filename().string(); }
};

// output: the name of the embedding's value; empty: the only one that can be it.
FaceNetwork open_face_network(const fs::path& path, const std::string& output, int threads);

// "y1.onnx: ONNX network of pytorch 1.8, opset 11: input 'data' of any batch; embeddings of 128 numbers; …"
std::string description(const FaceNetwork& network);

}  // namespace uir
