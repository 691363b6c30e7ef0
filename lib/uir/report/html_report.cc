#include "uir/report/html_report.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/comparison.h"
#include "uir/report/html_models.h"
#include "uir/report/html_numbers.h"
#include "uir/report/html_parts.h"
#include "uir/report/html_protocol.h"
#include "uir/report/markup.h"
#include "uir/report/number_words.h"

namespace uir {
namespace {

class ReportPage {
 public:
  explicit ReportPage(const Report& report) : report_(report), comparison_(compare(report)) {}

  std::string write() {
    page_.raw("<!DOCTYPE html>\n");
    {
      const Element html(page_, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
      write_head(title(), shows_pictures() ? "img-src 'self' file:; " : "", page_);
      const Element body(page_, "body");
      header();
      contents();
      {
        const Element main(page_, "main");
        overview();
        for (size_t p = 0; p < comparison_.protocols.size(); ++p)
          write_protocol(comparison_.protocols[p], comparison_.models, id(p), page_);
      }
      write_script(page_);
    }
    return page_.take() + "\n";
  }

 private:
  std::string title() const {
    std::string names;
    for (const std::string& model : comparison_.models) names += (names.empty() ? "" : ", ") + model;
    return "Face recognition evaluation: " + names;
  }

  // Of faces, in files beside the page.
  bool shows_pictures() const {
    for (const ModelReport& model : report_.models) {
      for (const ProtocolResult& result : model.results) {
        if (result.details.contains("hardest")) return true;
      }
    }
    return false;
  }

  void header() {
    const Element header(page_, "header");
    page_.element("h1", {}, "Face recognition evaluation");
    const Element models(page_, "div", {{"class", "models"}});
    for (size_t m = 0; m < report_.models.size(); ++m) write_model_card(report_.models[m], m, page_);
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
      write_type(comparison_.protocols[p], page_);
    }
  }

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
                 "same, a number does not rank models, or a difference to the best is not decided, none is "
                 "marked."));
    }
    // One model's sentences follow in each protocol; its table stands here for looking things up.
    page_.raw(several() || !has_words() ? "<details open=\"open\">" : "<details>");
    page_.element("summary", {}, "All numbers");
    overview_table();
    page_.raw("</details>\n");
    if (several() && std::ranges::any_of(comparison_.protocols, has_weak_number)) write_weak_words(page_);
  }

  bool has_words() const {
    return std::ranges::any_of(comparison_.protocols, [](const ComparedProtocol& protocol) {
      return std::ranges::any_of(protocol.numbers, [&](const ComparedNumber& number) {
        return !std::isnan(number.values[0]) && words_of(number.name, protocol.facts.meanings);
      });
    });
  }

  void overview_table() {
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
      write_model_heading(comparison_.models[m], m, page_);
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
      write_type(protocol, page_);
      if (!protocol.mismatches.empty()) {
        page_.element("span", {{"class", "warning"}}, "not the same protocol for all models");
      }
    }
    for (const ComparedNumber& number : protocol.numbers) {
      const Element row(page_, "tr", {{"data-number", number.name}});
      write_number_heading(number.name, page_);
      for (size_t m = 0; m < number.values.size(); ++m) {
        write_value_cell(number, m, page_);
        if (m > 0) write_difference_cell(number, m, page_);
      }
    }
  }

  const Report& report_;
  const Comparison comparison_;
  Markup page_;
};

}  // namespace

std::string to_html(const Report& report) { return ReportPage(report).write(); }

}  // namespace uir
