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
  double accuracy = 0;
  Json numbers;  // everything else, for the log
};
// Called on every rank; every rank gets the same scores. Leaves the network as it was.
using VerifyFunction = std::function<std::vector<VerificationScore>(Backbone&)>;

}  // namespace uir
