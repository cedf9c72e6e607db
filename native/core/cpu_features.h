// What this CPU and this operating system can run, and how large its caches are.
#pragma once
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench {

// Instruction-set paths of the kernels, weakest first; the names are those of src/native/types.ts.
enum class Isa {
  kScalar,
  kNeon,
  kNeonDot,   // sdot
  kNeonBf16,  // bfdot
  kNeonI8mm,  // smmla, usdot; with sdot
  kSve256,    // SVE where the process runs with vectors of this many bits
  kSve512,
  kSme512,     // SME with streaming vectors of so many bits; with sdot
  kSme512F64,  // with outer products of f64
  kAvx2,      // with FMA and F16C
  kAvxVnni,
  kAvx512f,  // with BW, DQ and VL
  kAvx512Vnni,
  kAvx512Bf16,
  kAmxInt8,  // tiles of s32, with AVX-512 VNNI
  kAmxBf16,  // of f32, with AVX512_BF16
  kAmxFp16
};
const char* isa_name(Isa isa);
// False when the name is none of these.
bool parse_isa(const std::string& name, Isa* isa);

struct CpuFeatures {
  std::string arch;  // x86_64, aarch64, other
  std::string vendor;
  std::string brand;
  int family = 0;
  int model = 0;
  int stepping = 0;
  std::vector<Isa> isas;           // weakest first; what the CPU has and the OS saves and permits
  std::vector<std::string> flags;  // in the vendors' spelling
  bool hypervisor = false;
};
// Read once per process.
const CpuFeatures& cpu_features();
bool isa_supported(Isa isa);

// The path to use: `requested` if it is not empty, else the strongest of `built` that runs here and is not above AIBENCH_ISA
// if that is set. Fails with ISA_UNKNOWN or ISA_UNSUPPORTED.
Status choose_isa(const std::string& requested, const std::vector<Isa>& built, Isa* isa);

struct CpuCache {
  int level = 0;
  std::string type;  // data, instruction, unified
  long size_bytes = 0;
  int line_bytes = 0;
  int ways = 0;
  int shared_by = 1;  // logical CPUs
};
// Caches of the first CPU that this process may use: from <sys_root>/devices/system/cpu, else from cpuid. Hypervisors
// misreport them, so sizes are checked for plausibility: an entry that cannot be true is left out.
std::vector<CpuCache> cpu_caches(const std::string& sys_root = "/sys");

// What blocking is derived from: bytes of L1 data, L2 and L3 that one core may count on. Typical small values stand in
// for a level that nothing reports; the L3 share is size / shared_by.
struct CacheBudget {
  long l1 = 32 << 10;
  long l2 = 256 << 10;
  long l3_share = 1 << 20;
};
CacheBudget cache_budget();

}  // namespace aibench
