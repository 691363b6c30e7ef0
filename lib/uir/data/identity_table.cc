#include "uir/data/identity_table.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

// Digits without leading zeros compare like the numbers they are: shorter first.
bool number_before(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

bool IdentityTable::add_number(int64_t label, int64_t& provisional) {
  if (kind_ == Kind::kNames) return false;
  kind_ = Kind::kNumbers;
  char digits[24];
  provisional = add({digits, std::to_chars(digits, digits + sizeof digits, label).ptr});
  return true;
}

bool IdentityTable::add_name(std::string_view name, int64_t& provisional) {
  if (kind_ == Kind::kNumbers) return false;
  kind_ = Kind::kNames;
  provisional = add(name);
  return true;
}

void IdentityTable::check_renamed() const {
  if (renamed_.empty()) return;
  const std::string file = renamed_.file().string();
  if (num_renamed_ == 0)
    fail(ErrorKind::kData, file, ": none of its lines begins with an identity of the source");
  if (kind_ == Kind::kNumbers && !renamed_.only_numbers())
    fail(ErrorKind::kData, file, ": the source's identities are numbers, those that they belong to are not");
}

int64_t IdentityTable::add(std::string_view called) {
  const std::string_view name = renamed_.identity_of(called);
  num_renamed_ += name.data() != called.data();
  const auto found = provisional_.find(name);
  if (found != provisional_.end()) return found->second;
  return provisional_.emplace(std::string(name), static_cast<int64_t>(provisional_.size())).first->second;
}

std::vector<int64_t> IdentityTable::sort() {
  std::vector<std::pair<std::string, int64_t>> sorted;
  sorted.reserve(provisional_.size());
  while (!provisional_.empty()) {
    auto node = provisional_.extract(provisional_.begin());
    sorted.emplace_back(std::move(node.key()), node.mapped());
  }
  std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
    return kind_ == Kind::kNumbers ? number_before(a.first, b.first) : a.first < b.first;
  });
  std::vector<int64_t> final_number(sorted.size());
  for (auto& [name, provisional] : sorted) {
    final_number[static_cast<size_t>(provisional)] = static_cast<int64_t>(names_.size());
    names_.push_back(std::move(name));
  }
  return final_number;
}

}  // namespace uir
