// A calibration for people: text, and one HTML page with its pictures. Names are escaped, whatever they hold.
#pragma once

#include <string>

#include "uir/eval/calibration.h"

namespace uir {

std::string calibration_text(const Calibration& calibration);
std::string calibration_page(const Calibration& calibration);

}  // namespace uir
