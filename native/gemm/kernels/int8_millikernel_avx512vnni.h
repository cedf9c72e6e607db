// Millikernels on quads of int8 with vpdpbusd. The file that includes this one defines AIBENCH_A_WITHOUT_SIGN for u8, whose A has no sign;
// for s8 it is B that has none, and something is to be added to each row.
#pragma once
#define AIBENCH_MILLI_512
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_BROADCAST "vpbroadcastd"
#define AIBENCH_MILLI_ADD "vpaddd"
#define AIBENCH_MILLI_FIRST(c, b) "vpxord " c ", " c ", " c "\n\t" AIBENCH_MILLI_NEXT(c, b)
#ifdef AIBENCH_A_WITHOUT_SIGN
#define AIBENCH_MILLI_NEXT(c, b) "vpdpbusd " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#else
#define AIBENCH_MILLI_NEXT(c, b) "vpdpbusd " AIBENCH_MILLI_A ", " b ", " c "\n\t"
#define AIBENCH_MILLI_NEXT_FROM(c, b, a) "vpdpbusd " a "%{1to16%}, " b ", " c "\n\t"
#define AIBENCH_MILLI_OFFSET
#endif
#include "gemm/kernels/millikernel_x86.h"
