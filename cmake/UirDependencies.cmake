# Every third-party library, found once. Debian 12 and 13 package names are in tools/packages.txt.
find_package(Threads REQUIRED)
# A LibTorch for CUDA prepares nvcc and asks which GPU is there. Nothing here is compiled by nvcc, so any answer does, also on a
# machine without one.
if(NOT DEFINED ENV{TORCH_CUDA_ARCH_LIST})
  set(ENV{TORCH_CUDA_ARCH_LIST} 9.0)
endif()
if(NOT DEFINED CMAKE_CUDA_STANDARD)
  set(CMAKE_CUDA_STANDARD 17)  # LibTorch would copy C++20, which CMake 3.25 does not know of nvcc
endif()
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch not found: install libtorch-dev, or point CMAKE_PREFIX_PATH at a LibTorch >= 1.13")
endif()
# LibTorch's own configuration searches libc10 in the system's folders first; one of another LibTorch ends the program at its start.
string(FIND "${c10_LIBRARY}" "${TORCH_INSTALL_PREFIX}/" uir_same_torch)
if(NOT uir_same_torch EQUAL 0)
  message(FATAL_ERROR "LibTorch is in ${TORCH_INSTALL_PREFIX}, but its configuration found ${c10_LIBRARY}, which belongs to another one. "
                      "Point CMAKE_PREFIX_PATH at ${TORCH_INSTALL_PREFIX} itself (of a Python package: <site-packages>/torch, not "
                      "torch.utils.cmake_prefix_path), in an empty build folder")
endif()
# An official LibTorch with the old C++ ABI does not link with the distribution's OpenCV and yaml-cpp.
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "This LibTorch uses the old C++ ABI; download the 'cxx11 ABI' archive instead.")
endif()
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs objdetect)
if(NOT TARGET opencv_dnn)   # its target comes with any component; only uir_export links it
  message(FATAL_ERROR "OpenCV has no module dnn: install libopencv-dev whole")
endif()
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
# FFmpeg 5.1 (Debian 12) to 7.x (Debian 13).
pkg_check_modules(ffmpeg REQUIRED IMPORTED_TARGET libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6)

# LibTorch's headers are system headers: their warnings are not ours.
add_library(uir_torch INTERFACE)
target_include_directories(uir_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(uir_torch INTERFACE ${TORCH_LIBRARIES})
# dist/compat.h calls Gloo. Distributions have it as a library of its own; a downloaded LibTorch holds it.
find_library(UIR_GLOO gloo)
if(UIR_GLOO)
  target_link_libraries(uir_torch INTERFACE ${UIR_GLOO})
endif()
# NCCL's header comes with the distribution, with LibTorch or, in Python packages, beside torch.
if(TARGET torch_cuda AND Torch_VERSION VERSION_GREATER_EQUAL 2.4)
  foreach(dir ${TORCH_INCLUDE_DIRS})
    list(APPEND nccl_hints ${dir} ${dir}/../../nvidia/nccl/include)
  endforeach()
  find_path(UIR_NCCL_INCLUDE nccl.h HINTS ${nccl_hints})
  if(UIR_NCCL_INCLUDE)
    set_source_files_properties(lib/uir/dist/nccl.cc PROPERTIES COMPILE_DEFINITIONS UIR_HAS_NCCL)
    target_include_directories(uir_torch SYSTEM INTERFACE ${UIR_NCCL_INCLUDE})
  else()
    message(STATUS "nccl.h not found (set UIR_NCCL_INCLUDE to its folder): several CUDA devices will talk over Gloo")
  endif()
endif()
target_compile_options(uir_torch INTERFACE -Wno-deprecated-declarations)
# at::parallel_for is a template in a header: without -fopenmp it silently runs on one thread.
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_link_libraries(uir_torch INTERFACE OpenMP::OpenMP_CXX)
# Debian 12's package lacks a header that c10d's reducer includes.
foreach(dir ${TORCH_INCLUDE_DIRS})
  if(EXISTS ${dir}/torch/csrc/distributed/c10d/reducer.hpp AND
     NOT EXISTS ${dir}/torch/csrc/distributed/autograd/context/context.h)
    target_include_directories(uir_torch SYSTEM INTERFACE ${CMAKE_SOURCE_DIR}/cmake/standin)
  endif()
endforeach()
