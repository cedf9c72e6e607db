// What differs between NVIDIA's and AMD's stacks: names and numbers. All code beside this file and vendor.cc serves both.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace aibench::gpu {

enum class Vendor { kCuda, kRocm };

// Numbers of the driver's device attributes.
struct Attributes {
  int multiprocessors, clock_khz, memory_clock_khz, bus_width, l2_bytes, major, minor, integrated, ecc;
};

// Names and numbers of the matrix product library.
struct MatmulNumbers {
  const char* prefix;       // of every symbol: cublasLt, hipblasLt
  int op_n, op_t;
  int compute_f32, compute_tf32, compute_f64, compute_s32;
  int transpose_a, transpose_b, scale_a, scale_b;  // attributes of the operation
  int fast_accumulation;                           // -1: the library has no such choice
  int scale_mode_a, scale_mode_b;                  // attributes of the operation; -1: blocks of scales are not used with this library
  int scale_vec16, scale_vec32;                    // their values: blocks of 16 with UE4M3, of 32 with UE8M0
  int max_workspace;                               // attribute of the preference
  std::size_t algorithm_bytes, result_bytes;       // of cublasLtMatmulAlgo_t and cublasLtMatmulHeuristicResult_t
  int no_algorithm;                                // status: not supported
};

struct VendorTable {
  Vendor vendor;
  const char* name;     // cuda, rocm
  const char* maker;    // NVIDIA, AMD
  const char* driver;   // what a message calls the driver
  int lowest_driver;    // as the driver reports its version
  Attributes attributes;
  MatmulNumbers matmul;
};

// nullptr for another name than cuda or rocm.
const VendorTable* find_vendor(const std::string& name);

// "12.4" of 12040; HIP's 60342134 is "6.3".
std::string version_text(Vendor vendor, int version);
int version_major(Vendor vendor, int version);

// cudaDataType_t (library_types.h) and hipDataType give the same numbers to these.
enum DataType : int { kR32F = 0, kR64F = 1, kR16F = 2, kR8I = 3, kR32I = 10, kR16BF = 14, kR8F_E4M3 = 28, kR8F_E5M2 = 29, kR8F_UE8M0 = 30, kR4F_E2M1 = 33 };
// MI300's fp8 has no negative zero, no infinity and another bias (gfx942); hipDataType's own numbers.
enum RocmDataType : int { kR8F_E4M3_FNUZ = 1000, kR8F_E5M2_FNUZ = 1001 };

}  // namespace aibench::gpu
