#include "uir/export/torch_files.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/export.h>

#include <cstring>
#include <exception>
#include <functional>
#include <sstream>

#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/formats/pytorch_pickle.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

using ByteSink = std::function<size_t(const void*, size_t)>;

// Runs write with a sink into the file. A sink that failed goes on as if it wrote: LibTorch's writers, told
// of a failure, try once more in their destructors, and what they throw there ends the process.
void write_archive(OutputFile& out, const std::function<void(const ByteSink&)>& write) {
  std::exception_ptr failed_write;
  const ByteSink sink = [&](const void* data, size_t size) -> size_t {
    if (failed_write) return size;
    try {
      out.write(Bytes(static_cast<const std::byte*>(data), size));
      return size;
    } catch (...) {
      failed_write = std::current_exception();
      return size;
    }
  };
  try {
    write(sink);
  } catch (const c10::Error& e) {
    fail(ErrorKind::kInternal, out.path().string(), ": ", e.what_without_backtrace());
  }
  if (failed_write) std::rethrow_exception(failed_write);
}

// A tree of modules grown from dotted names.
class ModuleTree {
 public:
  torch::jit::Module& root() { return module_of(""); }

  void add(const std::string& name, const at::Tensor& tensor) {
    const size_t dot = name.rfind('.');
    const bool nested = dot != std::string::npos;
    torch::jit::Module& parent = module_of(nested ? name.substr(0, dot) : "");
    const std::string leaf = nested ? name.substr(dot + 1) : name;
    const bool is_buffer = leaf.starts_with("running_") || leaf == "num_batches_tracked";
    parent.register_parameter(leaf, tensor.detach(), is_buffer);
  }

 private:
  torch::jit::Module& module_of(const std::string& name) {
    const auto found = modules_.find(name);
    if (found != modules_.end()) return found->second;
    const std::string type = "__torch__.uir." + (name.empty() ? "Network" : type_name(name));
    torch::jit::Module module{c10::QualifiedName(type), unit_};
    module.register_attribute("training", c10::BoolType::get(), false);
    if (!name.empty()) {
      const size_t dot = name.rfind('.');
      const bool nested = dot != std::string::npos;
      module_of(nested ? name.substr(0, dot) : "")
          .register_module(nested ? name.substr(dot + 1) : name, module);
    }
    return modules_.emplace(name, std::move(module)).first->second;
  }
  static std::string type_name(std::string name) {
    for (char& c : name) c = c == '.' ? '_' : c;
    return name;
  }

  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  std::map<std::string, torch::jit::Module> modules_;
};

// "layer1.0.conv1" as an expression: getattr(self.layer1, "0").conv1
std::string attribute(const std::string& name) {
  std::string expression = "self";
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '.');) {
    const bool is_number = part.find_first_not_of("0123456789") == std::string::npos;
    expression =
        is_number ? concat("getattr(", expression, ", \"", part, "\")") : concat(expression, ".", part);
  }
  return expression;
}

std::string pair_of(int64_t value) { return concat("[", value, ", ", value, "]"); }

// The operation as an expression of TorchScript.
std::string expression(const Op& op, const std::vector<std::string>& x) {
  const std::string self = attribute(op.name);
  const std::string bias = op.bias ? self + ".bias" : "None";
  switch (op.kind) {
    case OpKind::kNormalize:
      return concat("(", x[0], " - ", kPixelMiddle, ") / ", kPixelMiddle);
    case OpKind::kConv:
      return concat("torch.conv2d(", x[0], ", ", self, ".weight, ", bias, ", ", pair_of(op.stride), ", ",
                    pair_of(op.padding), ", [1, 1], ", op.groups, ")");
    case OpKind::kBatchNorm:
      return concat("torch.batch_norm(", x[0], ", ", self, ".weight, ", self, ".bias, ", self,
                    ".running_mean, ", self, ".running_var, False, ", kBatchNormMomentum, ", ",
                    kBatchNormEpsilon, ", True)");
    case OpKind::kPReLU:
      return concat("torch.prelu(", x[0], ", ", self, ".weight)");
    case OpKind::kAdd:
      return concat(x[0], " + ", x[1]);
    case OpKind::kFlatten:
      return concat("torch.flatten(", x[0], ", 1)");
    case OpKind::kLinear:
      return concat("torch.linear(", x[0], ", ", self, ".weight, ", bias, ")");
  }
  fail(ErrorKind::kInternal, "no such operation");
}

