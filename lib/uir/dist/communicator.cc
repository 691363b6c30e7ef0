#include "uir/dist/communicator.h"

namespace uir {

Communicator::Communicator() = default;
Communicator::~Communicator() = default;

void Communicator::all_reduce_sum(at::Tensor&) const {}
at::Tensor Communicator::all_gather_rows(const at::Tensor& rows) const { return rows; }
at::Tensor Communicator::reduce_scatter_rows(const at::Tensor& rows) const { return rows; }

}  // namespace uir
