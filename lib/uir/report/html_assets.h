// Style sheet and script of the HTML report, as elements to be written into the page.
#pragma once

#include <string_view>

namespace uir {

extern const std::string_view kHtmlStyle, kHtmlScript;

}  // namespace uir
