#include "uir/report/html_groups.h"

#include <algorithm>
#include <utility>

#include "uir/report/group_names.h"
#include "uir/report/html_numbers.h"
#include "uir/report/html_parts.h"

namespace uir {
namespace {

class GroupsTable {
 public:
  GroupsTable(const ComparedProtocol& whole, const std::vector<std::string>& models, Markup& page)
      : whole_(whole), models_(models), page_(page) {
    for (const ProtocolResult* result : whole.groups.front().results) {
      if (!result) continue;
      for (const auto& [name, n] : result->counts) counts_.push_back(name);
      break;
    }
    add_numbers(whole);
    for (const ComparedProtocol& group : whole.groups) add_numbers(group);
  }

  void write() {
    page_.element("h3", {}, concat("By ", whole_.split_by));
    table();
    if (std::ranges::any_of(whole_.groups, has_weak_number)) write_weak_words(page_);
  }

 private:
  void add_numbers(const ComparedProtocol& protocol) {
    for (const ComparedNumber& number : protocol.numbers) {
      if (std::ranges::count(numbers_, number.name) == 0) numbers_.push_back(number.name);
    }
  }
  // Empty where another model alone has the count.
  static std::string count_text(const ProtocolResult& result, const std::string& name) {
    const auto found = std::ranges::find(result.counts, name, &std::pair<std::string, int64_t>::first);
    return found == result.counts.end() ? "" : grouped(found->second);
  }

  void table() {
    const Element scroll(page_, "div", {{"class", "scroll"}});
    const Element table(page_, "table", {{"class", "numbers groups"}});
    head();
    const Element body(page_, "tbody");
    rows(std::string(kWholeName), whole_);
    for (const ComparedProtocol& group : whole_.groups) rows(group.name, group);
  }

  void head() {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, whole_.split_by);
    if (models_.size() > 1) page_.element("th", {{"scope", "col"}}, "model");
    for (const std::string& count : counts_) page_.element("th", {{"scope", "col"}}, spaced(count));
    for (const std::string& number : numbers_) {
      const Element cell(page_, "th", {{"scope", "col"}});
      write_breakable(number, page_);
    }
  }

  void rows(const std::string& name, const ComparedProtocol& group) {
    for (size_t m = 0; m < models_.size(); ++m) {
      if (!group.results[m]) continue;
      const Element row(page_, "tr", {{"data-group", name}});
      page_.element("th", {{"scope", "row"}}, name);
      if (models_.size() > 1) page_.element("td", {}, models_[m]);
      for (const std::string& count : counts_) page_.element("td", {}, count_text(*group.results[m], count));
      for (const std::string& number : numbers_) {
        const auto found = std::ranges::find(group.numbers, number, &ComparedNumber::name);
        if (found == group.numbers.end()) {
          page_.element("td", {{"class", "none"}}, "");
        } else {
          write_value_cell(*found, m, page_);
        }
      }
    }
  }

  const ComparedProtocol& whole_;
  const std::vector<std::string>& models_;
  Markup& page_;
  std::vector<std::string> counts_, numbers_;
};

}  // namespace

void write_groups(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page) {
  if (!protocol.groups.empty()) GroupsTable(protocol, models, page).write();
}

}  // namespace uir
