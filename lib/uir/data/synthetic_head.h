// The parts of a drawn head.
#pragma once

#include "uir/base/random.h"
#include "uir/data/synthetic_canvas.h"
#include "uir/data/synthetic_person.h"

namespace uir::synthetic {

// Paints a person in a pose over the whole canvas, from back to front. marks: where freckles lie, the same
// for all images of the person.
void paint_head(Canvas& canvas, const Person& person, const Pose& pose, ItemRandom marks);

}  // namespace uir::synthetic
