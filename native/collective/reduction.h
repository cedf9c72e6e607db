// The arithmetic of reductions: a row of reductions.inc per ISA, one file per row in kernels/, which holds every dtype and
// operation. Algorithms see elements only through this table, so a new dtype or operation touches none of them.
#pragma once
#include <cstddef>
#include <string>

#include "core/status.h"

namespace aibench {

// f16 and bf16 are reduced in f32 and rounded to nearest even when they are stored; integers wrap.
struct Reduction {
  const char* dtype;
  const char* op;
  const char* isa;
  std::size_t element_bytes;
  // out[i] = a[i] op b[i] for `count` elements; `out` may be `a` or `b`; no alignment is asked for.
  void (*combine)(void* out, const void* a, const void* b, std::size_t count);
  // For elements [begin, begin + count): reduces all inputs, in order, into the same place of every output. Outputs are
  // aligned to 64 bytes and `begin` is a whole number of 64-byte lines. An output may be one of the inputs.
  using Reduce = void (*)(void* const* outputs, int output_count, const void* const* inputs, int input_count,
                          std::size_t begin, std::size_t count);
  Reduce reduce;
  // The same with stores that go around the caches, fenced at the end; nullptr where the ISA has none.
  Reduce reduce_streaming;
  // Copies `bytes` with such stores, fenced at the end; `out` is aligned to 64 bytes. nullptr where the ISA has none.
  void (*copy_streaming)(void* out, const void* in, std::size_t bytes);
};

// The rows of one ISA, ended by a row without a dtype.
#define AIBENCH_REDUCTIONS(isa) extern const Reduction kReductions_##isa[];
#include "collective/reductions.inc"
#undef AIBENCH_REDUCTIONS

// The row of `dtype` and `op` for the ISA that core/cpu_features chooses (`isa` empty: AIBENCH_ISA, else the best).
// Fails with UNSUPPORTED_REDUCTION, ISA_UNKNOWN or ISA_UNSUPPORTED.
Status find_reduction(const std::string& dtype, const std::string& op, const std::string& isa,
                      const Reduction** reduction);

}  // namespace aibench
