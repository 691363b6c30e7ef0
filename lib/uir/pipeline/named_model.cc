#include "uir/pipeline/named_model.h"

#include <algorithm>
#include <vector>

#include "uir/base/error.h"

namespace uir {

EvalModel named_model(const Experiment& experiment, const std::string& name) {
  const std::vector<EvalModel>& models = experiment.eval.models;
  if (name.empty() && models.empty())
    return {"run", {experiment.run_folder().string()}, {}, experiment.eval.calibration};
  if (name.empty() && models.size() == 1) return models.front();
  const auto found = std::ranges::find(models, name, &EvalModel::name);
  if (found != models.end()) return *found;
  fail(ErrorKind::kUsage,
       "--model: ", name.empty() ? "name one of eval.models" : concat("'", name, "' is none of eval.models"));
}

}  // namespace uir
