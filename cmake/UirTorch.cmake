# LibTorch with c10d, Gloo and, where it has them, CUDA and NCCL: the target uir_torch.
#
# Three kinds are known. PyPI's `torch` brings everything it needs, NCCL and CUDA's headers included, but its CMake files want a
# CUDA toolkit beside it, find libc10 of another LibTorch and link another NCCL; so its libraries are named here. The archives
# of pytorch.org and the distributions' packages (Debian 12 and 13) are found by LibTorch's own files.
add_library(uir_torch INTERFACE)
set_target_properties(uir_torch PROPERTIES EXPORT_NAME torch)
install(TARGETS uir_torch EXPORT uir COMPONENT development)

# uir_torch_standin(name [BEFORE]): headers that a LibTorch lacks, from cmake/standin; they are installed.
function(uir_torch_standin name)
  set(installed include/uir/standin/${name})
  target_include_directories(uir_torch SYSTEM ${ARGN} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cmake/standin/${name}>
                                                                $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${installed}>)
  install(DIRECTORY cmake/standin/${name}/ DESTINATION ${installed} COMPONENT development)
endfunction()

# <site-packages>/torch, or torch.utils.cmake_prefix_path, which is a folder of it. Kept in the cache: a later run of CMake, which the
# build starts by itself, may not have the environment of the first.
if(NOT UIR_TORCH_PACKAGE)
  string(REPLACE ":" ";" folders "$ENV{CMAKE_PREFIX_PATH};${CMAKE_PREFIX_PATH};${Torch_DIR}")
  foreach(folder ${folders})
    string(REGEX REPLACE "/share/cmake(/Torch)?/*$" "" folder "${folder}")
    if(NOT UIR_TORCH_PACKAGE AND EXISTS ${folder}/version.py AND EXISTS ${folder}/lib/libtorch.so)
      get_filename_component(folder ${folder} ABSOLUTE)
      set(UIR_TORCH_PACKAGE ${folder} CACHE PATH "The folder of PyPI's torch, if that is the LibTorch")
    endif()
  endforeach()
endif()

if(UIR_TORCH_PACKAGE)
  file(STRINGS ${UIR_TORCH_PACKAGE}/version.py version_line REGEX "^__version__ = ")
  string(REGEX REPLACE ".*'([0-9.]+).*" "\\1" Torch_VERSION "${version_line}")
  set(TORCH_INCLUDE_DIRS ${UIR_TORCH_PACKAGE}/include ${UIR_TORCH_PACKAGE}/include/torch/csrc/api/include)
  foreach(library torch torch_cpu c10 torch_cuda c10_cuda)
    set(file ${UIR_TORCH_PACKAGE}/lib/lib${library}.so)
    if(EXISTS ${file})
      list(APPEND TORCH_LIBRARIES ${file})
    endif()
  endforeach()
  # One OpenMP for LibTorch and us: its own.
  file(GLOB uir_gomp ${UIR_TORCH_PACKAGE}/lib/libgomp*.so.1)
  target_link_libraries(uir_torch INTERFACE ${uir_gomp})
  if(EXISTS ${UIR_TORCH_PACKAGE}/lib/libtorch_cuda.so)
    set(uir_torch_cuda ON)
    file(GLOB package_includes ${UIR_TORCH_PACKAGE}/../nvidia/*/include)
    list(APPEND TORCH_INCLUDE_DIRS ${package_includes})
    # Its operators register themselves when it is loaded. No program names one of its symbols, for which compilers that link
    # with --as-needed would leave it out, and LibTorch would see no device.
    target_link_options(uir_torch INTERFACE -Wl,--no-as-needed)
  endif()
else()
  # A LibTorch for CUDA prepares nvcc and asks which GPU is there. Nothing here is compiled by nvcc, so any answer does, also on
  # a machine without one.
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
  # LibTorch's own configuration searches libc10 in the system's folders first; one of another LibTorch ends the program at its
  # start.
  string(FIND "${c10_LIBRARY}" "${TORCH_INSTALL_PREFIX}/" uir_same_torch)
  if(NOT uir_same_torch EQUAL 0)
    message(FATAL_ERROR "LibTorch is in ${TORCH_INSTALL_PREFIX}, but its configuration found ${c10_LIBRARY}, which belongs to "
                        "another one. Point CMAKE_PREFIX_PATH at ${TORCH_INSTALL_PREFIX} itself, in an empty build folder")
  endif()
  # An official LibTorch with the old C++ ABI does not link with the distribution's OpenCV and yaml-cpp.
  if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    message(FATAL_ERROR "This LibTorch uses the old C++ ABI; download the 'cxx11 ABI' archive instead.")
  endif()
  if(TARGET torch_cuda)
    set(uir_torch_cuda ON)
  endif()
endif()
message(STATUS "LibTorch ${Torch_VERSION}")

# LibTorch's headers are system headers: their warnings are not ours.
target_include_directories(uir_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(uir_torch INTERFACE ${TORCH_LIBRARIES})
target_compile_options(uir_torch INTERFACE -Wno-deprecated-declarations)
# at::parallel_for is a template in a header: without -fopenmp it silently runs on one thread.
find_package(OpenMP REQUIRED COMPONENTS CXX)
if(uir_gomp)
  target_compile_options(uir_torch INTERFACE ${OpenMP_CXX_FLAGS})
else()
  target_link_libraries(uir_torch INTERFACE OpenMP::OpenMP_CXX)
endif()

# dist/compat.h calls Gloo. Distributions have it as a library of its own; any other LibTorch holds it, without its headers as a
# rule.
foreach(dir ${TORCH_INCLUDE_DIRS})
  if(EXISTS ${dir}/gloo/context.h)
    set(uir_gloo_headers ON)
  endif()
endforeach()
if(NOT uir_gloo_headers)
  uir_torch_standin(gloo BEFORE)
elseif(NOT UIR_TORCH_PACKAGE)
  find_library(UIR_GLOO gloo)
  if(UIR_GLOO)
    target_link_libraries(uir_torch INTERFACE ${UIR_GLOO})
  endif()
endif()
# Debian 12's package lacks a header that c10d's reducer includes.
foreach(dir ${TORCH_INCLUDE_DIRS})
  if(EXISTS ${dir}/torch/csrc/distributed/c10d/reducer.hpp AND
     NOT EXISTS ${dir}/torch/csrc/distributed/autograd/context/context.h)
    uir_torch_standin(autograd)
  endif()
endforeach()

# CUDA graphs.
if(uir_torch_cuda)
  set_source_files_properties(lib/uir/device/step_graphs.cc PROPERTIES COMPILE_DEFINITIONS UIR_HAS_CUDA)
endif()

# NCCL's header comes with the distribution, with LibTorch or, in Python packages, beside torch.
if(uir_torch_cuda AND Torch_VERSION VERSION_GREATER_EQUAL 2.4)
  find_path(UIR_NCCL_INCLUDE nccl.h HINTS ${TORCH_INCLUDE_DIRS})
  if(UIR_NCCL_INCLUDE)
    set_source_files_properties(lib/uir/dist/nccl.cc PROPERTIES COMPILE_DEFINITIONS UIR_HAS_NCCL)
    target_include_directories(uir_torch SYSTEM INTERFACE ${UIR_NCCL_INCLUDE})
  else()
    message(STATUS "nccl.h not found (set UIR_NCCL_INCLUDE to its folder): several CUDA devices will talk over Gloo")
  endif()
endif()
