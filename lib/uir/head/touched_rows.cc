#include "uir/head/touched_rows.h"

#include <ATen/ops/_unique.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

namespace uir {

void TouchedRows::add(const at::Tensor& rows) {
  rows_ = rows_.defined() ? std::get<0>(at::_unique(at::cat({rows_, rows}), /*sorted=*/true)) : rows;
}

void TouchedRows::add_all() { all_ = true; }

void TouchedRows::clear() {
  all_ = false;
  rows_ = at::Tensor();
}

at::Tensor TouchedRows::rows() const {
  if (all_) return at::Tensor();
  return rows_.defined() ? rows_ : at::empty({0}, at::kLong);
}

}  // namespace uir
