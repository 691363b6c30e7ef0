// Rows of the class centers that got a gradient since the gradients were last zeroed: with class sampling few
// do, and the others must not be decayed, moved by their momentum, or read at all.
//
// The head adds, the optimizer reads and clears. All other rows' gradient is 0. Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

namespace uir {

class TouchedRows {
 public:
  void add(const at::Tensor& rows);  // int64 [m], distinct, ascending, on the CPU
  void add_all();
  void clear();
  // int64 [m], ascending, on the CPU; undefined: all rows.
  at::Tensor rows() const;

 private:
  bool all_ = false;
  at::Tensor rows_;
};

// Of a parameter without class sampling (null): all.
inline at::Tensor rows_of(const TouchedRows* touched) { return touched ? touched->rows() : at::Tensor(); }

}  // namespace uir
