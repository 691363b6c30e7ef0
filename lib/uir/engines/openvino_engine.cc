#include "uir/base/error.h"
#include "uir/engines/engine.h"
#include "uir/pixels/pixels.h"

#ifdef UIR_OPENVINO
#include <openvino/openvino.hpp>
#endif

namespace uir {

#ifdef UIR_OPENVINO
namespace {

// Compiled for the number of faces that it was called with last: for any number it would be slower.
class OpenVinoEngine : public Engine {
 public:
  OpenVinoEngine(const fs::path& file, const EngineOptions& options) : file_(file), options_(options) {
    guarded([&] {
      if (options.threads > 0) core_.set_property(ov::inference_num_threads(options.threads));
      model_ = core_.read_model(file.string());
    });
  }

  std::string name() const override { return openvino_name(); }

  std::vector<float> embed(const float* pixels, int64_t n) override {
    std::vector<float> embeddings;
    guarded([&] {
      const ov::Shape shape{static_cast<size_t>(n), 3, static_cast<size_t>(kImageSize),
                            static_cast<size_t>(kImageSize)};
      if (n != batch_) compile(shape);
      request_.set_input_tensor(ov::Tensor(ov::element::f32, shape, const_cast<float*>(pixels)));
      request_.infer();
      const ov::Tensor out =
          options_.output.empty() ? request_.get_output_tensor(0) : request_.get_tensor(options_.output);
      embeddings.assign(out.data<const float>(), out.data<const float>() + out.get_size());
    });
    return embeddings;
  }

 private:
  void compile(const ov::Shape& shape) {
    const std::shared_ptr<ov::Model> model = model_->clone();
    model->reshape(shape);
    request_ = core_
                   .compile_model(
                       model, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                       ov::hint::inference_precision(options_.bf16 ? ov::element::bf16 : ov::element::f32))
                   .create_infer_request();
    batch_ = static_cast<int64_t>(shape[0]);
  }

  template <class Body>
  void guarded(const Body& body) const {
    try {
      body();
    } catch (const ov::Exception& e) {
      const std::string text = e.what();
      fail(ErrorKind::kData, file_.string(), ": ", name(),
           " cannot run it: ", text.substr(0, text.find('\n')));
    }
  }

  fs::path file_;
  EngineOptions options_;
  ov::Core core_;
  std::shared_ptr<ov::Model> model_;
  ov::InferRequest request_;
  int64_t batch_ = 0;
};

}  // namespace

// "2026.4.1-…" up to the build's number.
std::string openvino_name() {
  const std::string build = ov::get_openvino_version().buildNumber;
  return "OpenVINO " + build.substr(0, build.find('-'));
}

std::unique_ptr<Engine> openvino_engine(const fs::path& onnx_file, const EngineOptions& options) {
  return std::make_unique<OpenVinoEngine>(onnx_file, options);
}
#else
std::string openvino_name() { return ""; }

std::unique_ptr<Engine> openvino_engine(const fs::path& onnx_file, const EngineOptions&) {
  fail(ErrorKind::kConfig, onnx_file.string(), ": this build has no OpenVINO (docs/building.md)");
}
#endif

}  // namespace uir
