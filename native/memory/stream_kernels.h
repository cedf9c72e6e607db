// The four STREAM kernels, once per ISA. Every function writes `count` doubles to `out`, which is aligned to 64 bytes,
// reads as many from `x` and, for add and triad, from `y` (aligned alike), and multiplies by `scalar` where STREAM does:
//   copy  out = x            scale  out = scalar * x
//   add   out = x + y        triad  out = x + scalar * y
#pragma once
#include <cstddef>

namespace aibench {

enum StreamKernelIndex { kStreamCopy, kStreamScale, kStreamAdd, kStreamTriad, kStreamKernelCount };

using StreamKernel = void (*)(double* out, const double* x, const double* y, double scalar, std::size_t count);

struct StreamKernelSet {
  const char* isa;
  StreamKernel cached[kStreamKernelCount];
  // With stores that go around the caches, fenced at the end; nullptr where the ISA has none.
  StreamKernel streaming[kStreamKernelCount];
};

// One per row of stream_kernels.inc.
#define AIBENCH_STREAM_KERNELS(isa) extern const StreamKernelSet kStreamKernels_##isa;
#include "memory/stream_kernels.inc"
#undef AIBENCH_STREAM_KERNELS

}  // namespace aibench
