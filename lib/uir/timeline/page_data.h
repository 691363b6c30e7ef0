// What the scripts of player.html and photos.html read: everything of a timeline that is shown, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uir/base/json.h"
#include "uir/timeline/player_page.h"

namespace uir {

// {film, thresholds, people, tracks, photos}. Flat lists where there are many: spans [begin, end, …], sights
// [ticks, x1, y1, x2, y2, …] in whole pixels. A track's `line` is its place in `people`, which is that in
// `lines`; -1 if there is none.
std::string page_data(const Timeline& timeline, const std::vector<PersonLine>& lines);

// For an element <script type="application/json">: nothing in it ends the element or is markup.
std::string script_text(std::string_view json);

}  // namespace uir
