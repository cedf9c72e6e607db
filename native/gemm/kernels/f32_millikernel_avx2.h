// Millikernels on words of f32: those of f32 itself, and of the dtypes that packing converts to it.
#pragma once
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_A "15"
#define AIBENCH_MILLI_BROADCAST "vbroadcastss"
#define AIBENCH_MILLI_ADD "vaddps"
#define AIBENCH_MILLI_FIRST(c, b) "vmulps %%ymm" #b ", %%ymm15, %%ymm" #c "\n\t"
#define AIBENCH_MILLI_NEXT(c, b) "vfmadd231ps %%ymm" #b ", %%ymm15, %%ymm" #c "\n\t"
#include "gemm/kernels/millikernel_avx2.h"
