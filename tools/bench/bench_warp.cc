// The warp of alignment against OpenCV's.
//
//   bench_warp [rounds]
//
// Each round warps the same 200 faces, of photos of 250 and of 1000 pixels, with both; the ratio of a
// round is ours / OpenCV's [time], and the median over the rounds is what counts (target 1.1).
#include <cstdlib>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "timing.h"
#include "uir/base/json.h"
#include "uir/images/warp.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

Json measure(int side, int rounds) {
  RgbImage image{{side, side}, std::vector<uint8_t>(static_cast<size_t>(side * side * 3))};
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
  const double scale = 150.0 / side, turn = 0.1;
  const Similarity s{scale * std::cos(turn), scale * std::sin(turn), -10, -25};
  const cv::Mat view(side, side, CV_8UC3, image.pixels.data());
  const cv::Matx23d matrix(s.a, -s.b, s.tx, s.b, s.a, s.ty);
  cv::Mat out(112, 112, CV_8UC3);
  std::vector<uint8_t> rgb(kImageBytes);
  cv::setNumThreads(1);
  std::vector<double> ours, ratio;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(cost_of([&] {
                     for (int i = 0; i < 200; ++i) warp(image, s, rgb.data());
                   }).seconds);
    const double theirs =
        cost_of([&] {
          for (int i = 0; i < 200; ++i)
            cv::warpAffine(view, out, matrix, out.size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
        }).seconds;
    ratio.push_back(ours.back() / theirs);
  }
  double sum = 0, worst = 0;
  for (size_t i = 0; i < kImageBytes; ++i) {
    const double difference = std::abs(rgb[i] - out.data[i]);
    sum += difference;
    worst = std::max(worst, difference);
  }
  return {{"side", side},
          {"us_per_face", 1e6 / 200 * median(ours)},
          {"ratio", median(ratio)},
          {"mean_difference", sum / static_cast<double>(kImageBytes)},
          {"largest_difference", worst}};
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  std::cout << uir::Json{uir::measure(250, rounds), uir::measure(1000, rounds)}.dump(2) << "\n";
}