std::string source(const NetworkGraph& graph) {
  std::string text = "def forward(self, data: Tensor) -> Tensor:\n";
  const auto variable = [](int64_t value) {
    return value == kNetworkInput ? std::string("data") : concat("x", value);
  };
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    std::vector<std::string> inputs;
    for (const int64_t input : graph.ops[i].inputs) inputs.push_back(variable(input));
    text += concat("  x", i, " = ", expression(graph.ops[i], inputs), "\n");
  }
  return text + concat("  return x", graph.ops.size() - 1, "\n");
}

torch::jit::Module torch_script(const NetworkGraph& graph) {
  ModuleTree tree;
  for (const auto& [name, tensor] : graph.tensors) tree.add(name, tensor);
  tree.root().define(source(graph));
  return tree.root();
}

constexpr const char* kPickleEntry = "data.pkl";
std::string values_entry(size_t i) { return "data/" + std::to_string(i); }

Bytes bytes_of(const at::Tensor& tensor) {
  ensure(tensor.is_contiguous() && tensor.is_cpu(), "exported tensors are contiguous");
  return {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

std::string pickle_of(const NamedState& state) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, tensor] : state) {
    const bool is_float = tensor.scalar_type() == at::kFloat;
    ensure(is_float || tensor.scalar_type() == at::kLong, "exported tensors are float32 or int64");
    infos.push_back({name, is_float ? TensorType::kFloat32 : TensorType::kInt64, tensor.sizes().vec()});
  }
  return pytorch_state_pickle(infos);
}

void check_entry(caffe2::serialize::PyTorchStreamReader& archive, const std::string& name, Bytes expected,
                 const fs::path& file) {
  const auto [data, size] = archive.getRecord(name);
  if (size != expected.size() || std::memcmp(data.get(), expected.data(), size) != 0) {
    fail(ErrorKind::kData, file.string(), ": entry ", name, " differs from what was written");
  }
}

}  // namespace

void write_torch_script(const NetworkGraph& graph, const std::map<std::string, std::string>& metadata,
                        OutputFile& out) {
  write_archive(out, [&](const ByteSink& sink) {
    torch::jit::ExportModule(torch_script(graph), sink, {{"metadata.json", Json(metadata).dump(2)}});
  });
}

void write_state_dict(const NamedState& state, OutputFile& out) {
  const std::string pickle = pickle_of(state);
  write_archive(out, [&](const ByteSink& sink) {
    caffe2::serialize::PyTorchStreamWriter archive(sink);
    archive.writeRecord(kPickleEntry, pickle.data(), pickle.size());
    for (size_t i = 0; i < state.size(); ++i) {
      const Bytes values = bytes_of(state[i].second);
      archive.writeRecord(values_entry(i), values.data(), values.size());
    }
    archive.writeEndOfFile();
  });
}

void check_state_dict(const NamedState& state, const fs::path& file) {
  try {
    caffe2::serialize::PyTorchStreamReader archive(file.string());
    check_entry(archive, kPickleEntry, as_bytes(pickle_of(state)), file);
    for (size_t i = 0; i < state.size(); ++i)
      check_entry(archive, values_entry(i), bytes_of(state[i].second), file);
  } catch (const c10::Error& e) {
    fail(ErrorKind::kData, file.string(), ": cannot be read back: ", e.what_without_backtrace());
  }
}

}  // namespace uir
