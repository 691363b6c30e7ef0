# Compiler settings shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -O2, not -O3: measured no faster here, and a third more compile time in LibTorch's templates. NDEBUG is set
# by Release; user input is never checked by assert.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# The compiler's garbage collector takes a seventh of its time here and finds little: it begins at 512 MiB. Measured: 0.8 to 0.9
# of the time per file, at most a tenth more memory.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(--param=ggc-min-heapsize=524288)
endif()

option(UIR_WERROR "Treat warnings as errors" OFF)
option(UIR_SANITIZE "Build with ASan and UBSan" OFF)
add_compile_options(-Wall -Wextra -Wno-unknown-pragmas)
if(UIR_WERROR)
  add_compile_options(-Werror)
endif()
if(UIR_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

option(UIR_BUILD_FUZZERS "Build the libFuzzer programs of tests/fuzz in place of the tests (clang)" OFF)
if(UIR_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "UIR_BUILD_FUZZERS needs clang: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

option(UIR_PCH "Precompile the headers of cmake/pch. Without, files must include what they use" OFF)
# ccache: a checkout in another folder finds the same objects. The rest is what it needs to cache files with precompiled headers.
find_program(UIR_CCACHE ccache)
if(UIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${UIR_CCACHE})
  if(UIR_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-fpch-preprocess)
  endif()
endif()

option(UIR_TIDY "Run clang-tidy on torch-free modules while building" OFF)
if(UIR_TIDY)
  find_program(UIR_CLANG_TIDY NAMES clang-tidy REQUIRED)
endif()
