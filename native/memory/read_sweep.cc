#include "memory/read_sweep.h"

#include <cstring>
#include <vector>

#include "core/cpu_features.h"

namespace aibench {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kLines = 4;  // of a step

struct Pattern {
  const char* name;
  bool streams;  // four of them, else one
  std::ptrdiff_t ahead;
};
// The distances are those that were best on Zen 3 and, the last, on Zen 4 (docs/kernels.md).
constexpr Pattern kPatterns[kReadPatterns] = {{"one stream", false, 0},
                                              {"four streams", true, 0},
                                              {"one stream, prefetched", false, 2048},
                                              {"four streams, prefetched", true, 512},
                                              {"four streams, prefetched late", true, 256}};

const ReadKernelRow* const kRows[] = {
#define AIBENCH_STREAM_KERNELS(isa) &kReadKernel_##isa,
#include "memory/stream_kernels.inc"
#undef AIBENCH_STREAM_KERNELS
};

}  // namespace

const char* read_pattern_name(int pattern) { return kPatterns[pattern].name; }

std::uint64_t read_sweep(const ReadKernelRow& kernel, int pattern, const char* begin, std::size_t bytes,
                         std::size_t* bytes_read) {
  const std::size_t steps = bytes / (kLine * kLines);
  *bytes_read = steps * kLine * kLines;
  const Pattern& p = kPatterns[pattern];
  const auto line = static_cast<std::ptrdiff_t>(kLine);
  if (p.streams) return kernel.read(begin, static_cast<std::ptrdiff_t>(steps) * line, line, steps, p.ahead);
  return kernel.read(begin, line, static_cast<std::ptrdiff_t>(kLines) * line, steps, p.ahead);
}

Status choose_read_kernel(const std::string& isa, const ReadKernelRow** kernel) {
  std::vector<Isa> built;
  for (const ReadKernelRow* row : kRows) {
    Isa known;
    if (parse_isa(row->isa, &known)) built.push_back(known);
  }
  Isa chosen;
  Status status = choose_isa(isa, built, &chosen);
  for (const ReadKernelRow* row : kRows) {
    if (status.ok() && std::strcmp(row->isa, isa_name(chosen)) == 0) *kernel = row;
  }
  return status;
}

}  // namespace aibench
