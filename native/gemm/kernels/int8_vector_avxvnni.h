// int8 products with AVX-VNNI: int8_vector_vnni.h, 256 bits wide.
#pragma once
#include "gemm/kernels/s32_vector_256.h"

namespace aibench {
namespace {

struct VnniVector : S32Vector {
  static Register b_quads(const std::int8_t* p, std::ptrdiff_t ldb) { return int8_quads(p, ldb); }
  static Register flip_signs(Register v) { return _mm256_xor_si256(v, _mm256_set1_epi8(-128)); }
#ifdef AIBENCH_SIMDE
  static Register dot(Register c, Register without_sign, Register with_sign) {
    return _mm256_dpbusd_epi32(c, without_sign, with_sign);
  }
#endif
};

}  // namespace
}  // namespace aibench

#define AIBENCH_DPBUSD "%{vex%} vpdpbusd"
#define AIBENCH_VECTOR "x"
#include "gemm/kernels/int8_vector_vnni.h"
