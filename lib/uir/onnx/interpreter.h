// A network computed plainly, in float64 and operator by operator: the oracle of engines.
//
// Shapes: any inputs; every output that is asked for.
// Cost: some seconds for a face through an IResNet 100 on two cores; a value lives until it was read for the
// last time.
// Errors: kData, naming the node, for an unknown operator (unknown_operators names all of them), a value that
// nobody made, and what operators.h refuses.
// Threads: const functions are thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uir/onnx/array.h"
#include "uir/onnx/model.h"

namespace uir {

class OnnxInterpreter {
 public:
  // The model must outlive it, with its constants' bytes. Computes what depends on constants alone.
  OnnxInterpreter(const OnnxModel& model, int threads);

  // inputs: the model's, by name. outputs: names of values.
  std::vector<Array> run(std::map<std::string, Array> inputs, const std::vector<std::string>& outputs) const;
  // The value that a name has whatever the input is; none for others.
  std::optional<Array> constant(const std::string& name) const;
  // The nodes that are computed in every run, in order.
  const std::vector<const OnnxNode*>& nodes() const { return nodes_; }

 private:
  std::vector<Array> compute(const OnnxNode& node, const std::map<std::string, Array>& values) const;

  const OnnxModel& model_;
  int threads_;
  std::map<std::string, const OnnxTensor*> tensors_;  // float64 only while they are read
  std::map<std::string, Array> constants_;            // what nodes make of constants
  std::vector<const OnnxNode*> nodes_;
};

// Names of the operators in the model that nobody here computes, each once.
std::vector<std::string> unknown_operators(const OnnxModel& model);

}  // namespace uir
