// What lies in files and folders of faces, before anyone wrote an experiment: kinds, roles, counts. The first
// half of `uir-index new`; choice.h makes an experiment of it. docs/new.md has the rules in words.
//
// Nothing is decoded: names are listed, headers of a few images, lists, record 0 and pickles of .bin sets are
// read. Cost: one look into every folder, 20 s for a million files of 100,000 people. Memory: 60 bytes and a
// name for each person; the names of one folder's files at a time.
// Errors: kMissingInput for what is not there, kConfig for two readings that are equally likely and nobody
// to ask, kUsage for an answer about a path that is not there, kData as sources refuse layouts.
// Threads: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/config.h"
#include "uir/images/decode.h"
#include "uir/network/config.h"

namespace uir {

struct FoundPerson {
  std::string name;  // of the folder
  int64_t images = 0;
};

// A list that must be written for a source, since no kind of source reads its folder as it is.
enum class ListToWrite {
  kNone,
  kImages,  // every image below the folder, without labels
  kAgeDb,   // images <number>_<person>_<age>_<m or f>.jpg, the person as label
  kPeople   // images of the chosen people, the folder's name as label
};

// "type: verification, format: lfw", and where its lists lie.
struct FoundProtocol {
  std::string options;  // in YAML, without name, set and path
  std::string key{};    // of the path; empty: it needs none
  fs::path path{};
};

// One source of faces. source.name is empty until choice.h gives one; paths are absolute.
struct FoundSource {
  SourceConfig source;
  ListToWrite to_write = ListToWrite::kNone;
  fs::path path;      // as people know it: the folder or the file
  std::string what;   // "folder of 40 people, 400 images"
  std::string guess;  // what was not certain, and why it was read so; empty if nothing was
  int64_t images = 0;
  int64_t people = 0;  // 0: nobody is told apart
  int64_t people_of_two = 0,
          images_of_three = 0;             // people with two or more images; images of people with three
  std::vector<FoundPerson> in_folders;     // of a folder of people, in byte order
  std::optional<ImageSize> size;           // the most frequent of a few images
  std::vector<FoundProtocol> protocols{};  // published ones that belong to it

  // Counts a person, but not the images.
  void add_person(int64_t images_of_person) {
    ++people;
    people_of_two += images_of_person >= 2;
    images_of_three += images_of_person >= 3 ? images_of_person : 0;
  }
};

// A network as an ONNX file. Without a config it is none of ours: it embeds, but cannot be trained.
struct FoundNetwork {
  fs::path path;
  std::string what;
  std::optional<ModelConfig> config;
};

struct Survey {
  std::vector<FoundSource> sources;
  std::vector<FoundNetwork> networks;
  std::vector<std::string> left_out;  // "PATH: why", one each
};

// What people say of a path: `--as labeled PATH`.
struct RoleOfPath {
  Role role = Role::kLabeled;
  fs::path path;
};
// Asks a person which of the roles it is; none if there is nobody to ask.
using AskRole = std::function<std::optional<Role>(const std::string& question)>;

Survey survey_data(const std::vector<fs::path>& data, const std::vector<RoleOfPath>& said,
                   const AskRole& ask);

// Calls body with each line of the list, its end included. chosen: of kPeople, the names of the folders.
void for_each_line(ListToWrite kind, const fs::path& root, const std::vector<std::string>& chosen,
                   const std::function<void(const std::string&)>& body);

}  // namespace uir
