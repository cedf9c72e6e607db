// The rows of kernels.inc as data: listing, and the choice of one at run time.
#pragma once
#include <string>
#include <vector>

#include "core/status.h"
#include "gemm/microkernel.h"

namespace aibench {

struct KernelRow {
  const char* name;
  const char* dtype;
  int mr;
  int nr;
  Isa isa;
};
// Every kernel of this build, in the order of kernels.inc.
std::vector<KernelRow> kernel_rows();

// The rows of one dtype, by the type of A (gemm/dtypes.h).
template <typename T>
const std::vector<const Microkernel<T>*>& microkernels();

// The first row for the ISA that choose_isa() settles on; `requested` may be empty. With `narrow_weights`, which promises that B's elements lie in
// kNarrowWeights, the first that makes use of it, if the ISA has one.
template <typename T>
Status choose_microkernel(const std::string& requested, bool narrow_weights, const Microkernel<T>** kernel);

}  // namespace aibench
