// Millikernels of int8_narrow_avx2.h: ymm11 holds ones, so that tiles have ten rows of C at most. The file that includes this one defines
// AIBENCH_A_WITHOUT_SIGN for u8, whose A has no sign.
#pragma once
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_A "%%ymm14"
#define AIBENCH_MILLI_BROADCAST "vpbroadcastd"
#define AIBENCH_MILLI_ADD "vpaddd"
#define AIBENCH_MILLI_BEGIN "vpcmpeqw %%ymm11, %%ymm11, %%ymm11\n\tvpsrlw $15, %%ymm11, %%ymm11\n\t"
#define AIBENCH_MILLI_ACCUMULATORS 10
#ifdef AIBENCH_A_WITHOUT_SIGN
#define AIBENCH_MADDUBSW(b) "vpmaddubsw " b ", %%ymm14, %%ymm15\n\t"
#else
#define AIBENCH_MADDUBSW(b) "vpmaddubsw %%ymm14, " b ", %%ymm15\n\t"
#define AIBENCH_MILLI_OFFSET  // packed A ends in what is to be added to each row
#endif
#define AIBENCH_MILLI_FIRST(c, b) AIBENCH_MADDUBSW(b) "vpmaddwd %%ymm11, %%ymm15, " c "\n\t"
#define AIBENCH_MILLI_NEXT(c, b) AIBENCH_MADDUBSW(b) "vpmaddwd %%ymm11, %%ymm15, %%ymm15\n\tvpaddd %%ymm15, " c ", " c "\n\t"
#include "gemm/kernels/millikernel_x86.h"
