# One line per ISA: name, architecture, compiler flags. A file named *_<name>.cc in a kernels/ folder gets exactly these
# flags; everything else is built for the base (x86-64-v2 or armv8-a).
set(AIBENCH_ISA_x86_64 avx2 avx512f)
set(AIBENCH_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(AIBENCH_ISA_FLAGS_avx512f -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
set(AIBENCH_ISA_aarch64 neon)
set(AIBENCH_ISA_FLAGS_neon -march=armv8-a)

# With all 16 registers in use, GCC's default allocator spills accumulators in the innermost loop; this one does not
# (docs/kernels.md).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND AIBENCH_ISA_FLAGS_avx2 -fira-algorithm=priority)
  # False alarms inside GCC's own avx512fintrin.h (GCC bug 105593).
  list(APPEND AIBENCH_ISA_FLAGS_avx512f -Wno-maybe-uninitialized -Wno-uninitialized)
endif()
