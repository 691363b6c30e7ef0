// Experiment files.
#include "target.h"
#include "uir/experiment/experiment.h"

// What was accepted is written back and must be accepted again, with the same meaning.
UIR_FUZZ_TARGET(config) {
  const uir::Experiment experiment =
      uir::parse_experiment(std::string(uir::as_text(bytes)), "exp.yaml", "/experiments");
  const std::string resolved = uir::resolved_config(experiment);
  std::string again;
  try {
    again = uir::resolved_config(uir::parse_experiment(resolved, "resolved.yaml", "/elsewhere"));
  } catch (const uir::Error& error) {
    uir::fail(uir::ErrorKind::kInternal, "a resolved config is refused: ", error.what());
  }
  uir::ensure(again == resolved, "a resolved config reads back as itself");
}
