#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>

#include "uir/base/error.h"
#include "uir/engines/engine.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

class OpenCvEngine : public Engine {
 public:
  OpenCvEngine(const fs::path& file, const EngineOptions& options) : file_(file), output_(options.output) {
    guarded([&] {
      if (options.threads > 0) cv::setNumThreads(options.threads);
      net_ = cv::dnn::readNetFromONNX(file.string());
      net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
      net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
      if (!options.plain) return;
      // OpenCV 4.10 computes another network when it joins the layers of a wide MobileFaceNet.
      net_.enableFusion(false);
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 7
      net_.enableWinograd(false);  // whose sums are less exact
#endif
    });
  }

  std::string name() const override { return opencv_name(); }

  std::vector<float> embed(const float* pixels, int64_t n) override {
    std::vector<float> embeddings;
    guarded([&] {
      const std::vector<int> sizes{static_cast<int>(n), 3, static_cast<int>(kImageSize),
                                   static_cast<int>(kImageSize)};
      net_.setInput(cv::Mat(sizes, CV_32F, const_cast<float*>(pixels)));
      const cv::Mat out = output_.empty() ? net_.forward() : net_.forward(output_);
      if (out.type() != CV_32F || !out.isContinuous())
        throw cv::Exception(0, "its output is not float32", "", "", 0);
      embeddings.assign(out.ptr<float>(), out.ptr<float>() + out.total());
    });
    return embeddings;
  }

 private:
  template <class Body>
  void guarded(const Body& body) const {
    try {
      body();
    } catch (const cv::Exception& e) {
      fail(ErrorKind::kData, file_.string(), ": ", name(), " cannot run it: ", e.what());
    }
  }

  fs::path file_;
  std::string output_;
  cv::dnn::Net net_;
};

}  // namespace

std::string opencv_name() { return concat("OpenCV ", CV_VERSION); }

std::unique_ptr<Engine> opencv_engine(const fs::path& onnx_file, const EngineOptions& options) {
  return std::make_unique<OpenCvEngine>(onnx_file, options);
}

}  // namespace uir
