#include "uir/data/shared_images.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr size_t kMaxExamples = 5;
constexpr int64_t kRowsPerPass = int64_t{1} << 20;

enum Group : size_t { kLabeledGroup, kUnlabeledGroup, kTestGroup, kHeldOutGroup, kNumGroups };
constexpr std::array<std::string_view, kNumGroups> kGroupNames{"labeled", "unlabeled", "test", "held out"};

Group group_of(const SourceInfo& source, uint32_t flags) {
  if (flags & kHeldOut) return kHeldOutGroup;
  if (source.role == Role::kTest) return kTestGroup;
  return source.role == Role::kLabeled ? kLabeledGroup : kUnlabeledGroup;
}

// Compares the contents of all rows by their hashes, a part of the hashes at a time, so that memory stays
// flat.
class Comparer {
 public:
  explicit Comparer(const Index& index)
      : index_(index), known_rows_(index.sources().size(), 0), used_rows_(index.sources().size(), 0) {
    found_.conflicting = {"labeled", "labeled", 0, {}};
  }

  ContentComparison run() {
    const auto passes = static_cast<uint64_t>((index_.size() + kRowsPerPass - 1) / kRowsPerPass);
    for (uint64_t pass = 0; pass < passes; ++pass) {
      collect(pass, passes);
      compare();
    }
    for (auto& [groups, shared] : shared_) found_.shared.push_back(std::move(shared));
    found_.known_people.identities = static_cast<int64_t>(known_labels_.size());
    for (size_t i = 0; i < known_rows_.size(); ++i) {
      if (known_rows_[i] > 0 && known_rows_[i] == used_rows_[i])
        found_.known_people.whole_sources.push_back(index_.sources()[i].name);
    }
    found_.test_classes.assign(test_labels_.begin(), test_labels_.end());
    return std::move(found_);
  }

 private:
  struct Entry {
    ContentHash hash;
    Group group;
    int64_t row;
    auto operator<=>(const Entry&) const = default;
  };

  void collect(uint64_t pass, uint64_t passes) {
    entries_.clear();
    for (const SourceInfo& source : index_.sources()) {
      for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row) {
        const ContentHash hash = index_.hashes()[static_cast<size_t>(row)];
        const uint32_t flags = index_.flags()[static_cast<size_t>(row)];
        if (hash.low % passes != pass || (flags & (kBad | kExcluded))) continue;
        entries_.push_back({hash, group_of(source, flags), row});
        ++used_rows_[number_of(source)];
      }
    }
    std::sort(entries_.begin(), entries_.end());
  }

  void compare() {
    for (size_t begin = 0, end = 0; begin < entries_.size(); begin = end) {
      while (end < entries_.size() && entries_[end].hash == entries_[begin].hash) ++end;
      if (end - begin > 1) compare_equal({entries_.data() + begin, end - begin});
    }
  }

  // Rows of one content, sorted by group and row.
  void compare_equal(std::span<const Entry> equal) {
    std::array<const Entry*, kNumGroups> first{};
    bool conflict = false;
    for (const Entry& entry : equal) {
      if (!first[entry.group]) {
        first[entry.group] = &entry;
        continue;
      }
      ++found_.repeated;
      if (entry.group == kLabeledGroup && !conflict && label(entry) != label(*first[entry.group])) {
        conflict = true;
        note(found_.conflicting, *first[entry.group], entry);
      }
    }
    for (size_t a = 0; a < kNumGroups; ++a) {
      for (size_t b = a + 1; b < kNumGroups; ++b) {
        if (first[a] && first[b]) note(shared_between(a, b), *first[a], *first[b]);
      }
    }
    find_known_people(equal);
    if (first[kTestGroup]) find_test_classes(equal);
  }

  void find_test_classes(std::span<const Entry> equal) {
    for (const Entry& entry : equal) {
      if (index_.source_of_row(entry.row).role == Role::kLabeled) test_labels_.insert(label(entry));
    }
  }

  void find_known_people(std::span<const Entry> equal) {
    const auto has_role = [&](Role role) {
      return [this, role](const Entry& entry) { return index_.source_of_row(entry.row).role == role; };
    };
    const auto labeled = std::ranges::find_if(equal, has_role(Role::kLabeled));
    if (labeled == equal.end()) return;
    KnownPeople& known = found_.known_people;
    const auto is_stranger = has_role(Role::kUnlabeled);
    for (const Entry& entry : equal) {
      if (!is_stranger(entry)) continue;
      ++known.images;
      ++known_rows_[number_of(index_.source_of_row(entry.row))];
      known_labels_.insert(label(*labeled));
      if (known.examples.size() < kMaxExamples)
        known.examples.push_back(concat(name(entry.row), " = ", name(labeled->row)));
    }
  }

  size_t number_of(const SourceInfo& source) const {
    return static_cast<size_t>(&source - index_.sources().data());
  }

  SharedImages& shared_between(size_t a, size_t b) {
    SharedImages& shared = shared_[{a, b}];
    shared.group_a = kGroupNames[a];
    shared.group_b = kGroupNames[b];
    return shared;
  }

  void note(SharedImages& shared, const Entry& a, const Entry& b) {
    ++shared.contents;
    if (shared.examples.size() < kMaxExamples)
      shared.examples.push_back(concat(name(a.row), " = ", name(b.row)));
  }

  int64_t label(const Entry& entry) const { return index_.labels()[static_cast<size_t>(entry.row)]; }
  std::string name(int64_t row) const {
    return concat(index_.source_of_row(row).name, ": ", index_.item(row));
  }

  const Index& index_;
  ContentComparison found_;
  std::vector<Entry> entries_;
  std::map<std::pair<size_t, size_t>, SharedImages> shared_;
  std::set<int64_t> known_labels_, test_labels_;
  std::vector<int64_t> known_rows_, used_rows_;  // by source
};

}  // namespace

ContentComparison compare_contents(const Index& index) { return Comparer(index).run(); }

}  // namespace uir
