# One line per ISA: name, architecture, compiler flags. A file named *_<name>.cc in a kernels/ folder gets exactly these
# flags; everything else is built for the base (x86-64-v2 or armv8-a).
set(AIBENCH_ISA_x86_64 avx2 avxvnni avx512f avx512vnni avx512bf16 amxint8 amxbf16 amxfp16)
set(AIBENCH_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(AIBENCH_ISA_FLAGS_avx512f -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
set(AIBENCH_ISA_FLAGS_avxvnni ${AIBENCH_ISA_FLAGS_avx2} -mavxvnni)
set(AIBENCH_ISA_FLAGS_avx512vnni ${AIBENCH_ISA_FLAGS_avx512f} -mavx512vnni)
set(AIBENCH_ISA_FLAGS_avx512bf16 ${AIBENCH_ISA_FLAGS_avx512f} -mavx512bf16)
# The tile instructions are asm, which needs no flag.
set(AIBENCH_ISA_aarch64 neon neondot neonbf16 neoni8mm sve256 sve512)
# SME's instructions are asm too, but assemblers have known them from 2022 on.
set(AIBENCH_ISA_FLAGS_sme512 -march=armv8-a)
set(AIBENCH_ISA_FLAGS_sme512f64 ${AIBENCH_ISA_FLAGS_sme512})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  include(CheckCXXSourceCompiles)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  check_cxx_source_compiles([[void f() { asm volatile(".arch_extension sme; .arch_extension sme-f64; smstart"); }]] AIBENCH_ASSEMBLES_SME)
  unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
  if(AIBENCH_ASSEMBLES_SME)
    list(APPEND AIBENCH_ISA_aarch64 sme512 sme512f64)
  endif()
endif()
set(AIBENCH_ISA_FLAGS_neondot -march=armv8.2-a+dotprod)
set(AIBENCH_ISA_FLAGS_neonbf16 -march=armv8.2-a+bf16)
set(AIBENCH_ISA_FLAGS_neoni8mm -march=armv8.2-a+dotprod+i8mm)
set(AIBENCH_ISA_FLAGS_sve256 -march=armv8.2-a+sve -msve-vector-bits=256)
set(AIBENCH_ISA_FLAGS_sve512 -march=armv8.2-a+sve -msve-vector-bits=512)
set(AIBENCH_ISA_FLAGS_neon -march=armv8-a)

# With all 16 registers in use, GCC's default allocator spills accumulators in the innermost loop; this one does not
# (docs/kernels.md).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND AIBENCH_ISA_FLAGS_avx2 -fira-algorithm=priority -frename-registers)
  list(APPEND AIBENCH_ISA_FLAGS_avxvnni -fira-algorithm=priority -frename-registers)
  # False alarms inside GCC's own avx512fintrin.h (GCC bug 105593).
  foreach(isa avx512f avx512vnni avx512bf16)
    list(APPEND AIBENCH_ISA_FLAGS_${isa} -Wno-maybe-uninitialized -Wno-uninitialized)
  endforeach()
endif()
