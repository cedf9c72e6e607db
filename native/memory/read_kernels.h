// Reading as fast as a core can: every line of a range is loaded and folded into one word, once per ISA.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench {

// Four lines of 64 bytes per step, `apart` bytes from each other, for `steps` steps of `step` bytes; begin is aligned to
// 64 bytes. With `ahead` > 0 each line is prefetched by so many bytes. Answers the exclusive or of all 64-bit words read.
using ReadKernel = std::uint64_t (*)(const char* begin, std::ptrdiff_t apart, std::ptrdiff_t step, std::size_t steps,
                                     std::ptrdiff_t ahead);

struct ReadKernelRow {
  const char* isa;
  ReadKernel read;
};

// The rows are those of the STREAM kernels: stream_kernels.inc.
#define AIBENCH_STREAM_KERNELS(isa) extern const ReadKernelRow kReadKernel_##isa;
#include "memory/stream_kernels.inc"
#undef AIBENCH_STREAM_KERNELS

}  // namespace aibench
