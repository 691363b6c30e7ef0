// Detectors of faces against OpenCV's FaceDetectorYN, on one thread.
//
//   bench_detector DETECTOR.onnx [rounds]
//
// Each round looks at the same picture with every set of kernels and with OpenCV, where that runs the file;
// the ratio of a round is OpenCV's / ours [time], and the median over the rounds is what counts (target 3).
#include <cstdlib>
#include <iostream>
#include <memory>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <vector>

#include "timing.h"
#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/yunet/yunet.h"

namespace uir {
namespace {

constexpr float kMinScore = 0.6f;
constexpr int kCalls = 4;

// Multiplications and additions of a picture that the trunk can halve without rest.
double operations(const YuNetNetwork& network, double width, double height) {
  const auto of_units = [](const std::vector<YuNetUnit>& units) {
    double sum = 0;
    for (const YuNetUnit& unit : units)
      sum += static_cast<double>(unit.out_blocks * kBlock * (unit.in_blocks * kBlock + 9));
    return sum;
  };
  double sum = width * height / 4 * 27 * kBlock;
  for (size_t i = 0; i < network.stages.size(); ++i) {
    double per_pixel = of_units(network.stages[i]);
    if (i >= kFirstBranch) {
      const YuNetBranch& branch = network.branches[i - kFirstBranch];
      per_pixel += of_units(branch.neck) + of_units(branch.head);
    }
    sum += per_pixel * width * height / static_cast<double>(4 << (2 * i));
  }
  return 2 * sum;
}

cv::Mat drawn_picture(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  cv::RNG random(1);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  cv::GaussianBlur(picture, picture, {9, 9}, 3);
  return picture;
}

// Null where this OpenCV does not run the file.
cv::Ptr<cv::FaceDetectorYN> opencv_detector(const std::string& path, const cv::Mat& picture) {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    cv::Ptr<cv::FaceDetectorYN> detector =
        cv::FaceDetectorYN::create(path, "", picture.size(), kMinScore, 0.3f, 5000);
    cv::Mat faces;
    detector->detect(picture, faces);
    return detector;
  } catch (const cv::Exception&) {
    return {};
  }
}

template <class Call>
double ms_of(const Call& call) {
  return 1e3 / kCalls * cost_of([&] {
                          for (int i = 0; i < kCalls; ++i) call();
                        }).seconds;
}

Json measure(const std::string& path, const std::shared_ptr<const YuNetNetwork>& network, cv::Size size,
             int rounds) {
  const cv::Mat picture = drawn_picture(size);
  const cv::Ptr<cv::FaceDetectorYN> theirs = opencv_detector(path, picture);
  std::vector<YuNet> ours;
  for (const YuNetKernels& kernels : yunet_kernels()) ours.emplace_back(network, kernels);
  std::vector<std::vector<double>> ms(ours.size()), ratios(ours.size());
  std::vector<double> their_ms;
  cv::Mat faces;
  for (int round = 0; round < rounds; ++round) {
    if (theirs) their_ms.push_back(ms_of([&] { theirs->detect(picture, faces); }));
    for (size_t i = 0; i < ours.size(); ++i) {
      ms[i].push_back(ms_of([&] { ours[i].detect(picture.data, size.width, size.height, kMinScore); }));
      if (theirs) ratios[i].push_back(their_ms.back() / ms[i].back());
    }
  }
  const double count = operations(*network, size.width, size.height);
  Json result{{"width", size.width}, {"height", size.height}, {"gflop", count / 1e9}};
  if (theirs) result["opencv_ms"] = median(their_ms);
  for (size_t i = 0; i < ours.size(); ++i) {
    Json& own = result[yunet_kernels()[i].name];
    own = {{"ms", median(ms[i])}, {"gflop_per_s", count / 1e6 / median(ms[i])}};
    if (theirs) own["ratio"] = median(ratios[i]);
  }
  return result;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "bench_detector DETECTOR.onnx [rounds]\n";
    return 64;
  }
  try {
    cv::setNumThreads(1);
    const auto network = std::make_shared<const uir::YuNetNetwork>(uir::read_yunet(argv[1]));
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 25;
    uir::Json results = uir::Json::array();
    for (const cv::Size size : {cv::Size(640, 360), {320, 320}, {96, 96}})
      results.push_back(uir::measure(argv[1], network, size, rounds));
    std::cout << results.dump(2) << "\n";
  } catch (const uir::Error& error) {
    std::cerr << error.what() << "\n";
    return error.exit_code();
  }
}
