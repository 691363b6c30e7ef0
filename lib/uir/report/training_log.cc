#include "uir/report/training_log.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"

namespace uir {
namespace {

constexpr const char* kAccuracy = "accuracy";

void add_number(const Json& line, const std::string& key, StepSeries& series) {
  const double value = number_of(line.value(key, Json()));
  if (std::isfinite(value)) series.push_back({number_of(line["step"]), value});
}

}  // namespace

TrainingLog read_training_log(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail(ErrorKind::kMissingInput, path.string(), ": no log; the report needs a run of uir-train");
  }
  const MappedFile file(path);
  const std::string_view text = as_text(file.bytes());
  TrainingLog log;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    Json line = Json::parse(text.substr(begin, end - begin), nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("step")) continue;
    if (line.contains("verification")) {
      log.verifications.push_back(std::move(line));
      continue;
    }
    for (const auto& [key, value] : line.items()) {
      if (value.is_number()) add_number(line, key, log.numbers[key]);
    }
    log.last = std::move(line);
  }
  return log;
}

const StepSeries& TrainingLog::series(const std::string& name) const {
  static const StepSeries none;
  const auto found = numbers.find(name);
  return found == numbers.end() ? none : found->second;
}

std::string metric_of(const Json& verification) {
  const auto metric = verification.find("metric");
  return metric != verification.end() && metric->is_string() ? metric->get<std::string>() : kAccuracy;
}

std::map<std::string, StepSeries> TrainingLog::verified() const {
  std::map<std::string, StepSeries> series;
  for (const Json& line : verifications) {
    if (!line["verification"].is_string()) continue;
    const std::string metric = metric_of(line), protocol = line["verification"].get<std::string>();
    add_number(line, metric, series[metric == kAccuracy ? protocol : concat(protocol, " (", metric, ")")]);
  }
  return series;
}

StepSeries thinned(const StepSeries& series, size_t most) {
  const size_t bin = (series.size() + most - 1) / most;
  if (bin <= 1) return series;
  StepSeries means;
  for (size_t begin = 0; begin < series.size(); begin += bin) {
    const size_t end = std::min(begin + bin, series.size());
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += series[i].y;
    means.push_back({series[end - 1].x, sum / static_cast<double>(end - begin)});
  }
  return means;
}

double median_of(const StepSeries& series) {
  if (series.empty()) return std::nan("");
  std::vector<double> values;
  for (const PlotPoint& point : series) values.push_back(point.y);
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace uir
