#include "uir/survey/shard_survey.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "uir/base/json.h"
#include "uir/data/source_kinds.h"
#include "uir/data/tar_shards.h"

namespace uir {
namespace {

// "faces-000012.tar" in front of its number, and the number's digits; of others the whole name and none.
struct ShardName {
  std::string front, digits;
};

ShardName parts_of(const fs::path& shard) {
  const std::string stem = shard.stem().string();
  const size_t number = stem.find_last_not_of("0123456789") + 1;  // 0: digits alone
  return {stem.substr(0, number), stem.substr(number)};
}

// The numbers of the shards that belong to this one, as they are written, in order.
std::vector<std::string> numbers_beside(const fs::path& shard, const ShardName& name) {
  std::vector<std::string> numbers;
  for (const auto& entry : fs::directory_iterator(shard.parent_path())) {
    const ShardName other = parts_of(entry.path());
    if (entry.path().extension() == ".tar" && other.front == name.front &&
        other.digits.size() == name.digits.size())
      numbers.push_back(other.digits);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) text += ',' + parts[i];
  return text;
}

// As people write them; empty for one that is not the first of its shards.
std::string pattern_of(const fs::path& shard) {
  const ShardName name = parts_of(shard);
  if (name.digits.empty() || name.digits.size() > 18) return shard.string();
  const std::vector<std::string> numbers = numbers_beside(shard, name);
  if (numbers.size() < 2) return shard.string();
  if (name.digits != numbers.front()) return {};
  const bool all_there =
      std::stoll(numbers.back()) - std::stoll(numbers.front()) + 1 == static_cast<int64_t>(numbers.size());
  const std::string which =
      all_there ? concat('{', numbers.front(), "..", numbers.back(), '}') : concat('{', joined(numbers), '}');
  return (shard.parent_path() / concat(name.front, which, ".tar")).string();
}

// The field of a JSON file that tells who it is; empty: none does.
std::string label_field(const MappedFile& file, const TarMember& member) {
  const Bytes bytes = file.bytes().subspan(member.offset, member.size);
  const Json content = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!content.is_object()) return {};
  for (const char* field : {"label", "cls", "class", "identity", "person"}) {
    if (content.contains(field) && content[field].is_primitive()) return field;
  }
  return {};
}

// By the first shard: .cls goes before JSON, and JSON before .txt, which may be captions.
WebdatasetSource labels_of(const fs::path& shard) {
  bool cls = false, txt = false, json = false;
  WebdatasetSource source;
  source.json_field.clear();
  const MappedFile file(shard);
  for_each_tar_member(file, [&](const TarMember& member) {
    cls |= member.name.ends_with(".cls");
    txt |= member.name.ends_with(".txt");
    if (!json && member.name.ends_with(".json")) source.json_field = label_field(file, member);
    json |= member.name.ends_with(".json");
  });
  source.label = cls                          ? SampleLabel::kCls
                 : !source.json_field.empty() ? SampleLabel::kJson
                 : txt                        ? SampleLabel::kTxt
                                              : SampleLabel::kNone;
  return source;
}

void count_samples(const WebdatasetSource& source, FoundSource& found) {
  std::unordered_map<int64_t, int64_t> images_of;
  make_source(source, found.source.role)->for_each_row([&](SourceRow&& row) {
    ++found.images;
    if (row.identity >= 0) ++images_of[row.identity];
  });
  for (const auto& [person, images] : images_of) found.add_person(images);
}

}  // namespace

void survey_shards(const fs::path& shard, std::optional<Role> role, Collected& collected) {
  const std::string pattern = pattern_of(shard);
  if (pattern.empty()) return;
  WebdatasetSource source = labels_of(shard);
  source.shards.value = pattern;
  const bool told_apart = source.label != SampleLabel::kNone;
  FoundSource found;
  found.path = shard;
  found.source.role = role.value_or(told_apart ? Role::kLabeled : Role::kUnlabeled);
  count_samples(source, found);
  found.what = found.people > 0 ? concat("tar shards of ", count_of(found.people, "person", "people"), ", ",
                                         count_of(found.images, "image", "images"))
                                : concat("tar shards of ", count_of(found.images, "image", "images"));
  if (found.people > 0 && source.label == SampleLabel::kTxt)
    found.guess = "its .txt files were read as names of people";
  found.source.kind = std::move(source);
  collected.survey.sources.push_back(std::move(found));
}

}  // namespace uir
