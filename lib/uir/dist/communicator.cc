#include "uir/dist/communicator.h"

#include <ATen/ops/full.h>
#include <ATen/ops/max.h>
#include <ATen/ops/zeros.h>

#include <cstring>
#include <exception>

#include "uir/base/error.h"

namespace uir {

Communicator::Communicator() = default;
Communicator::~Communicator() = default;

void Communicator::all_reduce_sum(at::Tensor&) const {}
at::Tensor Communicator::all_gather_rows(const at::Tensor& rows) const { return rows; }
at::Tensor Communicator::reduce_scatter_rows(const at::Tensor& rows) const { return rows; }

std::shared_ptr<const Communicator> Communicator::another() const { return std::make_shared<Communicator>(); }

int64_t Communicator::sum(int64_t value) const {
  at::Tensor tensor = at::full({1}, value, at::kLong);
  all_reduce_sum(tensor);
  return *tensor.data_ptr<int64_t>();
}

void run_as_rank(const Communicator& communicator, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    // Who ends because of another rank has no reason of its own, and a stop on request is no failure.
    if (error.kind() == ErrorKind::kRankLost || error.kind() == ErrorKind::kStopped ||
        communicator.announce_failure(error.what()))
      throw;
    fail(error.kind(), "ends with the same error as another rank");
  } catch (const std::exception& error) {
    communicator.announce_failure(error.what());
    throw;
  }
}

std::vector<std::string> all_gather_bytes(const Communicator& communicator, std::string_view bytes) {
  // Whole int64 words: what every backend carries.
  const auto words_of = [](int64_t size) { return (size + 7) / 8; };
  const at::Tensor sizes =
      communicator.all_gather_rows(at::full({1}, static_cast<int64_t>(bytes.size()), at::kLong));
  const int64_t longest = sizes.max().item<int64_t>();
  at::Tensor mine = at::zeros({1, words_of(longest)}, at::kLong);
  std::memcpy(mine.data_ptr<int64_t>(), bytes.data(), bytes.size());
  const at::Tensor all = communicator.all_gather_rows(mine);
  std::vector<std::string> result;
  for (int64_t rank = 0; rank < communicator.size(); ++rank) {
    const auto* begin = reinterpret_cast<const char*>(all.data_ptr<int64_t>() + rank * words_of(longest));
    result.emplace_back(begin, static_cast<size_t>(sizes[rank].item<int64_t>()));
  }
  return result;
}

}  // namespace uir
