# Every third-party library, found once. Debian 12 and 13 package names are in tools/packages.txt.
find_package(Threads REQUIRED)
include(UirTorch)
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs objdetect)  # objdetect: what tests compare with
if(NOT TARGET opencv_dnn)   # its target comes with any component; only uir_engines links it
  message(FATAL_ERROR "OpenCV has no module dnn: install libopencv-dev whole")
endif()
# An engine for ONNX networks, where it is found: OpenVINO_DIR of an installation, or of PyPI's wheel (openvino.utils.get_cmake_path()).
find_package(OpenVINO QUIET COMPONENTS Runtime)
if(OpenVINO_FOUND)
  message(STATUS "OpenVINO ${OpenVINO_VERSION}: an engine for ONNX networks")
endif()
# Another one: libonnxruntime-dev of Debian 13, an archive of ONNX Runtime's (CMAKE_PREFIX_PATH), or the two named: PyPI's wheel has
# the library alone, and headers of any version from 1.16 up to its own do.
find_path(UIR_ONNXRUNTIME_INCLUDE onnxruntime_cxx_api.h PATH_SUFFIXES onnxruntime onnxruntime/core/session DOC "folder of ONNX Runtime's headers")
find_library(UIR_ONNXRUNTIME_LIBRARY onnxruntime DOC "ONNX Runtime's library")
if(UIR_ONNXRUNTIME_INCLUDE AND UIR_ONNXRUNTIME_LIBRARY)
  message(STATUS "ONNX Runtime (${UIR_ONNXRUNTIME_LIBRARY}): an engine for ONNX networks")
endif()
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(JPEG REQUIRED)
find_path(UIR_BOOST_INCLUDE boost/math/distributions/beta.hpp REQUIRED DOC "folder of Boost's headers (Boost.Math)")
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(archive REQUIRED IMPORTED_TARGET libarchive)
# FFmpeg 5.1 (Debian 12) to 7.x (Debian 13).
pkg_check_modules(ffmpeg REQUIRED IMPORTED_TARGET libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6)
