// The FMA ceiling that GEMM is held against: independent chains of the kernel's own multiply-add, nothing else.
#pragma once
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

// `isa` may be empty; `narrow_weights` as in choose_microkernel(). Fails with DTYPE_UNKNOWN, ISA_UNKNOWN, ISA_UNSUPPORTED.
Status create_peak_problem(const std::string& dtype, int threads, const std::string& isa,
                           bool narrow_weights, std::unique_ptr<Problem>* problem);

}  // namespace aibench
