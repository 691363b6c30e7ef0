#include "uir/survey/test_people.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "uir/base/file.h"
#include "uir/survey/collected.h"

namespace uir {
namespace {

constexpr int64_t kFewest = 10;  // people with two images: of fewer none can be spared
constexpr int64_t kFewestTested = 4, kMostTested = 1000, kOneIn = 5;

FoundSource* largest_folder_of_people(Choice& choice) {
  FoundSource* largest = nullptr;
  for (FoundSource& found : choice.sources) {
    const bool people = found.source.role == Role::kLabeled && !found.in_folders.empty();
    if (people && (!largest || found.images > largest->images)) largest = &found;
  }
  return largest && largest->people_of_two >= kFewest ? largest : nullptr;
}

// Names of the people whom another source trains on.
std::set<std::string> trained_on_elsewhere(const Choice& choice, const FoundSource& found) {
  std::set<std::string> names;
  for (const FoundSource& other : choice.sources) {
    if (&other == &found || other.source.role != Role::kLabeled) continue;
    for (const FoundPerson& person : other.in_folders) names.insert(person.name);
  }
  return names;
}

// Drawn by a hash of the name: the same people whatever else lies there. None if there are too few.
std::vector<std::string> drawn(const FoundSource& found, const std::set<std::string>& elsewhere) {
  std::vector<std::pair<uint64_t, std::string>> people;
  for (const FoundPerson& person : found.in_folders) {
    if (person.images >= 2 && !elsewhere.contains(person.name))
      people.emplace_back(checksum64(as_bytes(person.name)), person.name);
  }
  if (std::ssize(people) < kFewest) return {};
  std::ranges::sort(people);
  people.resize(static_cast<size_t>(std::clamp(std::ssize(people) / kOneIn, kFewestTested, kMostTested)));
  std::vector<std::string> names;
  for (auto& [hash, name] : people) names.push_back(std::move(name));
  std::ranges::sort(names);
  return names;
}

// The people of `found` who are among `names` (or are not) as a source with a list of its own.
FoundSource part_of(const FoundSource& found, const std::vector<std::string>& names, bool among, Role role) {
  FoundSource part;
  part.path = found.path;
  part.size = found.size;
  part.to_write = ListToWrite::kPeople;
  part.source.role = role;
  part.source.kind = ListSource{{}, {found.path.string()}, ListFormat::kPathLabel, {}};
  for (const FoundPerson& person : found.in_folders) {
    if (std::ranges::binary_search(names, person.name) != among) continue;
    part.images += person.images;
    part.add_person(person.images);
    part.in_folders.push_back(person);
  }
  return part;
}

}  // namespace

bool split_off_test_people(Choice& choice) {
  FoundSource* whole = largest_folder_of_people(choice);
  if (!whole) return false;
  const std::vector<std::string> names = drawn(*whole, trained_on_elsewhere(choice, *whole));
  if (names.empty()) return false;
  FoundSource test = part_of(*whole, names, true, Role::kTest);
  FoundSource train = part_of(*whole, names, false, Role::kLabeled);
  train.what = whole->what;
  train.guess =
      concat("no test data were given, so ", count_of(test.people, "person is", "of its people are"),
             " never trained on and tested with");
  test.what = concat(count_of(test.people, "person", "people"), " of ", whole->path.string(), ", ",
                     count_of(test.images, "image", "images"));
  *whole = std::move(train);
  choice.sources.push_back(std::move(test));
  return true;
}

}  // namespace uir
