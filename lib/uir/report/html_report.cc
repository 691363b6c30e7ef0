#include "uir/report/html_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "uir/base/error.h"
#include "uir/report/comparison.h"
#include "uir/report/html_curves.h"
#include "uir/report/html_distributions.h"
#include "uir/report/html_parts.h"
#include "uir/report/markup.h"

namespace uir {
namespace {

constexpr size_t kShortTable = 10;  // rows up to which a table of details is shown unfolded

class Page {
 public:
  explicit Page(const Report& report) : report_(report), comparison_(compare(report)) {}

  std::string write() {
    page_.raw("<!DOCTYPE html>\n");
    {
      const Element html(page_, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
      write_head(title(), "", page_);
      const Element body(page_, "body");
      header();
      contents();
      {
        const Element main(page_, "main");
        overview();
        for (size_t p = 0; p < comparison_.protocols.size(); ++p) section(p);
      }
      write_script(page_);
    }
    return page_.take() + "\n";
  }

 private:
  // ---- frame
  std::string title() const {
    std::string names;
    for (const std::string& model : comparison_.models) names += (names.empty() ? "" : ", ") + model;
    return "Face recognition evaluation: " + names;
  }

  void header() {
    const Element header(page_, "header");
    page_.element("h1", {}, "Face recognition evaluation");
    const Element models(page_, "div", {{"class", "models"}});
    for (size_t m = 0; m < report_.models.size(); ++m) model_card(m);
  }

  void model_card(size_t model) {
    const Element card(page_, "section", {{"class", "card"}});
    {
      const Element heading(page_, "h2");
      model_name(model);
    }
    const Json& sets = report_.models[model].sets;
    if (!sets.is_object() || sets.empty()) {
      page_.element("p", {{"class", "quiet"}}, "Nothing is known of how its embeddings were made.");
      return;
    }
    const Element table(page_, "table", {{"class", "provenance"}});
    std::string names;
    for (const auto& [set, manifest] : sets.items()) names += (names.empty() ? "" : ", ") + set;
    provenance_row("sets", names);
    for (const std::string& key : keys_of(sets)) provenance_of(sets, key);
  }

  static std::vector<std::string> keys_of(const Json& sets) {
    std::vector<std::string> keys;
    for (const Json& manifest : sets) {
      if (!manifest.is_object()) continue;
      for (const auto& [key, value] : manifest.items()) {
        if (key != "set" && std::ranges::count(keys, key) == 0) keys.push_back(key);
      }
    }
    return keys;
  }

  // One row where all sets agree, else one per set.
  void provenance_of(const Json& sets, const std::string& key) {
    std::map<std::string, std::string> sets_of_value;
    std::vector<std::string> values;
    for (const auto& [set, manifest] : sets.items()) {
      if (!manifest.is_object() || !manifest.contains(key)) continue;
      const Json& json = manifest[key];
      const std::string value = json.is_string() ? json.get<std::string>() : json_text(json);
      std::string& names = sets_of_value[value];
      if (names.empty()) values.push_back(value);
      names += (names.empty() ? "" : ", ") + set;
    }
    for (const std::string& value : values) {
      const bool all = values.size() == 1;
      provenance_row(spaced(key) + (all ? "" : " (" + sets_of_value[value] + ")"), value);
    }
  }

  void provenance_row(std::string_view key, std::string_view value) {
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "row"}}, key);
    page_.element("td", {}, value);
  }

  void contents() {
    const Element nav(page_, "nav");
    page_.element("h2", {}, "Contents");
    const Element list(page_, "ul");
    {
      const Element item(page_, "li");
      page_.element("a", {{"href", "#overview"}}, overview_title());
    }
    for (size_t p = 0; p < comparison_.protocols.size(); ++p) {
      const Element item(page_, "li");
      page_.element("a", {{"href", "#" + id(p)}}, comparison_.protocols[p].name);
      page_.element("span", {{"class", "quiet"}}, " " + comparison_.protocols[p].type);
    }
  }

  // ---- all protocols in one table
  bool several() const { return comparison_.models.size() > 1; }
  std::string overview_title() const { return several() ? "Comparison" : "Results"; }
  static std::string id(size_t protocol) { return concat("protocol-", protocol + 1); }

