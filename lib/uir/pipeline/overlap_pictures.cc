#include "uir/pipeline/overlap_pictures.h"

#include <string_view>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

// The end of a path: captions have room for a part of it only.
std::string last_part(std::string_view item) { return std::string(item.substr(item.rfind('/') + 1)); }

std::string caption_of(const OverlapMatch& match) {
  return concat(score_text(match.cosine), ' ', last_part(match.item));
}

}  // namespace

std::vector<int64_t> first_of_each_class(const Index& index) {
  std::vector<int64_t> rows(static_cast<size_t>(index.num_classes()), -1);
  for (const int64_t row : index.training_rows(Role::kLabeled)) {
    int64_t& first = rows[static_cast<size_t>(index.labels()[static_cast<size_t>(row)])];
    if (first < 0) first = row;
  }
  return rows;
}

OverlapPictures::OverlapPictures(Index index, std::span<const NamedStore> targets, fs::path folder)
    : index_(std::move(index)), folder_(std::move(folder)), first_of_class_(first_of_each_class(index_)) {
  for (const NamedStore& target : targets.subspan(1))
    target_rows_.emplace_back(index_, target.name, target.store->items());
}

int64_t OverlapPictures::first_row_of_class(const OverlapMatch& match) const {
  const bool known = match.column < index_.num_classes() && index_.identity_name(match.column) == match.match;
  return known ? first_of_class_[static_cast<size_t>(match.column)] : -1;
}

int64_t OverlapPictures::row_of_match(size_t target, const OverlapMatch& match) const {
  return target == 0 ? first_row_of_class(match) : target_rows_[target - 1].row(match.column);
}

void OverlapPictures::write_sheet(const std::string& name, std::span<const FacePair> pairs,
                                  SetOverlap& found) const {
  write_pair_sheet(index_, pairs, folder_ / (name + ".png"));
  found.pictures.push_back(name + ".png");
}

void OverlapPictures::write(const EmbeddingStore& store, const IndexRows& rows, SetOverlap& found) {
  for (size_t t = 0; t < found.targets.size(); ++t) {
    const SetOverlap::Target& target = found.targets[t];
    std::vector<FacePair> pairs;
    for (const OverlapMatch& match : target.closest)
      pairs.push_back(
          {rows.row(match.row), row_of_match(t, match), caption_of(match), last_part(match.match)});
    write_sheet(concat("closest_", found.set, t > 0 ? "_" + target.name : ""), pairs, found);
  }
  std::vector<FacePair> pairs;
  for (const auto& [first, other] : found.duplicate_pairs)
    pairs.push_back(
        {rows.row(first), rows.row(other), last_part(store.item(first)), last_part(store.item(other))});
  if (!pairs.empty()) write_sheet("duplicates_" + found.set, pairs, found);
}

}  // namespace uir
