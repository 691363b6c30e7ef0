// The style sheet and the script that every HTML page carries: assets/page.css and assets/page.js as they
// are, embedded by the build (cmake/EmbedText.cmake). All of a file stands in every page, so what is to be
// said of one is said here.
//
// Style sheet: the line colours are those of M. Okabe and K. Ito (Color Universal Design), which readers of
// all kinds of colour vision tell apart, lightened for dark pages; dashes tell them apart in print.
//
// Script: for every group of curves (an element with the attribute data-curves) the nearest point to the
// pointer, in the drawing's own units, over all its lines. It holds no "]]>", which would end its section of
// the page.
#pragma once

#include <string_view>

namespace uir {

extern const std::string_view kPageStyle, kPageScript;

}  // namespace uir
