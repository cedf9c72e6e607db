// Reading with 128-bit NEON vectors.
#include <arm_neon.h>

#include "memory/kernels/read_loop.h"

namespace aibench {
namespace {

struct Neon {
  using Register = uint64x2_t;
  static Register zero() { return vdupq_n_u64(0); }
  static Register add_line(Register c, const char* p) {
    const auto* words = reinterpret_cast<const std::uint64_t*>(p);
    return veorq_u64(veorq_u64(veorq_u64(c, vld1q_u64(words)), veorq_u64(vld1q_u64(words + 2), vld1q_u64(words + 4))),
                     vld1q_u64(words + 6));
  }
  static Register combine(Register a, Register b) { return veorq_u64(a, b); }
  static std::uint64_t fold(Register c) { return vgetq_lane_u64(c, 0) ^ vgetq_lane_u64(c, 1); }
};

}  // namespace

const ReadKernelRow kReadKernel_neon = {"neon", read_lines<Neon>};

}  // namespace aibench
