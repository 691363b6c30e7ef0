#include "uir/formats/pytorch_pickle.h"

#include <limits>
#include <string_view>

#include "uir/base/error.h"

namespace uir {
namespace {

class PickleWriter {
 public:
  PickleWriter() { bytes_ = "\x80\x02"; }  // PROTO 2

  void op(char opcode) { bytes_.push_back(opcode); }
  void global(std::string_view module, std::string_view name) {
    bytes_ += concat('c', module, '\n', name, '\n');
  }
  void text(std::string_view value) {
    op('X');  // BINUNICODE
    little_endian(value.size(), 4);
    bytes_.append(value);
  }
  void number(int64_t value) {
    const bool is_short = value >= 0 && value <= std::numeric_limits<int32_t>::max();
    op(is_short ? 'J' : '\x8a');  // BININT, LONG1
    if (!is_short) op('\x08');
    little_endian(static_cast<uint64_t>(value), is_short ? 4 : 8);
  }
  void tuple(const std::vector<int64_t>& values) {
    op('(');
    for (const int64_t value : values) number(value);
    op('t');
  }
  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    op(')');  // EMPTY_TUPLE
    op('R');  // REDUCE
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void little_endian(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) op(static_cast<char>(value >> (8 * i)));
  }
  std::string bytes_;
};

std::string_view storage_class(const TensorInfo& tensor) {
  if (tensor.type == TensorType::kFloat32) return "FloatStorage";
  if (tensor.type == TensorType::kInt64) return "LongStorage";
  fail(ErrorKind::kInternal, "a state dict's tensor '", tensor.name, "' is ", type_name(tensor.type));
}

int64_t num_elements(const TensorInfo& tensor) {
  return static_cast<int64_t>(byte_size(tensor).value() / element_size(tensor.type));
}

std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// _rebuild_tensor_v2(persistent storage, offset, shape, strides, requires_grad, backward hooks)
void write_tensor(PickleWriter& out, const TensorInfo& tensor, size_t position) {
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.op('(');
  out.op('(');
  out.text("storage");
  out.global("torch", storage_class(tensor));
  out.text(std::to_string(position));
  out.text("cpu");
  out.number(num_elements(tensor));
  out.op('t');
  out.op('Q');  // BINPERSID
  out.number(0);
  out.tuple(tensor.shape);
  out.tuple(contiguous_strides(tensor.shape));
  out.op('\x89');  // NEWFALSE
  out.empty_ordered_dict();
  out.op('t');
  out.op('R');
}

}  // namespace

std::string pytorch_state_pickle(const std::vector<TensorInfo>& tensors) {
  PickleWriter out;
  out.empty_ordered_dict();
  out.op('(');
  for (size_t i = 0; i < tensors.size(); ++i) {
    out.text(tensors[i].name);
    write_tensor(out, tensors[i], i);
  }
  out.op('u');  // SETITEMS
  out.op('.');  // STOP
  return out.bytes();
}

}  // namespace uir
