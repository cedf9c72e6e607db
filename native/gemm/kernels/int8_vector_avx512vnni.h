// int8 products with AVX-512 VNNI: int8_vector_vnni.h, 512 bits wide.
#pragma once
#include "gemm/kernels/s32_vector_512.h"

namespace aibench {
namespace {

struct VnniVector : S32Vector {
  static constexpr bool kInPlaceA = true;  // a word is four bytes as they lie
  static Register b_quads(const std::int8_t* p, std::ptrdiff_t ldb) {
    return quads_of(four_rows(p, ldb));
  }
  static Register flip_signs(Register v) { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
#ifdef AIBENCH_SIMDE
  static Register dot(Register c, Register without_sign, Register with_sign) {
    return _mm512_dpbusd_epi32(c, without_sign, with_sign);
  }
#endif
};

}  // namespace
}  // namespace aibench

#define AIBENCH_DPBUSD "vpdpbusd"
#define AIBENCH_VECTOR "v"
#include "gemm/kernels/int8_vector_vnni.h"
