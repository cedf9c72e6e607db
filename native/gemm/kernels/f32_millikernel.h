// Millikernels on words of f32: those of f32 itself, and of the dtypes that packing converts to it.
#pragma once
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_BROADCAST "vbroadcastss"
#define AIBENCH_MILLI_ADD "vaddps"
#define AIBENCH_MILLI_FIRST(c, b) "vmulps " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#define AIBENCH_MILLI_NEXT(c, b) "vfmadd231ps " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#define AIBENCH_MILLI_NEXT_FROM(c, b, a) "vfmadd231ps " a "%{1to16%}, " b ", " c "\n\t"
#include "gemm/kernels/millikernel_x86.h"
