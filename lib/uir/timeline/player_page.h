// player.html in the timeline's folder: the film, which lies beside that folder, with a line per person under
// it. photos.html: the same people on the photos of a folder, without a clock.
//
// A page is one file that loads nothing but the film or the photos: its people, tracks and pictures stand in
// it, and its policy forbids everything else, scripts included: what stands before the policy is the page's
// own script, nothing behind it is ever run. What users named is text, never markup.
//
// Time: browsers count from zero, from the first picture or sound, or from the container's first time stamp,
// as it pleases them (Chromium: the time stamps as they are, unless they are negative). So the page does not
// rely on any: it asks for the time of the first picture that is shown, which is film.shown.begin here, and
// takes the difference.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// One line below the film: a known person, one stranger's group, or all tracks that are kUnsure or kTooSmall.
struct PersonLine {
  std::string name;  // as shown_name(); of kUnsure and kTooSmall it is not shown
  Verdict verdict = Verdict::kKnown;
  std::vector<Span> visible, scenes;  // ascending and disjoint
  std::vector<std::string> pictures;  // the bytes of JPEG files, the best first
};

// Lines in the order shown: known people, strangers, unsure, too small; among them by the time visible.
std::vector<PersonLine> in_order_shown(std::vector<PersonLine> lines);

// Lines in any order; tracks find theirs by verdict and name. `timeline` is of a film.
std::string player_page(const Timeline& timeline, std::vector<PersonLine> lines);

// `timeline` is of photos; pictures of tracks are loaded from the page's folder.
std::string photos_page(const Timeline& timeline, std::vector<PersonLine> lines);

// What to type where no browser plays the film: a copy beside it, of the same times.
struct FilmCopy {
  std::string file;     // its name
  std::string command;  // to be typed in the film's folder
};
FilmCopy playable_copy(const std::string& film);

}  // namespace uir
