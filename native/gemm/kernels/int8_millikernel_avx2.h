// Millikernels on pairs of int16: vpmaddwd, and vpaddd but for the first step.
#pragma once
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_A "%%ymm14"
#define AIBENCH_MILLI_BROADCAST "vpbroadcastd"
#define AIBENCH_MILLI_ADD "vpaddd"
#define AIBENCH_MILLI_FIRST(c, b) "vpmaddwd " b ", %%ymm14, " c "\n\t"
#define AIBENCH_MILLI_NEXT(c, b) "vpmaddwd " b ", %%ymm14, %%ymm15\n\tvpaddd %%ymm15, " c ", " c "\n\t"
#include "gemm/kernels/millikernel_x86.h"
