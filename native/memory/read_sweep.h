// One pass over a piece of memory, in one of several ways: what is fastest differs between caches and memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/status.h"
#include "memory/read_kernels.h"

namespace aibench {

// The ways, by number: 0 one stream, 1 four streams, the others with prefetches.
constexpr int kReadPatterns = 5;
const char* read_pattern_name(int pattern);

// Reads [begin, begin + bytes), begin aligned to 64 bytes, whole groups of four lines only: at most 255 bytes at the end are
// left out. Answers the exclusive or of the 64-bit words read and, in *bytes_read, how much that was.
std::uint64_t read_sweep(const ReadKernelRow& kernel, int pattern, const char* begin, std::size_t bytes,
                         std::size_t* bytes_read);

// Fails with ISA_UNKNOWN or ISA_UNSUPPORTED; `isa` may be empty.
Status choose_read_kernel(const std::string& isa, const ReadKernelRow** kernel);

}  // namespace aibench
