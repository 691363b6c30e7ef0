// Dynamic loss scale for float16: doubled after 2000 good steps in a row, halved after each step whose
// gradient is not finite. Free of LibTorch.
//
// Source: Micikevicius et al., Mixed Precision Training, ICLR 2018; constants of torch.cuda.amp.GradScaler.
#pragma once

#include <cstdint>

#include "uir/base/json.h"

namespace uir {

class LossScaler {
 public:
  double scale() const { return scale_; }  // a power of two
  // finite: the decision of all ranks, not of this one alone.
  void update(bool finite);

  Json state() const;
  void load_state(const Json& state);  // kData if malformed

 private:
  double scale_ = 65536;
  int64_t good_steps_ = 0;
};

}  // namespace uir
