// The arithmetic of reductions: one row of reductions.inc per dtype and operation, one file per row and ISA in kernels/.
// Algorithms see elements only through this table, so a new dtype or operation is a row and touches none of them.
#pragma once
#include <cstddef>

#include "core/status.h"

namespace aibench {

struct Reduction {
  const char* dtype;
  const char* op;
  const char* isa;
  std::size_t element_bytes;
  // out[i] = a[i] op b[i] for `count` elements; `out` may be `a` or `b`; no alignment is asked for.
  void (*combine)(void* out, const void* a, const void* b, std::size_t count);
  // For elements [begin, begin + count): reduces all inputs, in rank order, into the same place of every output. Outputs
  // are aligned to 64 bytes and `begin` is a whole number of 64-byte lines.
  void (*reduce_to_all)(void* const* outputs, const void* const* inputs, int ranks, std::size_t begin,
                        std::size_t count);
  // The same with stores that go around the caches, fenced at the end; nullptr where the ISA has none.
  void (*reduce_to_all_streaming)(void* const* outputs, const void* const* inputs, int ranks, std::size_t begin,
                                  std::size_t count);
};

#define AIBENCH_REDUCTION(dtype, op, isa) extern const Reduction kReduction_##dtype##_##op##_##isa;
#include "collective/reductions.inc"
#undef AIBENCH_REDUCTION

// The row of `dtype` and `op` for the ISA that core/cpu_features chooses (`isa` empty: AIBENCH_ISA, else the best).
// Fails with UNSUPPORTED_REDUCTION, ISA_UNKNOWN or ISA_UNSUPPORTED.
Status find_reduction(const char* dtype, const char* op, const char* isa, const Reduction** reduction);

}  // namespace aibench
