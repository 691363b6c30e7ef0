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
