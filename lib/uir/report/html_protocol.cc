#include "uir/report/html_protocol.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/html_curves.h"
#include "uir/report/html_distributions.h"
#include "uir/report/html_groups.h"
#include "uir/report/html_numbers.h"
#include "uir/report/html_parts.h"
#include "uir/report/html_pictures.h"
#include "uir/report/number_meaning.h"
#include "uir/report/number_words.h"
#include "uir/report/reference.h"

namespace uir {
namespace {

constexpr size_t kShortTable = 10;  // rows up to which a table of details is shown unfolded

class ProtocolSection {
 public:
  ProtocolSection(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page)
      : protocol_(protocol), models_(models), page_(page) {}

  void write(const std::string& id) {
    const Element section(page_, "section", {{"id", id}});
    {
      const Element heading(page_, "h2");
      page_.text(protocol_.name);
      write_type(protocol_, page_);
    }
    words();
    for (const std::string& mismatch : protocol_.mismatches) {
      page_.element("p", {{"class", "warning"}}, "Not the same protocol for all models: " + mismatch);
    }
    counts();
    numbers(in_words());
    published();
    write_groups(protocol_, models_, page_);
    write_curves(protocol_, models_, page_);
    write_distributions(protocol_, models_, page_);
    write_hardest(protocol_, models_, page_);
    tables();
  }

 private:
  // The protocol in words: once where all models have the same.
  void words() {
    std::vector<std::string> seen;
    for (size_t m = 0; m < protocol_.results.size(); ++m) {
      if (!protocol_.results[m] || std::ranges::count(seen, protocol_.results[m]->description) > 0) continue;
      seen.push_back(protocol_.results[m]->description);
    }
    for (const std::string& description : seen) page_.element("p", {{"class", "words"}}, description);
  }

  void counts() {
    const Element list(page_, "dl", {{"class", "counts"}});
    std::vector<std::pair<std::string, int64_t>> shown;
    for (const ProtocolResult* result : protocol_.results) {
      if (!result) continue;
      for (const auto& count : result->counts) {
        if (std::ranges::count(shown, count) > 0) continue;
        shown.push_back(count);
        const Element pair(page_, "div");
        page_.element("dt", {}, spaced(count.first));
        page_.element("dd", {}, grouped(count.second));
      }
    }
  }

  // The headline numbers as sentences; of several models one sentence with all their values. False: none.
  bool in_words() {
    std::vector<std::pair<std::string, std::string>> sentences;  // with their terms
    for (const ComparedNumber& number : protocol_.numbers) {
      const auto words = words_of(number.name, protocol_.facts.meanings);
      const std::string values = words ? values_in_words(number) : "";
      if (!values.empty()) sentences.emplace_back(words->with(values), words->term);
    }
    if (sentences.empty()) return false;
    const Element list(page_, "ul", {{"class", "in-words"}});
    for (const auto& [sentence, term] : sentences) {
      const Element item(page_, "li");
      page_.text(sentence);
      page_.element("span", {{"class", "quiet"}}, concat(" ", term));
    }
    return true;
  }

  // "94.1 % (93.2 to 95.0 %)"; "94.1 % (ours), 92.8 % (theirs)"; empty where no model has a value.
  std::string values_in_words(const ComparedNumber& number) const {
    std::string text;
    for (size_t m = 0; m < number.values.size(); ++m) {
      if (std::isnan(number.values[m])) continue;
      if (models_.size() == 1)
        return value_in_words(number.values[m], number.uncertainties[m], number.meaning);
      text += concat(text.empty() ? "" : ", ", value_in_words(number.values[m], number.meaning), " (",
                     models_[m], ")");
    }
    return text;
  }

  // Folded where sentences say the most of it.
  void numbers(bool folded) {
    page_.raw(folded ? "<details>" : "<details open=\"open\">");
    page_.element("summary", {}, "All numbers");
    {
      const Element scroll(page_, "div", {{"class", "scroll"}});
      const Element table(page_, "table", {{"class", "numbers"}});
      numbers_head();
      const Element body(page_, "tbody");
      for (const ComparedNumber& number : protocol_.numbers) {
        const Element row(page_, "tr");
        write_number_heading(number.name, page_);
        for (size_t m = 0; m < number.values.size(); ++m) write_value_cell(number, m, page_);
        for (const Reference* reference : protocol_.references) published_cell(*reference, number);
      }
    }
    page_.raw("</details>\n");
    if (has_weak_number(protocol_)) write_weak_words(page_);
    undefined_reasons();
    remarks();
  }

