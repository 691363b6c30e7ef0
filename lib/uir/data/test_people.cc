#include "uir/data/test_people.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "uir/base/error.h"
#include "uir/data/list_file.h"

namespace uir {
namespace {

std::vector<bool> classes_in_tests(const Index& index, const ContentComparison& contents) {
  std::vector<bool> in_tests(static_cast<size_t>(index.num_classes()), false);
  for (const int64_t label : contents.test_classes) in_tests.at(static_cast<size_t>(label)) = true;
  std::unordered_set<std::string_view> names;
  for (int64_t i = 0; i < index.num_test_identities(); ++i) names.insert(index.test_identity_name(i));
  for (int64_t i = 0; i < index.num_classes(); ++i) {
    const std::string_view name = index.identity_name(i);
    if (names.contains(name) && !plain_number(name)) in_tests[static_cast<size_t>(i)] = true;
  }
  return in_tests;
}

TestPeople people_of(const Index& index, const SourceInfo& source, const std::vector<bool>& in_tests) {
  TestPeople result{source.name, 0, source.num_classes, {}, {}};
  std::vector<bool> counted(static_cast<size_t>(source.num_classes), false);
  for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row) {
    const auto i = static_cast<size_t>(row);
    const int64_t label = index.labels()[i];
    if (label < 0 || (index.flags()[i] & kExcluded) || !in_tests.at(static_cast<size_t>(label))) continue;
    result.rows.push_back(row);
    if (result.example.empty()) result.example = index.identity_name(label);
    const auto person = static_cast<size_t>(label - source.first_class);
    if (!counted.at(person)) ++result.people;
    counted[person] = true;
  }
  return result;
}

}  // namespace

std::vector<TestPeople> find_test_people(const Index& index, const ContentComparison& contents) {
  const std::vector<bool> in_tests = classes_in_tests(index, contents);
  std::vector<TestPeople> found;
  for (const SourceInfo& source : index.sources()) {
    if (source.role != Role::kLabeled) continue;
    TestPeople people = people_of(index, source, in_tests);
    if (people.people > 0) found.push_back(std::move(people));
  }
  return found;
}

std::string exclude_test_people(const Index& index, const TestPeople& people, const fs::path& list) {
  AtomicFile file(list);
  for (const int64_t row : people.rows) file.out().write(concat(index.item(row), '\n'));
  file.commit();
  return concat(
      "source '", people.source, "': ", people.people, " of ", people.of_people,
      " people are in a test source as well, by an image that is the same or by name (", people.example,
      "): tested on people that it was trained on, a network looks better than it is; to leave their ",
      people.rows.size(),
      " images out, write in this source, and run uir-index again\n    exclude: ", list.string());
}

}  // namespace uir
