// compare_networks A.npy B.npy LIST: which of two networks is better, by features of the same faces.
#include <iostream>

#include <uir/eval/compare_features.h>
#include <uir/report/report.h>

int main(int argc, char** argv) try {
  if (argc != 4) uir::fail(uir::ErrorKind::kUsage, "wanted: two files of features and their list");
  uir::FeatureComparison comparison;
  comparison.features = {argv[1], argv[2]};
  comparison.list = argv[3];
  comparison.far = {0.1};
  const uir::Report report = uir::compare_features(comparison);
  std::cout << uir::to_text(report);
  return 0;
} catch (const uir::Error& error) {
  std::cerr << error.what() << '\n';
  return error.exit_code();
}
