// The models on the report's page: a card for each, with what its embeddings were made of.
#pragma once

#include <cstddef>

#include "uir/report/markup.h"
#include "uir/report/report.h"

namespace uir {

// style: of the model's lines in drawings (svg_plot.h), shown beside its name.
void write_model_card(const ModelReport& model, size_t style, Markup& page);

}  // namespace uir