  void numbers_head() {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, "Number");
    for (size_t m = 0; m < models_.size(); ++m) write_model_heading(models_[m], m, page_);
    for (size_t r = 0; r < protocol_.references.size(); ++r) {
      page_.element("th", {{"scope", "col"}, {"class", "published"}},
                    concat("[", r + 1, "] ", protocol_.references[r]->model));
    }
  }

  void published_cell(const Reference& reference, const ComparedNumber& number) {
    const double value = reference.value_of(number.name);
    const Element cell(page_, "td", {{"class", "published"}});
    if (!std::isnan(value)) {
      page_.element("data", {{"value", exact_text(value)}}, format_published(value, number.meaning));
    }
  }

  void undefined_reasons() {
    std::vector<std::pair<std::string, std::string>> reasons;  // with the numbers that they explain
    for (const ComparedNumber& number : protocol_.numbers) {
      for (size_t m = 0; m < number.values.size(); ++m) {
        if (!std::isnan(number.values[m])) continue;
        const std::string reason = concat(models_.size() > 1 ? models_[m] + ": " : "", number.notes[m]);
        auto known = std::ranges::find(reasons, reason, &std::pair<std::string, std::string>::first);
        if (known == reasons.end()) known = reasons.insert(reasons.end(), {reason, ""});
        known->second += (known->second.empty() ? "" : ", ") + number.name;
      }
    }
    if (reasons.empty()) return;
    const Element list(page_, "ul", {{"class", "notes"}});
    for (const auto& [reason, names] : reasons) {
      page_.element("li", {}, concat("Undefined: ", names, " (", reason, ")"));
    }
  }

  void remarks() {
    std::vector<std::string> said;
    for (size_t m = 0; m < protocol_.results.size(); ++m) {
      if (!protocol_.results[m]) continue;
      for (const std::string& remark : protocol_.results[m]->remarks) {
        if (std::ranges::count(said, remark) == 0) said.push_back(remark);
      }
    }
    for (const std::string& remark : said) page_.element("p", {{"class", "remark"}}, remark);
  }

  void published() {
    if (protocol_.references.empty()) return;
    const Element list(page_, "ul", {{"class", "notes sources"}});
    for (const std::string& line : source_lines(protocol_.references)) page_.element("li", {}, line);
  }

  // All other details.
  void tables() {
    std::vector<std::string> members, untold;
    for (const ProtocolResult* result : protocol_.results) {
      if (!result || !result->details.is_object()) continue;
      for (const auto& [member, value] : result->details.items()) {
        if (std::ranges::count(members, member) == 0) members.push_back(member);
      }
    }
    for (const std::string& member : members) {
      if (member == "roc" || member == "det" || member == "distributions" || member == "hardest") continue;
      if (!member_table(member)) untold.push_back(member);
    }
    if (untold.empty()) return;
    std::string names;
    for (const std::string& member : untold) names += (names.empty() ? "" : ", ") + member;
    page_.element("p", {{"class", "quiet"}}, "Also in report.json: " + names + ".");
  }

  // False if it is nothing that a table can show.
  bool member_table(const std::string& member) {
    std::vector<std::pair<size_t, Records>> found;
    size_t rows = 0;
    for (size_t m = 0; m < protocol_.results.size(); ++m) {
      if (!protocol_.results[m] || !protocol_.results[m]->details.contains(member)) continue;
      Records records = records_of(protocol_.results[m]->details[member]);
      rows = std::max(rows, records.size());
      if (!records.empty()) found.emplace_back(m, std::move(records));
    }
    if (found.empty()) return false;
    page_.raw(rows < kShortTable ? "<details open=\"open\">" : "<details>");
    page_.element("summary", {}, spaced(member));
    for (const auto& [model, records] : found) {
      if (models_.size() > 1) {
        const Element name(page_, "p", {{"class", "of-model"}});
        write_legend(model, models_[model], page_);
      }
      write_records(member, records, protocol_.facts.meanings, page_);
    }
    page_.raw("</details>\n");
    return true;
  }

  const ComparedProtocol& protocol_;
  const std::vector<std::string>& models_;
  Markup& page_;
};

}  // namespace

void write_protocol(const ComparedProtocol& protocol, const std::vector<std::string>& models,
                    const std::string& id, Markup& page) {
  ProtocolSection(protocol, models, page).write(id);
}

}  // namespace uir
