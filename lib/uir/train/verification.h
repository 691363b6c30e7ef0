// Verification while a network is trained: what the trainer asks for, whoever measures it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/model/backbone.h"

namespace uir {

// One protocol's measurement of the network as it is.
struct VerificationScore {
  std::string protocol;
  std::string metric;  // the number that stands for the protocol ("accuracy"): the higher, the better
  double value = 0;    // of it
  Json numbers;        // all that are defined, for the log
};
// Called on every rank; every rank gets the same scores. Leaves the network as it was.
using VerifyFunction = std::function<std::vector<VerificationScore>(Backbone&)>;

}  // namespace uir
