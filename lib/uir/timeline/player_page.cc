#include "uir/timeline/player_page.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "uir/report/markup.h"
#include "uir/timeline/page_data.h"
#include "uir/timeline/player_assets.h"
#include "uir/base/quoting.h"

namespace uir {
namespace {

int order_of(Verdict verdict) {
  constexpr std::array kOrder{Verdict::kKnown, Verdict::kStranger, Verdict::kUnsure, Verdict::kTooSmall};
  return static_cast<int>(std::ranges::find(kOrder, verdict) - kOrder.begin());
}

int64_t length_of(const std::vector<Span>& spans) {
  int64_t length = 0;
  for (const Span& span : spans) length += span.length();
  return length;
}

// A policy holds for what comes after it: the page's own script stands before it, and nothing is run later.
void write_head(const std::string& title, const std::string& allowed,
                std::initializer_list<std::string_view> scripts, Markup& page) {
  const Element head(page, "head");
  page.element("meta", {{"charset", "utf-8"}});
  page.element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  page.element("title", {}, title);
  page.raw(concat("<style>\n", kTimelineStyle, "</style>\n<script>\n//<![CDATA[\n"));
  for (const std::string_view script : scripts) page.raw(script);
  page.raw("//]]>\n</script>\n");
  page.element("meta",
               {{"http-equiv", "Content-Security-Policy"}, {"content", "default-src 'none'; " + allowed}});
}

std::string page_of(std::string_view data, const std::string& title, const std::string& allowed,
                    std::initializer_list<std::string_view> scripts, std::string_view body) {
  Markup page;
  page.raw("<!DOCTYPE html>\n");
  {
    const Element html(page, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
    write_head(title, allowed, scripts, page);
    const Element element(page, "body");
    page.raw(body);
    page.raw(concat("<script type=\"application/json\" id=\"data\">", script_text(data), "</script>\n"));
  }
  return page.take();
}

}  // namespace

std::vector<PersonLine> in_order_shown(std::vector<PersonLine> lines) {
  std::ranges::stable_sort(lines, [](const PersonLine& a, const PersonLine& b) {
    return std::pair(order_of(a.verdict), -length_of(a.visible)) <
           std::pair(order_of(b.verdict), -length_of(b.visible));
  });
  return lines;
}

FilmCopy playable_copy(const std::string& film) {
  const std::string file = fs::path(film).stem().string() + ".browser.mp4";
  // `file:` before names, which may look like options and protocols. Times are kept: no frame is doubled or
  // dropped, and none is rounded to a rate. What H.264 in browsers needs: even sizes, 4:2:0.
  return {file, concat("ffmpeg -i ", shell_quoted("file:" + film),
                       " -map 0:V:0 -map '0:a:0?' -fps_mode passthrough -enc_time_base -1"
                       " -vf 'crop=trunc(iw/2)*2:trunc(ih/2)*2' -c:v libx264 -crf 18 -preset veryfast"
                       " -pix_fmt yuv420p -c:a aac -movflags +faststart ",
                       shell_quoted("file:" + file))};
}

std::string player_page(const Timeline& timeline, std::vector<PersonLine> lines) {
  ensure(timeline.is_film(), "a player's page is of a film");
  return page_of(page_data(timeline, in_order_shown(std::move(lines))), timeline.film.file,
                 "img-src data:; media-src 'self' file: blob:",
                 {kSpansScript, kClockScript, kLinesScript, kFacesScript, kPlayerScript}, kPlayerBody);
}

std::string photos_page(const Timeline& timeline, std::vector<PersonLine> lines) {
  ensure(!timeline.is_film(), "a page of photos is of photos");
  return page_of(page_data(timeline, in_order_shown(std::move(lines))), timeline.film.file,
                 "img-src 'self' file: data:", {kSpansScript, kFacesScript, kPhotosScript}, kPhotosBody);
}

}  // namespace uir
