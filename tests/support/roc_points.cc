// roc_points FAR…: reads lines "0|1 score" and prints the ROC points that kept_points() keeps, "far tar
// threshold" a line, then for each FAR "nearest far tar". For tests/oracle/roc_curve.py.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "uir/eval/roc.h"
#include "uir/eval/sort.h"

int main(int argc, char** argv) {
  std::vector<double> scores[2];
  int genuine = 0;
  for (double score = 0; std::cin >> genuine >> score;) scores[genuine].push_back(score);
  for (std::vector<double>& list : scores) uir::sort_descending(list, 2);
  const std::vector<uir::RocPoint> kept = uir::kept_points(scores[1], scores[0]);
  for (const uir::RocPoint& p : kept) std::printf("%.17g %.17g %.17g\n", p.far, p.tar, p.threshold);
  for (int i = 1; i < argc; ++i) {
    const uir::RocPoint p = uir::nearest(kept, std::atof(argv[i]));
    std::printf("nearest %.17g %.17g\n", p.far, p.tar);
  }
}
