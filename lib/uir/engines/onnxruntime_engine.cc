#include <array>

#include "uir/base/error.h"
#include "uir/engines/engine.h"
#include "uir/pixels/pixels.h"

#ifdef UIR_ONNXRUNTIME
#define ORT_API_MANUAL_INIT  // a library older than its headers is refused by name
#include <onnxruntime_cxx_api.h>
#endif

namespace uir {

#ifdef UIR_ONNXRUNTIME
namespace {

Ort::SessionOptions session_options(const EngineOptions& options) {
  Ort::SessionOptions session;
  if (options.threads > 0) session.SetIntraOpNumThreads(options.threads);
  session.SetInterOpNumThreads(1);
  session.SetGraphOptimizationLevel(GraphOptimizationLevel::ORT_ENABLE_ALL);
  return session;
}

class OnnxRuntimeEngine : public Engine {
 public:
  OnnxRuntimeEngine(const fs::path& file, const EngineOptions& options)
      : file_(file), output_(options.output) {
    const OrtApi* api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (api == nullptr)
      fail(ErrorKind::kConfig, onnxruntime_name(), " is older than 1.", ORT_API_VERSION,
           ", whose headers this build has (docs/building.md)");
    Ort::InitApi(api);
    guarded([&] {
      environment_ = Ort::Env(ORT_LOGGING_LEVEL_ERROR, "uir");
      session_ = Ort::Session(environment_, file.c_str(), session_options(options));
      const Ort::AllocatorWithDefaultOptions allocator;
      input_ = session_.GetInputNameAllocated(0, allocator).get();
      if (output_.empty()) output_ = session_.GetOutputNameAllocated(0, allocator).get();
    });
  }

  std::string name() const override { return onnxruntime_name(); }

  std::vector<float> embed(const float* pixels, int64_t n) override {
    std::vector<float> embeddings;
    guarded([&] {
      const std::array<int64_t, 4> shape{n, 3, kImageSize, kImageSize};
      const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
      const Ort::Value in = Ort::Value::CreateTensor<float>(
          memory, const_cast<float*>(pixels), static_cast<size_t>(n * 3 * kImageSize * kImageSize),
          shape.data(), shape.size());
      const char *input = input_.c_str(), *output = output_.c_str();
      const std::vector<Ort::Value> out = session_.Run(Ort::RunOptions(nullptr), &input, &in, 1, &output, 1);
      const Ort::TensorTypeAndShapeInfo facts = out[0].GetTensorTypeAndShapeInfo();
      if (facts.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
        throw Ort::Exception("its output is not float32", ORT_INVALID_ARGUMENT);
      const float* found = out[0].GetTensorData<float>();
      embeddings.assign(found, found + facts.GetElementCount());
    });
    return embeddings;
  }

 private:
  template <class Body>
  void guarded(const Body& body) const {
    try {
      body();
    } catch (const Ort::Exception& e) {
      const std::string text = e.what();
      fail(ErrorKind::kData, file_.string(), ": ", name(),
           " cannot run it: ", text.substr(0, text.find('\n')));
    }
  }

  fs::path file_;
  std::string input_, output_;
  Ort::Env environment_{nullptr};
  Ort::Session session_{nullptr};
};

}  // namespace

std::string onnxruntime_name() { return concat("ONNX Runtime ", OrtGetApiBase()->GetVersionString()); }

std::unique_ptr<Engine> onnxruntime_engine(const fs::path& onnx_file, const EngineOptions& options) {
  return std::make_unique<OnnxRuntimeEngine>(onnx_file, options);
}
#else
std::string onnxruntime_name() { return ""; }

std::unique_ptr<Engine> onnxruntime_engine(const fs::path& onnx_file, const EngineOptions&) {
  fail(ErrorKind::kConfig, onnx_file.string(), ": this build has no ONNX Runtime (docs/building.md)");
}
#endif

}  // namespace uir
