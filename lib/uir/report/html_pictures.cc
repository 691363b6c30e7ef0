#include "uir/report/html_pictures.h"

#include <cmath>

#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/report/html_parts.h"

namespace uir {
namespace {

std::string text_of(const Json& json, const char* member) {
  const auto found = json.find(member);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// "Accepted from 0.412 on at FAR 0.001, …"
std::string thresholds_text(const Json& kind) {
  std::string text;
  for (const Json& threshold : kind.value("thresholds", Json::array())) {
    if (!std::isfinite(number_of(threshold["threshold"]))) continue;
    text += concat(text.empty() ? "Accepted from " : ", ", short_number(number_of(threshold["threshold"]), 4),
                   " on at ", text_of(threshold, "at"));
  }
  return text.empty() ? text : text + ".";
}

// The name of a face, and that its picture could not be found.
void write_face(const Json& face, Markup& page) {
  page.element("span", {{"class", "face"}}, text_of(face, "name"));
  const std::string missing = text_of(face, "missing");
  if (!missing.empty()) page.element("span", {{"class", "interval weak"}}, missing);
}

void write_pair(const Json& pair, const std::string& measure, Markup& page) {
  const Element figure(page, "figure");
  const std::string picture = text_of(pair, "picture");
  if (!picture.empty()) {
    const std::string alt = concat(text_of(pair["left"], "name"), " and ", text_of(pair["right"], "name"));
    page.element("img", {{"src", link_to(picture)}, {"alt", alt}});
  }
  const Element caption(page, "figcaption");
  page.element("b", {}, concat(measure, " ", short_number(number_of(pair["score"]), 4)));
  write_face(pair["left"], page);
  write_face(pair["right"], page);
}

void write_kind(const Json& kind, Markup& page) {
  if (kind["pairs"].empty()) return;
  page.raw("<details open=\"open\">");
  page.element("summary", {}, text_of(kind, "words"));
  const std::string thresholds = thresholds_text(kind);
  if (!thresholds.empty()) page.element("p", {{"class", "quiet"}}, thresholds);
  {
    const Element pairs(page, "div", {{"class", "faces"}});
    for (const Json& pair : kind["pairs"]) write_pair(pair, text_of(kind, "measure"), page);
  }
  page.raw("</details>\n");
}

}  // namespace

void write_hardest(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page) {
  for (size_t m = 0; m < protocol.results.size(); ++m) {
    const ProtocolResult* result = protocol.results[m];
    if (!result || !result->details.contains("hardest")) continue;
    if (models.size() > 1) {
      const Element name(page, "p", {{"class", "of-model"}});
      write_legend(m, models[m], page);
    }
    for (const Json& kind : result->details["hardest"]) write_kind(kind, page);
  }
}

}  // namespace uir
