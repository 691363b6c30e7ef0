// An index folder, one of whose files is the input. The first byte chooses it. A manifest gets the checksum
// that it should have, and the sizes of the files that stand there, so that its content is looked at.
#include <stdlib.h>

#include <algorithm>

#include "target.h"
#include "uir/base/json.h"
#include "uir/data/index.h"
#include "uir/data/index_builder.h"
#include "uir/data/index_files.h"

namespace {

using namespace uir;

SourceConfig synthetic(const char* name, Role role, int64_t identities) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = SyntheticSource{identities, 2, 100 * identities, 1};
  return source;
}

// A small index in a scratch folder that is removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "uir-fuzz-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    DataConfig data;
    data.sources = {synthetic("people", Role::kLabeled, 3), synthetic("test", Role::kTest, 2)};
    build_index(data, index(), 1);
    for (const auto& entry : fs::directory_iterator(index()))
      files_.push_back(entry.path().filename().string());
    std::sort(files_.begin(), files_.end());
    for (const std::string& name : files_) contents_.push_back(read_text_file(index() / name));
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  fs::path index() const { return path_ / "index"; }
  size_t size() const { return files_.size(); }
  const std::string& name(size_t i) const { return files_[i]; }
  void write(size_t i, std::string_view content) const {
    OutputFile file(index() / files_[i]);
    file.write(content);
    file.close(OutputFile::Sync::kLater);
  }
  void restore(size_t i) const { write(i, contents_[i]); }
  // The manifest with the sizes and checksums of the files as they are now.
  void seal(std::string_view manifest) const {
    Json json = Json::parse(manifest, nullptr, false);
    if (!json.is_object()) return;
    for (const std::string& name : files_) {
      if (name == index_files::kManifest || !json.contains("files") || !json["files"].is_object()) continue;
      if (!json["files"].contains(name)) continue;
      const MappedFile file(index() / name);
      json["files"][name] = {{"bytes", file.bytes().size()}, {"checksum", checksum_hex(file.bytes())}};
    }
    json.erase("checksum");
    try {
      json["checksum"] = checksum_hex(as_bytes(json.dump(2)));
      OutputFile file(index() / index_files::kManifest);
      file.write(json.dump(2) + "\n");
      file.close(OutputFile::Sync::kLater);
    } catch (const Json::exception&) {  // text that is not UTF-8
    }
  }
  const std::string& manifest() const {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (files_[i] == index_files::kManifest) return contents_[i];
    }
    fail(ErrorKind::kInternal, "an index has a manifest");
  }

 private:
  fs::path path_;
  std::vector<std::string> files_, contents_;
};

void read_all(const fs::path& folder, Index::Check check) {
  const Index index = Index::open(folder, check);
  for (int64_t row = 0; row < index.size(); ++row) {
    checksum64(as_bytes(index.item(row)));
    checksum64(as_bytes(index.source_of_row(row).name));
  }
  for (const Role role : {Role::kLabeled, Role::kUnlabeled, Role::kTest}) (void)index.training_rows(role);
  for (const std::string& set : index.default_sets()) (void)index.set_rows(set);
  (void)index.classes_fingerprint();
}

}  // namespace

UIR_FUZZ_TARGET(index) {
  static const Folder folder;
  const size_t choice = fuzz::take_choice(bytes, folder.size());
  const bool is_manifest = folder.name(choice) == index_files::kManifest;
  folder.write(choice, as_text(bytes));
  folder.seal(is_manifest ? as_text(bytes) : std::string_view(folder.manifest()));
  const auto restored = [&] {
    folder.restore(choice);
    if (!is_manifest) folder.seal(folder.manifest());
  };
  try {
    read_all(folder.index(), Index::Check::kManifest);
    read_all(folder.index(), Index::Check::kFull);
  } catch (...) {
    restored();
    throw;
  }
  restored();
}
