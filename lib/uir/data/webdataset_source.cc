// Tar shards as a source: files that follow each other and have one key, the name up to the first dot behind
// the last slash, are a sample.
#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/data/shard_names.h"
#include "uir/data/source_kinds.h"
#include "uir/data/tar_shards.h"

namespace uir {
namespace {

constexpr std::string_view kSideBySide =
    "the files of a sample must follow each other, as tar --sort=name packs them";

// A file of a shard by the parts of its name.
struct SampleFile {
  std::string_view key, extension;  // "Ann/1" and "left.jpg" of "Ann/1.left.jpg"
};

// None for hidden files (key and extension empty) and for names without a dot (extension empty).
SampleFile parts_of(std::string_view name) {
  const size_t base = name.rfind('/') + 1;  // 0 if there is no slash
  const size_t dot = name.find('.', base);
  if (dot == base) return {};
  if (dot == std::string_view::npos) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

struct Sample {
  std::string key;
  size_t shard = 0;
  std::string image;  // its name; empty: none yet
  uint64_t offset = 0, size = 0;
  std::string extensions;  // of all files, for messages: ".jpg, .cls"
  bool any_label = false;  // there is a file of a label, be it the wanted one or not
  bool has_label = false;
  Bytes label;
};

class Webdataset : public Source {
 public:
  Webdataset(const WebdatasetSource& config, Role role)
      : config_(config),
        role_(role),
        label_extension_(role == Role::kUnlabeled || config.label == SampleLabel::kNone
                             ? std::string()
                             : std::string(enum_name(config.label))),
        paths_(shard_files(config.shards.value)),
        shards_(paths_) {
    for (const fs::path& path : paths_) mtimes_.push_back(file_mtime(path));
    if (role == Role::kLabeled && config.label == SampleLabel::kNone)
      fail(ErrorKind::kConfig, config.shards.value,
           ": label: none is for test sources; a labeled one needs cls, txt or json");
  }

  SourceInfo info() const override {
    SourceInfo info = source_info(SourceKind::kTar, config_.shards.value);
    info.shards = paths_;
    return info;
  }

  void for_each_row(const RowBody& body) override {
    std::vector<ContentHash> keys;  // 16 bytes a sample, in place of their names
    for_each_sample([&](const Sample& sample) {
      if (!check(sample)) return;
      keys.push_back(content_hash(as_bytes(sample.key)));
      SourceRow row;
      row.item = sample.image;
      row.offset = TarShards::place(sample.shard, sample.offset);
      row.where = sample.size;
      if (!label_extension_.empty()) row.identity = identity_of(sample);
      body(std::move(row));
    });
    refuse_repeated(std::move(keys));
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    const std::optional<Bytes> bytes = shards_.bytes(row.offset, row.where);
    ensure(bytes.has_value(), "image inside its shard");
    return facts_unless_known(*bytes, mtimes_[TarShards::shard_of(row.offset)], known);
  }

  std::string place(const SourceRow& row) const override {
    return concat(paths_[TarShards::shard_of(row.offset)].string(), ": ", row.item);
  }

  void forget(const SourceRow& first, const SourceRow& last) const override {
    if (first.offset < last.offset) shards_.drop(first.offset, last.offset);
  }

 private:
  void for_each_sample(const std::function<void(const Sample&)>& body) {
    left_out_ = {};
    for (size_t shard = 0; shard < shards_.size(); ++shard) {
      Sample sample;
      const auto finish = [&] {
        if (!sample.extensions.empty()) body(sample);
      };
      for_each_tar_member(shards_.file(shard), [&](const TarMember& member) {
        const SampleFile file = parts_of(member.name);
        if (file.key.empty()) return;
        if (file.extension.empty()) return left_out_.add_file(member.name);
        if (file.key != sample.key || sample.extensions.empty()) {
          finish();
          sample = Sample();
          sample.key = file.key;
          sample.shard = shard;
        }
        add(member, lower(file.extension), sample);
      });
      finish();
    }
  }

  void add(const TarMember& member, const std::string& extension, Sample& sample) {
    sample.extensions += concat(sample.extensions.empty() ? "." : ", .", readable(extension));
    const bool is_label = extension == "cls" || extension == "txt" || extension == "json";
    if (extension == label_extension_) {
      if (sample.has_label) refuse(sample, "has two files .", extension, "; take one of them out");
      sample.has_label = true;
      sample.label = *shards_.bytes(TarShards::place(sample.shard, member.offset), member.size);
    } else if (is_image_name(member.name)) {
      if (!sample.image.empty())
        refuse(sample, "has several images, ", readable(sample.image), " and ", readable(member.name),
               "; give each a key of its own (the name up to its first dot)");
      sample.image = member.name;
      sample.offset = member.offset;
      sample.size = member.size;
    } else if (!is_label) {
      left_out_.add_file(member.name);
    }
    sample.any_label = sample.any_label || is_label;
  }

  // Halves of samples are refused; false for what is none at all.
  bool check(const Sample& sample) const {
    if (sample.image.empty() && sample.any_label)
      refuse(sample, "has no image (it has ", sample.extensions, "); ", kSideBySide);
    if (sample.image.empty()) return false;
    if (!label_extension_.empty() && !sample.has_label)
      refuse(sample, "has no .", label_extension_, " (it has ", sample.extensions,
             "); `label` says where labels stand: cls, txt or json", role_ == Role::kTest ? ", or none" : "",
             "; ", kSideBySide);
    return true;
  }

  int64_t identity_of(const Sample& sample) {
    const std::string_view text = trimmed(as_text(sample.label));
    switch (config_.label) {
      case SampleLabel::kCls:
        return number(sample, text);
      case SampleLabel::kTxt:
        return name(sample, text);
      default:
        return json_label(sample, text);
    }
  }

  int64_t json_label(const Sample& sample, std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains(config_.json_field))
      refuse(sample, "its .json ", json.is_object() ? "has no field '" : "is no JSON object with a field '",
             readable(config_.json_field), "'; `json_field` says which one holds the label");
    const Json& label = json.at(config_.json_field);
    if (label.is_string()) return name(sample, label.get_ref<const std::string&>());
    return number(sample, label.is_number() ? label.dump() : label.type_name());
  }

  int64_t number(const Sample& sample, std::string_view text) {
    const auto label = plain_number(text);
    if (role_ == Role::kTest && label == -1) return -1;
    if (!label || *label < 0)
      refuse(sample, "label '", readable(text.substr(0, 40)), "' is not a whole number of at least 0");
    int64_t identity = -1;
    if (!identities_.add_number(*label, identity)) refuse_mixture(sample, text);
    return identity;
  }

  int64_t name(const Sample& sample, std::string_view text) {
    if (text.empty()) refuse(sample, "the label is empty");
    if (has_control(text))
      refuse(sample, "label '", readable(text.substr(0, 40)), "': a control character in it");
    int64_t identity = -1;
    if (!identities_.add_name(text, identity)) refuse_mixture(sample, text);
    return identity;
  }

  [[noreturn]] void refuse_mixture(const Sample& sample, std::string_view text) const {
    refuse(sample, "label ", readable(text),
           ": some labels are numbers and some are names; write all of them as one kind");
  }

  // kData naming both places if a key stands twice.
  void refuse_repeated(std::vector<ContentHash> keys) {
    std::ranges::sort(keys);
    const auto repeated = std::ranges::adjacent_find(keys);
    if (repeated == keys.end()) return;
    std::optional<size_t> first;  // the shard that has it first
    for_each_sample([&](const Sample& sample) {
      if (sample.image.empty() || content_hash(as_bytes(sample.key)) != *repeated) return;
      if (!first) {
        first = sample.shard;
      } else if (*first == sample.shard) {
        refuse(sample, "its key stands in this shard twice; ", kSideBySide);
      } else {
        refuse(sample, "its key stands in ", paths_[*first].string(),
               " as well; a key is one sample of all shards");
      }
    });
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Sample& sample, const Parts&... parts) const {
    fail(ErrorKind::kData, paths_[sample.shard].string(), ": sample '", readable(sample.key),
         "': ", parts...);
  }

  const WebdatasetSource config_;
  const Role role_;
  const std::string label_extension_;  // of the wanted file; empty: labels are not read
  const std::vector<fs::path> paths_;
  TarShards shards_;
  std::vector<int64_t> mtimes_;  // of the shards
};

}  // namespace

std::unique_ptr<Source> make_source(const WebdatasetSource& config, Role role) {
  return std::make_unique<Webdataset>(config, role);
}

}  // namespace uir
