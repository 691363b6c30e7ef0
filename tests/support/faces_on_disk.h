// Small data sets for the tests of the data road: drawn faces as JPEG files, and indices of them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/index_builder.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

inline std::vector<std::byte> jpeg_face(int64_t person, int64_t image) {
  std::vector<uint8_t> rgb(uir::kImageBytes);
  uir::render_synthetic_face({}, person, image, rgb.data());
  return uir::encode_jpeg(rgb.data(), {uir::kImageSize, uir::kImageSize}, 90);
}

inline void write_bytes(const std::filesystem::path& path, uir::Bytes bytes) {
  uir::create_folders(path.parent_path());
  std::ofstream(path, std::ios::binary) << uir::as_text(bytes);  // OutputFile would fsync each
}

// root/p<person>/<image>.jpg
inline std::filesystem::path face_path(const std::filesystem::path& root, int64_t person, int64_t image) {
  return root / ("p" + std::to_string(person)) / (std::to_string(image) + ".jpg");
}

inline void write_faces(const std::filesystem::path& root, int64_t persons, int64_t images,
                        int64_t first_person = 0) {
  for (int64_t person = 0; person < persons; ++person) {
    for (int64_t image = 0; image < images; ++image) {
      write_bytes(face_path(root, person, image), jpeg_face(first_person + person, image));
    }
  }
}

inline uir::SourceConfig folder_source(const std::string& name, uir::Role role,
                                       const std::filesystem::path& root) {
  uir::SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = uir::FolderSource{{root.string()}, {}};
  return source;
}

inline uir::SourceConfig synthetic_source(const std::string& name, uir::Role role, int64_t identities,
                                          int64_t images, int64_t first_identity = 0) {
  uir::SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = uir::SyntheticSource{identities, images, first_identity, 1};
  return source;
}

inline uir::Index make_index(const std::filesystem::path& folder, std::vector<uir::SourceConfig> sources) {
  uir::DataConfig config;
  config.sources = std::move(sources);
  uir::build_index(config, folder, 1);
  return uir::Index::open(folder);
}
