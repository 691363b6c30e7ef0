// The pictures of an evaluation's hardest pairs (eval.pictures): the faces that results name in
// details.hardest, from the index.
#pragma once

#include "uir/experiment/experiment.h"
#include "uir/report/report.h"

namespace uir {

// Removes <report folder>/pictures, as an older report left it; with eval.pictures it writes
// pictures/<model>.<protocol>.<kind>_01.png … there, and names the files in the results. A class is shown by its first image. What the index does not hold is a
// crossed box, and said beside it; without an index there are names and scores only, which a warning and a
// remark say. Errors: those of writing files.
void write_report_pictures(const Experiment& experiment, Report& report);

}  // namespace uir