  void overview() {
    const Element section(page_, "section", {{"id", "overview"}});
    page_.element("h2", {}, overview_title());
    if (comparison_.protocols.empty()) {
      page_.element("p", {{"class", "quiet"}}, "Nothing was measured.");
      return;
    }
    if (several()) {
      page_.element(
          "p", {{"class", "quiet"}},
          concat("Differences are to ", comparison_.models[0],
                 ", of rates in percentage points (pp). ★ marks the best model; where protocols are not the "
                 "same, or a number does not rank models, none is marked."));
    }
    const Element scroll(page_, "div", {{"class", "scroll"}});
    const Element table(page_, "table", {{"class", "numbers"}, {"id", "comparison"}});
    overview_head();
    for (size_t p = 0; p < comparison_.protocols.size(); ++p) overview_rows(p);
  }

  void overview_head() {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, "Number");
    for (size_t m = 0; m < comparison_.models.size(); ++m) {
      model_heading(m);
      if (m > 0) page_.element("th", {{"scope", "col"}, {"class", "d"}}, "Difference");
    }
  }

  void overview_rows(size_t p) {
    const ComparedProtocol& protocol = comparison_.protocols[p];
    const Element body(page_, "tbody", {{"data-protocol", protocol.name}});
    const std::string columns = concat(2 * comparison_.models.size());
    {
      const Element row(page_, "tr", {{"class", "group"}});
      const Element cell(page_, "th", {{"colspan", columns}, {"scope", "rowgroup"}});
      page_.element("a", {{"href", "#" + id(p)}}, protocol.name);
      page_.element("span", {{"class", "quiet"}}, " " + protocol.type);
      if (!protocol.mismatches.empty()) {
        page_.element("span", {{"class", "warning"}}, "not the same protocol for all models");
      }
    }
    for (const ComparedNumber& number : protocol.numbers) {
      const Element row(page_, "tr", {{"data-number", number.name}});
      number_heading(number.name);
      for (size_t m = 0; m < number.values.size(); ++m) {
        value_cell(number, m);
        if (m > 0) difference_cell(number, m);
      }
    }
  }

  void value_cell(const ComparedNumber& number, size_t model) {
    const double value = number.values[model];
    if (std::isnan(value)) {
      page_.element("td", {{"class", "none"}, {"title", number.notes[model]}}, "undefined");
      return;
    }
    number.best[model] ? page_.open("td", {{"class", "best"}}) : page_.open("td");
    page_.element("data", {{"value", exact_text(value)}}, format_number(value, number.meaning));
    page_.close();
  }

  void difference_cell(const ComparedNumber& number, size_t model) {
    const double difference = number.difference(model);
    const Element cell(page_, "td", {{"class", "d"}});
    if (std::isnan(difference)) return;
    page_.element("data", {{"value", exact_text(difference)}}, format_difference(difference, number.meaning));
  }

  // ---- one protocol
  void section(size_t p) {
    const ComparedProtocol& protocol = comparison_.protocols[p];
    const Element section(page_, "section", {{"id", id(p)}});
    {
      const Element heading(page_, "h2");
      page_.text(protocol.name);
      page_.element("span", {{"class", "quiet"}}, " " + protocol.type);
    }
    words(protocol);
    for (const std::string& mismatch : protocol.mismatches) {
      page_.element("p", {{"class", "warning"}}, "Not the same protocol for all models: " + mismatch);
    }
    counts(protocol);
    numbers(protocol);
    published(protocol);
    write_curves(protocol, comparison_.models, page_);
    write_distributions(protocol, comparison_.models, page_);
    tables(protocol);
  }

  // The protocol in words: once where all models have the same.
  void words(const ComparedProtocol& protocol) {
    std::vector<std::string> seen;
    for (size_t m = 0; m < protocol.results.size(); ++m) {
      if (!protocol.results[m] || std::ranges::count(seen, protocol.results[m]->description) > 0) continue;
      seen.push_back(protocol.results[m]->description);
    }
    for (const std::string& description : seen) page_.element("p", {{"class", "words"}}, description);
  }

  void counts(const ComparedProtocol& protocol) {
    const Element list(page_, "dl", {{"class", "counts"}});
    std::vector<std::pair<std::string, int64_t>> shown;
    for (const ProtocolResult* result : protocol.results) {
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

  void numbers(const ComparedProtocol& protocol) {
    {
      const Element scroll(page_, "div", {{"class", "scroll"}});
      const Element table(page_, "table", {{"class", "numbers"}});
      numbers_head(protocol);
      const Element body(page_, "tbody");
      for (const ComparedNumber& number : protocol.numbers) {
        const Element row(page_, "tr");
        number_heading(number.name);
        for (size_t m = 0; m < number.values.size(); ++m) value_cell(number, m);
        for (const Reference* reference : protocol.references) published_cell(*reference, number);
      }
    }
    undefined_reasons(protocol);
  }

  void numbers_head(const ComparedProtocol& protocol) {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, "Number");
    for (size_t m = 0; m < comparison_.models.size(); ++m) model_heading(m);
    for (size_t r = 0; r < protocol.references.size(); ++r) {
      page_.element("th", {{"scope", "col"}, {"class", "published"}},
                    concat("[", r + 1, "] ", protocol.references[r]->model));
    }
  }

  void published_cell(const Reference& reference, const ComparedNumber& number) {
    const double value = reference.value_of(number.name);
    const Element cell(page_, "td", {{"class", "published"}});
    if (!std::isnan(value)) {
      page_.element("data", {{"value", exact_text(value)}}, format_published(value, number.meaning));
    }
  }

  void undefined_reasons(const ComparedProtocol& protocol) {
    std::vector<std::pair<std::string, std::string>> reasons;  // with the numbers that they explain
    for (const ComparedNumber& number : protocol.numbers) {
      for (size_t m = 0; m < number.values.size(); ++m) {
        if (!std::isnan(number.values[m])) continue;
        const std::string reason = concat(several() ? comparison_.models[m] + ": " : "", number.notes[m]);
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

  void published(const ComparedProtocol& protocol) {
    if (protocol.references.empty()) return;
    const Element list(page_, "ul", {{"class", "notes sources"}});
    for (const std::string& line : source_lines(protocol.references)) page_.element("li", {}, line);
  }

  // ---- all other details
  void tables(const ComparedProtocol& protocol) {
    std::vector<std::string> members, untold;
    for (const ProtocolResult* result : protocol.results) {
      if (!result || !result->details.is_object()) continue;
      for (const auto& [member, value] : result->details.items()) {
        if (std::ranges::count(members, member) == 0) members.push_back(member);
      }
    }
    for (const std::string& member : members) {
      if (member == "roc" || member == "det" || member == "distributions") continue;
      if (!member_table(protocol, member)) untold.push_back(member);
    }
    if (untold.empty()) return;
    std::string names;
    for (const std::string& member : untold) names += (names.empty() ? "" : ", ") + member;
    page_.element("p", {{"class", "quiet"}}, "Also in report.json: " + names + ".");
  }

  // False if it is nothing that a table can show.
  bool member_table(const ComparedProtocol& protocol, const std::string& member) {
    std::vector<std::pair<size_t, Records>> found;
    size_t rows = 0;
    for (size_t m = 0; m < protocol.results.size(); ++m) {
      if (!protocol.results[m] || !protocol.results[m]->details.contains(member)) continue;
      Records records = records_of(protocol.results[m]->details[member]);
      rows = std::max(rows, records.size());
      if (!records.empty()) found.emplace_back(m, std::move(records));
    }
    if (found.empty()) return false;
    page_.raw(rows < kShortTable ? "<details open=\"open\">" : "<details>");
    page_.element("summary", {}, spaced(member));
    for (const auto& [model, records] : found) {
      if (several()) {
        const Element name(page_, "p", {{"class", "of-model"}});
        model_name(model);
      }
      write_records(member, records, protocol.facts.meanings, page_);
    }
    page_.raw("</details>\n");
    return true;
  }

  // ---- names of models
  void model_heading(size_t model) {
    const Element cell(page_, "th", {{"scope", "col"}});
    model_name(model);
  }
  void model_name(size_t model) { write_legend(model, comparison_.models[model], page_); }

  void number_heading(std::string_view name) {
    const Element cell(page_, "th", {{"scope", "row"}});
    write_breakable(name, page_);
  }

  const Report& report_;
  const Comparison comparison_;
  Markup page_;
};

}  // namespace

std::string to_html(const Report& report) { return Page(report).write(); }

}  // namespace uir
