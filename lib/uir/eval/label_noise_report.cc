#include "uir/eval/label_noise_report.h"

#include <algorithm>
#include <cstdio>

#include "uir/base/error.h"
#include "uir/eval/overlap_search.h"
#include "uir/report/html_parts.h"
#include "uir/report/markup.h"

namespace uir {
namespace {

constexpr std::string_view kWords =
    "Cosines are means over all images of a class. Unlike: an image that is not like the rest of its class. "
    "Second person: several that are like each other, but not like the rest. No two agree: a class whose "
    "images are all unlike. Merged: two classes that are one person. Look at the pictures before you train "
    "without them: a person can be unlike herself.";

std::vector<std::string> summary(const LabelNoise& noise) {
  int64_t belong = 0;
  for (const LabelNoise::Image& image : noise.unlike_images) belong += image.belongs;
  const auto share = [&](int64_t images) {
    char text[32];
    std::snprintf(text, sizeof text, " (%.2f %%)",
                  100 * static_cast<double>(images) / static_cast<double>(noise.images));
    return concat(grouped(images), text);
  };
  return {concat(grouped(noise.images), " images of ", grouped(noise.classes), " classes"),
          concat("unlike the rest of their class: ", share(noise.count(LabelNoise::Why::kUnlike)),
                 ", mean cosine below ", score_text(noise.unlike)),
          concat("second person of a class: ", share(noise.count(LabelNoise::Why::kSecondPerson)), " in ",
                 grouped(std::ssize(noise.groups)), " classes"),
          concat("in classes where no two agree: ", share(noise.count(LabelNoise::Why::kNoAgreement))),
          concat("of these images that belong to another class: ", grouped(belong)),
          concat("classes that are one person with another: ", grouped(std::ssize(noise.merges)),
                 ", mean cosine from ", score_text(noise.merge[0][0]), " on (one image each) to ",
                 score_text(noise.merge[kSizeKinds - 1][kSizeKinds - 1]), " (five and more)")};
}

template <class T>
std::span<const T> shown(const std::vector<T>& all) {
  return std::span(all).first(std::min(all.size(), kShownNoise));
}

// The least alike first.
std::vector<LabelNoise::Image> worst(const LabelNoise& noise) {
  std::vector<LabelNoise::Image> images = noise.unlike_images;
  std::ranges::stable_sort(images, {}, &LabelNoise::Image::own);
  if (images.size() > kShownNoise) images.resize(kShownNoise);
  return images;
}

std::string likely(const LabelNoise::Image& image, const NoiseNames& names) {
  return image.likely < 0 ? "" : names.identity(image.likely);
}

}  // namespace

Json to_json(const std::string& set, const LabelNoise& noise, const NoiseNames& names) {
  Json images = Json::array(), merges = Json::array(), groups = Json::array();
  for (const LabelNoise::Image& i : noise.unlike_images)
    images.push_back({{"item", names.item(i.row)},
                      {"identity", names.identity(i.label)},
                      {"why", to_string(i.why)},
                      {"own_cosine", i.own},
                      {"likely", i.likely < 0 ? Json() : Json(names.identity(i.likely))},
                      {"likely_cosine", i.cosine},
                      {"belongs_there", i.belongs}});
  for (const LabelNoise::Merge& m : noise.merges)
    merges.push_back({{"identity", names.identity(m.label)},
                      {"into", names.identity(m.into)},
                      {"cosine", m.cosine},
                      {"images", m.images},
                      {"images_into", m.images_into}});
  for (const LabelNoise::Group& g : noise.groups)
    groups.push_back({{"identity", names.identity(g.label)}, {"images", g.images}, {"others", g.others}});
  return {{"format", "uir-label-noise"},
          {"version", 1},
          {"set", set},
          {"images", noise.images},
          {"classes", noise.classes},
          {"unlike_below", noise.unlike},
          {"merge_from", noise.merge},
          {"merge_sizes", {"1", "2-4", "5+"}},
          {"unlike", images},
          {"merges", merges},
          {"several_people", groups}};
}

std::string label_noise_text(const std::string& set, const LabelNoise& noise, const NoiseNames& names) {
  std::string text = concat(set, ": ");
  for (const std::string& line : summary(noise)) text += line + "\n  ";
  text.resize(text.size() - 2);
  constexpr size_t kLines = 10;
  const std::vector<LabelNoise::Image> images = worst(noise);
  for (const LabelNoise::Image& i : std::span(images).first(std::min(kLines, images.size())))
    text += concat(
        "  ", score_text(i.own), "  ", names.item(i.row), "  ", to_string(i.why),
        i.belongs ? concat(", belongs to ", likely(i, names), " (", score_text(i.cosine), ")") : "", "\n");
  for (const LabelNoise::Merge& m : std::span(noise.merges).first(std::min(kLines, noise.merges.size())))
    text += concat("  ", score_text(m.cosine), "  ", names.identity(m.label), " = ", names.identity(m.into),
                   "\n");
  return text;
}

std::string label_noise_page(const std::string& set, const LabelNoise& noise, const NoiseNames& names,
                             const std::vector<std::string>& pictures) {
  return plain_page("Labels of " + set, [&](Markup& page) {
    page.element("p", {{"class", "words"}}, kWords);
    for (const std::string& line : summary(noise)) page.element("p", {}, line);
    Records images, merges, groups;
    for (const LabelNoise::Image& i : worst(noise))
      images.emplace_back(names.item(i.row), Json{{"why", to_string(i.why)},
                                                  {"cosine", i.own},
                                                  {"most like", likely(i, names)},
                                                  {"cosine there", i.cosine},
                                                  {"belongs there", i.belongs ? "yes" : ""}});
    for (const LabelNoise::Merge& m : shown(noise.merges))
      merges.emplace_back(names.identity(m.label), Json{{"is", names.identity(m.into)},
                                                        {"cosine", m.cosine},
                                                        {"images", m.images},
                                                        {"images there", m.images_into}});
    for (const LabelNoise::Group& g : shown(noise.groups))
      groups.emplace_back(names.identity(g.label),
                          Json{{"images", g.images}, {"of a second person", g.others}});
    const std::pair<const char*, const Records*> tables[] = {{"Unlike their class, the least alike", &images},
                                                             {"Classes that are one person", &merges},
                                                             {"Classes of two people", &groups}};
    for (const auto& [title, records] : tables) {
      page.element("h2", {}, title);
      if (records->empty())
        page.element("p", {}, "none");
      else
        write_records("names", *records, {}, page);
    }
    for (const std::string& picture : pictures) write_picture(picture, page);
  });
}

std::string exclude_list(const LabelNoise& noise, const NoiseNames& names) {
  std::string list;
  for (const LabelNoise::Image& i : noise.unlike_images)
    list += concat(names.item(i.row), '\t', to_string(i.why), '\t', names.identity(i.label), '\t',
                   score_text(i.own), '\t', likely(i, names), '\t', score_text(i.cosine), '\n');
  return list;
}

std::string label_map_list(const LabelNoise& noise, const NoiseNames& names) {
  std::string list;
  for (const LabelNoise::Merge& m : noise.merges)
    list += concat(names.identity(m.label), '\t', names.identity(m.into), '\t', score_text(m.cosine), '\n');
  return list;
}

}  // namespace uir
