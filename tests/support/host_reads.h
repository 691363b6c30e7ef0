// Counts operators that make the host wait for a device: those that hand a tensor's value to the host, and
// those whose result has as many elements as values say. On the CPU they cost nothing, but are seen all the
// same.
#pragma once

#include <ATen/record_function.h>

#include <array>
#include <atomic>
#include <memory>
#include <string_view>

namespace uir {

class HostReads {
 public:
  HostReads()
      : handle_(at::addGlobalCallback(at::RecordFunctionCallback(&see).scopes({at::RecordScope::FUNCTION}))) {
    seen() = 0;
  }
  ~HostReads() { at::removeCallback(handle_); }
  HostReads(const HostReads&) = delete;
  HostReads& operator=(const HostReads&) = delete;

  int64_t count() const { return seen(); }

 private:
  static std::atomic<int64_t>& seen() {
    static std::atomic<int64_t> count;
    return count;
  }
  static std::unique_ptr<at::ObserverContext> see(const at::RecordFunction& function) {
    static constexpr std::array<std::string_view, 9> kWaiting{
        "aten::_local_scalar_dense", "aten::equal",   "aten::is_nonzero", "aten::nonzero",
        "aten::masked_select",       "aten::_unique", "aten::_unique2",   "aten::unique_dim",
        "aten::repeat_interleave"};
    for (const std::string_view name : kWaiting) seen() += function.name() == name;
    return nullptr;
  }

  at::CallbackHandle handle_;
};

}  // namespace uir
