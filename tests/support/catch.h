// The one way tests include Catch2, for 2.x and 3.x. A test that uses LibTorch includes the torch headers
// *before* this one: they pull in glog, whose CHECK aborts the program and must be replaced by Catch2's.
#pragma once

#ifdef CHECK
#undef CHECK
#endif

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <string>

// The matcher of a text that holds another one; its name differs between 2.x and 3.x.
inline auto contains_text(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}
