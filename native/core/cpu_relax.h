// The instruction that tells a core that it is in a spin loop.
#pragma once

namespace aibench {

inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // yield is a no-op on most cores; isb is what really pauses
#endif
}

}  // namespace aibench
