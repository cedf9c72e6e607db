// Reading by 64-bit words.
#include "memory/kernels/read_loop.h"

namespace aibench {
namespace {

struct Words {
  using Register = std::uint64_t;
  static Register zero() { return 0; }
  static Register add_line(Register c, const char* p) {
    const volatile std::uint64_t* word = reinterpret_cast<const volatile std::uint64_t*>(p);  // volatile: no vectors
    return c ^ word[0] ^ word[1] ^ word[2] ^ word[3] ^ word[4] ^ word[5] ^ word[6] ^ word[7];
  }
  static Register combine(Register a, Register b) { return a ^ b; }
  static std::uint64_t fold(Register c) { return c; }
};

}  // namespace

const ReadKernelRow kReadKernel_scalar = {"scalar", read_lines<Words>};

}  // namespace aibench
