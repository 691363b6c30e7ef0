# What is installed beside programs and libraries, and the packages made of it: component `programs` (with manual pages, completions
# and documentation) and component `development` (libraries, headers, find_package).
include(CMakePackageConfigHelpers)
install(DIRECTORY lib/uir DESTINATION include COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN assets EXCLUDE)
install(EXPORT uir NAMESPACE uir:: FILE uirTargets.cmake DESTINATION lib/cmake/uir COMPONENT development)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/uirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/uirConfig.cmake ${CMAKE_BINARY_DIR}/uirConfigVersion.cmake DESTINATION lib/cmake/uir COMPONENT development)
install(DIRECTORY docs configs DESTINATION share/doc/uir COMPONENT programs)
install(FILES README.md CHANGELOG.md DESTINATION share/doc/uir COMPONENT programs)
install(FILES LICENSE DESTINATION share/doc/uir RENAME copyright COMPONENT programs)
install(FILES LICENSE DESTINATION share/doc/libuir-dev RENAME copyright COMPONENT development)

# Debian packages, made by tools/make_deb.sh: uir and libuir-dev.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME uir)
set(CPACK_PACKAGE_VENDOR UIR)
set(CPACK_PACKAGE_CONTACT "UIR <uir@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL programs development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME uir)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "ffmpeg, mpv, bash-completion")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION
    "training and evaluation of open-set face recognition
 Trains with labeled and unlabeled faces, evaluates anyone's embeddings on
 public protocols, exports networks, and says who appears when in films.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libuir-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libarchive-dev, libxxhash-dev, libyaml-cpp-dev, nlohmann-json3-dev, pkg-config, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libavcodec-dev, libavformat-dev, libavutil-dev, libgloo-dev, libjpeg62-turbo-dev, libopencv-dev, libswscale-dev, libtorch-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "libraries of UIR, for find_package(uir)
 Static libraries, headers and CMake files. What evaluates features needs
 what this package depends on; other components need what it suggests.")
include(CPack)
