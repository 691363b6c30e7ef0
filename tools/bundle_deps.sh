#!/usr/bin/env bash
# Copies every dependency but LibTorch and the compiler from this machine into one relocatable folder, for hosts without package
# access (a GPU machine behind a firewall, say):
#   tools/bundle_deps.sh FOLDER                                                    # here, after tools/setup.sh; needs patchelf
#   CMAKE_PREFIX_PATH='/moved/FOLDER;/opt/libtorch' cmake --preset release         # there
# The libraries find each other wherever the folder lies. The host needs a glibc and libstdc++ at least as new as this
# machine's, cmake, ninja and pkg-config.
set -euo pipefail
[ $# = 1 ] || { sed -n 's/^# //p' "$0" >&2; exit 64; }
for tool in patchelf pkg-config ldd; do
  command -v "$tool" >/dev/null || { echo "bundle_deps.sh: $tool is missing; install it" >&2; exit 69; }
done
[ ! -e "$1" ] || { echo "bundle_deps.sh: $1 exists; choose a new folder, or remove it" >&2; exit 73; }
for header in /usr/include/opencv4/opencv2/core.hpp /usr/include/yaml-cpp/yaml.h /usr/include/CLI/CLI.hpp \
  /usr/include/nlohmann/json.hpp /usr/include/jpeglib.h /usr/include/xxhash.h /usr/include/zlib.h /usr/include/archive.h /usr/include/catch2 /usr/include/boost/math/distributions/beta.hpp \
  "/usr/include/$(gcc -dumpmachine)/libavformat/avformat.h"; do
  [ -e "$header" ] || { echo "bundle_deps.sh: $header is missing; run tools/setup.sh" >&2; exit 66; }
done

folder=$1.tmp-$$
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/include" "$folder/lib/cmake" "$folder/lib/pkgconfig"
folder_include=$(cd "$folder/include" && pwd)
cp -r /usr/include/{opencv4,yaml-cpp,CLI,nlohmann,catch2,jpeglib.h,jmorecfg.h,jerror.h,xxhash.h,archive.h,archive_entry.h,zlib.h,zconf.h} "/usr/include/$(gcc -dumpmachine)/jconfig.h" "$folder/include"
# Of Boost only what is used of its mathematics.
g++ -std=c++20 -M -I "$(dirname "$0")/../lib" "$(dirname "$0")/../lib/uir/report/intervals.cc" | grep -o '/usr/include/boost/[^ \\]*' |
  (cd /usr/include && sed 's|^/usr/include/||' | xargs cp --parents -t "$folder_include")
cp -r "/usr/include/$(gcc -dumpmachine)"/lib{avformat,avcodec,avutil,swscale} "$folder/include"

# The libraries that ours link, then all that those need, but what belongs to the compiler and the kernel's loader.
link_dir=/usr/lib/$(gcc -dumpmachine)
modules=(core imgproc imgcodecs dnn objdetect)
ffmpeg=(avformat avcodec avutil swscale)
libraries=("${modules[@]/#/libopencv_}" "${ffmpeg[@]/#/lib}" libyaml-cpp libjpeg libxxhash libarchive libz)
[ ! -e "$link_dir/libCatch2.a" ] || cp "$link_dir"/libCatch2*.a "$folder/lib"
own='^(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s|gomp))\.so'
for library in "${libraries[@]}"; do
  file=$(readlink -f "$link_dir/$library.so")
  soname=$(patchelf --print-soname "$file")
  cp "$file" "$folder/lib/$soname"
  ln -sf "$soname" "$folder/lib/$library.so"
  ldd "$file" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}'
done | sort -u | while read -r name file; do
  [[ $name =~ $own ]] || [ -e "$folder/lib/$name" ] || cp "$(readlink -f "$file")" "$folder/lib/$name"
done
find "$folder/lib" -maxdepth 1 -type f -name '*.so*' -exec patchelf --set-rpath "\$ORIGIN" {} \;

# What find_package reads: the targets that cmake/UirDependencies.cmake names, relative to the file's own place.
config() {  # config PACKAGE VERSION < body
  mkdir -p "$folder/lib/cmake/$1"
  { echo 'get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)'; cat; } >"$folder/lib/cmake/$1/$1Config.cmake"
  printf 'set(PACKAGE_VERSION %s)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n' "$2" >"$folder/lib/cmake/$1/$1ConfigVersion.cmake"
}
target() {  # target NAME INCLUDE [LIBRARY]
  local kind=INTERFACE
  [ $# = 2 ] || kind='UNKNOWN'
  printf 'if(NOT TARGET %s)\n  add_library(%s %s IMPORTED)\n' "$1" "$1" "$kind"
  printf '  set_target_properties(%s PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${root}/%s"' "$1" "$2"
  [ $# = 2 ] || printf ' IMPORTED_LOCATION "${root}/lib/%s"' "$3"
  printf ')\nendif()\n'
}
version() { dpkg-query -W -f='${Version}' "$1" | sed 's/^[0-9]*://;s/[+~-].*//'; }
{
  for module in "${modules[@]}"; do target "opencv_$module" include/opencv4 "libopencv_$module.so"; done
  printf 'set(OpenCV_LIBS %s)\nset(OpenCV_VERSION %s)\nset(OpenCV_FOUND TRUE)\n' "${modules[*]/#/opencv_}" "$(version libopencv-dev)"
} | config OpenCV "$(version libopencv-dev)"
target yaml-cpp include libyaml-cpp.so | config yaml-cpp "$(version libyaml-cpp-dev)"
target CLI11::CLI11 include | config CLI11 "$(version libcli11-dev)"
target nlohmann_json::nlohmann_json include | config nlohmann_json "$(version nlohmann-json3-dev)"
if [ -e "$folder/lib/libCatch2Main.a" ]; then  # Catch2 3
  { target Catch2::Catch2 include libCatch2.a; target Catch2::Catch2WithMain include libCatch2Main.a
    echo 'set_target_properties(Catch2::Catch2WithMain PROPERTIES INTERFACE_LINK_LIBRARIES Catch2::Catch2)'; } | config Catch2 "$(version catch2)"
else
  target Catch2::Catch2 include | config Catch2 "$(version catch2)"
fi
for library in libxxhash libarchive "${ffmpeg[@]/#/lib}"; do
  cat >"$folder/lib/pkgconfig/$library.pc" <<EOF
prefix=\${pcfiledir}/../..
Name: $library
Description: ${library#lib}
Version: $(pkg-config --modversion "$library")
Libs: -L\${prefix}/lib -l${library#lib}
Cflags: -I\${prefix}/include
EOF
done

mv "$folder" "$1"
echo "$1: $(find "$1/lib" -name '*.so*' -type f | wc -l) libraries, $(du -sh "$1" | cut -f1)"
