// AVX-512 on SIMDe's emulated intrinsics, parsed once for all the kernels that are checked on them.
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
