// Millikernels on f64.
#pragma once
#define AIBENCH_MILLI_BYTES 8
#define AIBENCH_MILLI_BROADCAST "vbroadcastsd"
#define AIBENCH_MILLI_ADD "vaddpd"
#define AIBENCH_MILLI_FIRST(c, b) "vmulpd " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#define AIBENCH_MILLI_NEXT(c, b) "vfmadd231pd " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#define AIBENCH_MILLI_NEXT_FROM(c, b, a) "vfmadd231pd " a "%{1to8%}, " b ", " c "\n\t"
#include "gemm/kernels/millikernel_x86.h"
