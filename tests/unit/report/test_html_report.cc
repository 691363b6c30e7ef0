#include "uir/report/html_report.h"

#include <cmath>
#include <limits>
#include <random>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/protocols.h"
#include "uir/eval/report_roc.h"
#include "uir/report/markup.h"

namespace uir {
namespace {

// Whether every element is closed in order and every '<' and '&' outside CDATA and style is markup: what an
// XML parser asks for, as far as it concerns us.
std::string markup_error(std::string_view text) {
  std::vector<std::string> open;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("<!DOCTYPE")) {
      at = text.find('>', at) + 1;
    } else if (text.substr(at).starts_with("<![CDATA[")) {
      at = text.find("]]>", at) + 3;
    } else if (text[at] == '&') {
      const std::string_view entity = text.substr(at, text.find(';', at) + 1 - at);
      if (entity != "&lt;" && entity != "&gt;" && entity != "&amp;" && entity != "&quot;") return "a bare &";
      at += entity.size();
    } else if (text[at] == '<') {
      const size_t end = text.find('>', at);
      if (end == std::string_view::npos) return "a tag that does not end";
      const std::string_view tag = text.substr(at + 1, end - at - 1);
      if (tag.find('<') != std::string_view::npos) return concat("a bare < before ", tag.substr(0, 40));
      const std::string name(
          tag.substr(tag.starts_with("/"), tag.find_first_of(" /", 1) - tag.starts_with("/")));
      if (tag.starts_with("/")) {
        if (open.empty() || open.back() != tag.substr(1))
          return concat("</", tag.substr(1), "> closes nothing");
        open.pop_back();
      } else if (!tag.ends_with("/")) {
        open.push_back(name);
      }
      at = end + 1;
    } else {
      ++at;
    }
  }
  return open.empty() ? "" : open.back() + " is not closed";
}

size_t count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++n;
  return n;
}

ProtocolResult with_roc(std::string name, int pairs, int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::normal_distribution<double> normal;
  std::vector<double> genuine(pairs), impostors(pairs * 10);
  for (double& score : genuine) score = 0.6 + 0.15 * normal(random);
  for (double& score : impostors) score = 0.1 * normal(random);
  Roc roc(genuine);
  roc.add_impostors(impostors);
  auto result = ProtocolResult::of<IjbVerificationProtocol>(std::move(name), "in words");
  result.count("genuine_pairs", pairs);
  report_roc(roc, std::vector<double>{1e-4, 1e-3, 1e-2}, result);
  return result;
}

Report example(std::string first = "baseline", std::string second = "uir") {
  auto undefined = ProtocolResult::of<AllPairsProtocol>("one_kind", "words");
  undefined.undefined("auc", "there are no pairs of the same person");
  Report report;
  for (const std::string& name : {first, second}) {
    const int seed = static_cast<int>(report.models.size());
    report.models.push_back({name,
                             {{"lfw", {{"set", "lfw"}, {"weights", "abc123"}}}},
                             {with_roc("ijbc/flip,norm_kept,score", 400, seed), undefined}});
  }
  return report;
}

}  // namespace

TEST_CASE("markup is escaped and closes in order") {
  Markup out;
  {
    const Element p(out, "p", {{"title", "\"<&>"}});
    out.text("a<b>&\"c\"");
    out.element("br");
    out.element("b", {}, "<i>");
  }
  CHECK(out.take() ==
        "<p title=\"&quot;&lt;&amp;&gt;\">a&lt;b&gt;&amp;&quot;c&quot;<br/><b>&lt;i&gt;</b></p>\n");
  CHECK(brute::error_of(ErrorKind::kInternal, [&] { out.close(); }) != "no error");
  out.open("p");
  CHECK(brute::error_of(ErrorKind::kInternal, [&] { out.take(); }) != "no error");
}

