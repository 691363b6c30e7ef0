// Weights from a file into a network, and what was taken of them, said line by line.
//
// Errors: those of checkpoint/weights.h; kData with the difference of names where the network is another one,
// and for weights that were trained on another colour order or normalisation.
#pragma once

#include "uir/checkpoint/weights.h"
#include "uir/data/index.h"
#include "uir/head/head.h"
#include "uir/model/backbone.h"
#include "uir/train/config.h"

namespace uir {

// The backbone's weights; path: for messages, where they were read already.
Weights load_backbone(const fs::path& path, Backbone& backbone);
void load_backbone(const fs::path& path, const Weights& weights, Backbone& backbone);

// Which row of the centers belongs to each class of the index, for centers that do not tell whose they are:
// row l to the class with label l where the data are of one source with numbers as labels (RecordIO, lists),
// as arcface_torch has it; else row i to class i. None where the counts differ: the largest label + 1, or the
// number of classes, is not num_classes.
std::optional<std::vector<int64_t>> rows_of_classes(const Index& index, int64_t num_classes);

// train.init: the backbone, and the class centers where they are wanted and fit the data.
void start_from(const InitConfig& init, const Index& index, Backbone& backbone, Head& head);

}  // namespace uir
