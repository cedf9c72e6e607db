// The dtypes of GPU products: what goes in, what comes out, how it is added up, and how well. One row each.
#pragma once
#include <cstddef>
#include <string>

#include "gpu/vendor.h"

namespace aibench::gpu {

enum class Sum { kF64, kF32, kTf32, kS32 };
// What the elements of A and B are multiplied by: nothing, one f32 per matrix, or a number for each block of so many along k (block_scales.h):
// a power of two (UE8M0) for each 32, or an unsigned e4m3 (UE4M3) for each 16.
enum class Scaling { kNone, kTensor, kVec32, kVec16 };

struct GemmType {
  const char* name;
  int a, b, d;  // of A, B and D = A * B, as DataType
  Sum sum;
  // Unit round-off of the sums (2^-14 for fp8: its tensor cores keep about that much with fast accumulation) and of D.
  double sum_roundoff, output_roundoff;
  Scaling scaling;
  bool needs_transposed;  // A and B both have k as their fastest dimension
  std::size_t multiple;  // m, n and k are multiples of it
};

inline bool has_block_scales(const GemmType& type) { return type.scaling == Scaling::kVec32 || type.scaling == Scaling::kVec16; }

// nullptr for an unknown name.
const GemmType* find_gemm_type(const std::string& name);
std::string gemm_type_names();

// The vendor's own numbers for fp8 on this device: AMD's gfx94x has another kind than everybody else.
int data_type_on(Vendor vendor, int major, int minor, int type);

std::size_t element_bytes(int type);  // of D; 1 for what is smaller
// Of n elements that lie together: two of fp4 share a byte. n is even for fp4.
std::size_t encoded_bytes(int type, std::size_t n);

// n numbers to the type, rounded to nearest even; those of fp8 and fp4 beyond its largest become the largest. From float, or double
// for kR64F. The first of a pair of fp4 is in the lower half of its byte.
void encode(int type, const void* numbers, void* encoded, std::size_t n);
void decode(int type, const void* encoded, double* numbers, std::size_t n);

// What `x` becomes in the type: the value that a product really multiplies. TF32 keeps 10 bits of the fraction.
float round_to(const GemmType& row, int type, float x);

// Highest dense rate that the device's units allow: flops per clock and multiprocessor by the vendors' papers, times
// multiprocessors and the highest clock. 0 where the architecture or the clock is not known. FLOP/s.
double rate_bound(Vendor vendor, int major, int minor, const std::string& dtype, int multiprocessors, double clock_hz);

}  // namespace aibench::gpu