TEST_CASE("what is no UTF-8 or no character of XML is shown by its bytes, all else is kept") {
  CHECK(escape_markup("ünï 人脸 \xF0\x9F\x98\x80\t\n") == "ünï 人脸 \xF0\x9F\x98\x80\t\n");
  CHECK(escape_markup("a\xff"
                      "b") == "a\\xffb");
  CHECK(escape_markup("\xE4\xBA") == "\\xe4\\xba");           // cut off
  CHECK(escape_markup("\xC0\xBC") == "\\xc0\\xbc");           // '<', overlong
  CHECK(escape_markup("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(escape_markup("\xEF\xBF\xBF") == "\xEF\xBF\xBD");     // no character, but UTF-8
  CHECK(escape_markup(std::string("\0\x1b", 2)) == "\\x00\\x1b");
}

TEST_CASE("the page is well-formed and loads nothing") {
  for (const Report& report : {Report{}, Report{{{"only", {}, {}}}}, example()}) {
    const std::string html = to_html(report);
    CHECK(markup_error(html).empty());
    CHECK(count(html, "http") == count(html, "http-equiv") + count(html, "http://www.w3.org/"));
    for (const char* loads : {"src=", "@import", "url(", "<link"}) CHECK(count(html, loads) == 0);
  }
  CHECK(to_html(example()) == to_html(example()));
}

TEST_CASE("the hardest pairs stand in the page with pictures, scores, thresholds and names") {
  Report report = example("ours", "theirs");
  Json pairs = Json::array();
  pairs.push_back({{"score", 0.12345},
                   {"left", {{"name", "a/<1>.jpg"}}},
                   {"right", {{"name", "a/2.jpg"}, {"missing", "not in the index"}}},
                   {"picture", "pictures/ours#1.png"}});
  pairs.push_back({{"score", 0.5}, {"left", {{"name", "b"}}}, {"right", {{"name", "c"}}}});
  Json thresholds = Json::array();
  thresholds.push_back({{"at", "FAR 0.001"}, {"threshold", 0.25}});
  thresholds.push_back({{"at", "FAR 0"}, {"threshold", std::numeric_limits<double>::infinity()}});
  Json& hardest = report.models[0].results[0].details["hardest"];
  hardest.push_back({{"kind", "genuine"},
                     {"words", "Pairs that score lowest"},
                     {"measure", "cosine"},
                     {"thresholds", thresholds},
                     {"pairs", pairs}});
  const std::string html = to_html(report);
  CHECK(markup_error(html).empty());
  CHECK_THAT(html, contains_text("<summary>Pairs that score lowest</summary>"));
  CHECK_THAT(html, contains_text("Accepted from 0.25 on at FAR 0.001.<"));
  CHECK_THAT(html, contains_text("src=\"pictures/ours%231.png\""));
  CHECK(count(html, "src=\"") == 1);
  CHECK(count(html, "cosine 0.1234<") + count(html, "cosine 0.1235<") == 1);
  CHECK(count(html, "a/&lt;1&gt;.jpg") == 2);  // beside the picture and in its place
  CHECK_THAT(html, contains_text("not in the index"));
  CHECK_THAT(html, contains_text("img-src 'self' file:; "));
  CHECK(count(to_html(example()), "img-src") == 0);
}

TEST_CASE("the headline numbers stand in the page in words, of several models in one sentence") {
  Report report = example("ours", "theirs");
  report.models[0].results[0].numbers[0].value = 0.75;  // the AUC
  report.models[1].results[0].numbers[0].value = 0.9;
  CHECK_THAT(to_html(report),
             contains_text("In 75.0 % (ours), 90.0 % (theirs) of cases a pair of one person"));
  report.models.pop_back();
  CHECK_THAT(to_html(report), contains_text("In 75.0 % of cases a pair of one person scores higher"));
}

TEST_CASE("all numbers stand folded beneath sentences, and open where there is none or models are compared") {
  const auto shows = [](const Report& report) {
    const std::string html = to_html(report);
    const size_t at = html.find("id=\"protocol-1\"");
    const auto is_open = [&](size_t from) {
      const size_t summary = html.find("<summary>All numbers", from);
      return html.substr(0, summary).ends_with("open=\"open\">");
    };
    return std::pair{is_open(html.find("id=\"overview\"")), is_open(at)};
  };
  Report report = example();
  CHECK(shows(report) == std::pair{true, false});
  const std::string html = to_html(report);
  const size_t section = html.find("id=\"protocol-1\"");
  CHECK(html.find("class=\"in-words\"", section) < html.find("<summary>All numbers", section));
  report.models.pop_back();
  CHECK(shows(report) == std::pair{false, false});
  report.models[0].results.erase(report.models[0].results.begin());  // without any value
  CHECK(shows(report) == std::pair{true, true});
}

TEST_CASE("what a model was made with is short text, no JSON") {
  Report report = example();
  report.models.pop_back();
  report.models[0].sets = {{"lfw",
                            {{"weights", {{"file", "step-30"}, {"checksum", "7ad2"}, {"deep", {{"a", 1}}}}},
                             {"mean", {1, 2.5}},
                             {"files", {{"long", std::string(200, 'x')}}},
                             {"flip", true}}}};
  const std::string html = to_html(report);
  CHECK_THAT(html, contains_text("<td>file step-30, checksum 7ad2</td>"));
  CHECK_THAT(html, contains_text("<td>1, 2.5</td>") && contains_text("<td>true</td>"));
  CHECK(count(html, "xxxx") == 0);
}

TEST_CASE("names are text, wherever they stand") {
  const std::string evil = "</script><script>alert('1')</script>&\"";
  Report report = example(evil, "uir");
  ProtocolResult& result = report.models[0].results[0];
  result.name = result.description = result.numbers[0].name = evil;
  result.counts[0].first = evil;
  result.details["folds"] = Json::array({{{evil, evil}}});
  report.models[0].results[1].numbers[0].note = evil;
  report.models[0].sets = {{evil, {{evil, evil}}}};
  const std::string html = to_html(report);
  CHECK(markup_error(html).empty());
  CHECK(count(html, "<script>alert") == 0);
  CHECK(count(html, "</script>") ==
        count(to_html(example("a", "b")), "</script>") + 1);  // one more protocol with curves
  CHECK_THAT(html, contains_text("&lt;script&gt;alert"));
}

TEST_CASE("numbers stand in the page as in report.json, the better one marked") {
  const Report report = example();
  const std::string html = to_html(report);
  for (const ModelReport& model : report.models) {
    for (const Measurement& number : model.results[0].numbers) {
      const std::string value = Json(number.value).dump();
      INFO(number.name << " " << value);
      CHECK(count(html, "<data value=\"" + value + "\">") >= 2);  // in the comparison and in the protocol
    }
  }
  CHECK(count(html, "<td class=\"best\">") > 0);
  CHECK_THAT(html, contains_text("there are no pairs of the same person"));
  CHECK_THAT(html, contains_text(">undefined</td>"));
  CHECK_THAT(html, contains_text("abc123"));
}

TEST_CASE("curves: one line per model in every drawing, and the values of its points for the script") {
  const Report report = example();
  const std::string html = to_html(report);
  CHECK(count(html, "<svg class=\"plot\"") == 2);  // ROC and DET
  const size_t data = html.find("<script type=\"application/json\">");
  REQUIRE(data != std::string::npos);
  const size_t begin = html.find('>', data) + 1;
  const Json points = Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  CHECK(points["columns"] == Json::parse(R"(["far", "tar", "threshold"])"));
  CHECK(points["models"] == Json::parse(R"(["baseline", "uir"])"));
  REQUIRE(points["points"].size() == 2);
  // As many points as vertices: the script counts on it.
  for (size_t line = 0; line < 2; ++line) {
    const auto n = count(points["points"][line].get<std::string>(), ";") + 1;
    size_t at = html.find("<svg class=\"area\"");
    for (size_t i = 0; i <= line; ++i) at = html.find("<polyline", at + 1);
    const std::string vertices = html.substr(at, html.find('>', at) - at);
    CHECK(count(vertices, ",") == n);
  }
}

TEST_CASE("1:N curves of one gallery or of several") {
  auto result = ProtocolResult::of<IjbIdentificationProtocol>("ijbc/open_set", "words");
  const Json curve =
      Json::parse(R"({"columns": ["fpir", "fnir"], "points": [[0.001, 0.2], [0.1, 0.1], [1.0, 0.05]]})");
  result.details["det"] = curve;
  const Report one{{{"m", {}, {result}}}};
  CHECK(count(to_html(one), "<svg class=\"plot\"") == 1);
  result.details["det"] = {{"g1", curve}, {"g2", curve}};
  const Report two{{{"m", {}, {result}}}};
  CHECK(count(to_html(two), "<svg class=\"plot\"") == 2);
  CHECK_THAT(to_html(two), contains_text("<b>DET, g2</b>"));
}

TEST_CASE("details that no table can show are named, those that can are shown") {
  auto result = ProtocolResult::of<VerificationProtocol>("p", "words");
  result.details["folds"] =
      Json::parse(R"([{"threshold": 1.25, "accuracy": 0.5}, {"threshold": null, "n": 1234}])");
  result.details["submission"] = "file.txt";
  result.details["roc"] = "of another shape";
  result.details["distributions"] = Json::parse(R"({"cosine": {"known": {"mean": 1}}})");
  result.details["det"] = Json::parse(R"({"columns": ["fpir"], "points": []})");
  const Report report{{{"m", {}, {result}}}};
  const std::string html = to_html(report);
  CHECK(markup_error(html).empty());
  CHECK_THAT(html, contains_text("<data value=\"1.25\">1.25</data>"));
  CHECK_THAT(html, contains_text("<data value=\"0.5\">50.0000 %</data>"));
  CHECK_THAT(html, contains_text("<data value=\"1234\">1,234</data>"));
  CHECK_THAT(html, contains_text("Also in report.json: submission."));
  CHECK(count(html, "<svg class=\"plot\"") == 0);
}

TEST_CASE("a column that the protocol does not name is a plain number") {
  auto result = ProtocolResult::of<AllPairsProtocol>("p", "words");
  result.details["folds"] = Json::parse(R"([{"accuracy": 0.5}])");
  CHECK_THAT(to_html({{{"m", {}, {result}}}}), contains_text("<data value=\"0.5\">0.5</data>"));
}

TEST_CASE("rejection: a histogram per measure and model, with the chosen threshold") {
  const std::vector<float> known{0, 0.8f, 0.9f, 0, 0.7f, 0.8f}, strangers{1, 0.2f, 0.3f, 1, 0.1f, 0.05f};
  const std::vector<int64_t> labels{0, 0}, none{-1, -1};
  const std::vector<ClassifiedSet> known_sets{{"held_out", {known.data(), 2, 3}, labels}};
  const std::vector<ClassifiedSet> stranger_sets{{"strangers", {strangers.data(), 2, 3}, none}};
  const Report report{
      {{"m", {}, {run_rejection("rejection", known_sets, stranger_sets, RejectionProtocol{})}}}};
  const std::string html = to_html(report);
  CHECK(markup_error(html).empty());
  CHECK(count(html, "<svg class=\"plot\"") == 2);
  CHECK(count(html, "class=\"mark\"") == 2);
  CHECK_THAT(html, contains_text("strangers below"));
}

TEST_CASE("a page of 8 variants and 4 models stays below 500 kB") {
  Report report;
  for (int m = 0; m < 4; ++m) {
    ModelReport& model = report.models.emplace_back(ModelReport{concat("model_", m), {}, {}});
    for (int variant = 0; variant < 8; ++variant) {
      ProtocolResult result = with_roc(concat("ijbc/variant_", variant), 10, variant);
      for (const char* rule : {"tar_at_far", "tar_nearest_far"}) {
        for (int e = 1; e <= 6; ++e)
          result.number(name_with_rate(rule, std::pow(10, -e)), 0.9 + 0.0123456789 / (e + m + 1));
      }
      Json points = Json::array();
      for (int i = 0; i < 200; ++i)
        points.push_back({std::pow(10, -6 + i * 0.03), 0.9 + i * 0.0004999 + m * 1e-5, 0.7 - i * 0.0031234});
      result.details["roc"]["points"] = points;
      model.results.push_back(std::move(result));
    }
  }
  CHECK(to_html(report).size() < 500'000);
}

}  // namespace uir
