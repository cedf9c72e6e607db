#include "core/cpu_features.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace aibench {
namespace {

struct IsaName {
  Isa isa;
  const char* name;
};
constexpr IsaName kIsaNames[] = {
    {Isa::kScalar, "scalar"},         {Isa::kNeon, "neon"},       {Isa::kNeonDot, "neondot"},
    {Isa::kNeonBf16, "neonbf16"},     {Isa::kNeonI8mm, "neoni8mm"}, {Isa::kAvx2, "avx2"},
    {Isa::kAvxVnni, "avxvnni"},       {Isa::kAvx512f, "avx512f"}, {Isa::kAvx512Vnni, "avx512vnni"},
    {Isa::kAvx512Bf16, "avx512bf16"}, {Isa::kSve256, "sve256"},   {Isa::kSve512, "sve512"},
    {Isa::kAmxInt8, "amxint8"},       {Isa::kAmxBf16, "amxbf16"}, {Isa::kAmxFp16, "amxfp16"},
    {Isa::kSme512, "sme512"},         {Isa::kSme512F64, "sme512f64"}};

#if defined(__x86_64__)

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

std::uint64_t xgetbv() {
  std::uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

// Register state that the operating system saves on a context switch (Intel SDM vol. 1, 13.1): without it an
// extension that cpuid lists must not be used.
constexpr std::uint64_t kXmmYmm = 0x6;
constexpr std::uint64_t kZmm = kXmmYmm | 0xe0;
constexpr std::uint64_t kAmx = 0x60000;

// Linux gives a process the eight KiB of tile registers only if it asks (arch/x86/include/uapi/asm/prctl.h: ARCH_REQ_XCOMP_PERM,
// Linux 5.16); its threads inherit the permission. Without it the first tile instruction is answered by a signal.
bool tiles_permitted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

struct FlagBit {
  const char* name;
  std::uint32_t leaf, subleaf;
  char reg;
  int bit;
  std::uint64_t xcr0;  // state that must be enabled
};
constexpr FlagBit kFlagBits[] = {
    {"sse4_2", 1, 0, 'c', 20, 0},
    {"popcnt", 1, 0, 'c', 23, 0},
    {"aes", 1, 0, 'c', 25, 0},
    {"avx", 1, 0, 'c', 28, kXmmYmm},
    {"f16c", 1, 0, 'c', 29, kXmmYmm},
    {"fma", 1, 0, 'c', 12, kXmmYmm},
    {"bmi1", 7, 0, 'b', 3, 0},
    {"avx2", 7, 0, 'b', 5, kXmmYmm},
    {"bmi2", 7, 0, 'b', 8, 0},
    {"avx512f", 7, 0, 'b', 16, kZmm},
    {"avx512dq", 7, 0, 'b', 17, kZmm},
    {"avx512ifma", 7, 0, 'b', 21, kZmm},
    {"avx512cd", 7, 0, 'b', 28, kZmm},
    {"avx512bw", 7, 0, 'b', 30, kZmm},
    {"avx512vl", 7, 0, 'b', 31, kZmm},
    {"avx512_vbmi", 7, 0, 'c', 1, kZmm},
    {"avx512_vbmi2", 7, 0, 'c', 6, kZmm},
    {"gfni", 7, 0, 'c', 8, 0},
    {"vaes", 7, 0, 'c', 9, kXmmYmm},
    {"vpclmulqdq", 7, 0, 'c', 10, kXmmYmm},
    {"avx512_vnni", 7, 0, 'c', 11, kZmm},
    {"avx512_bitalg", 7, 0, 'c', 12, kZmm},
    {"avx512_vpopcntdq", 7, 0, 'c', 14, kZmm},
    {"avx512_vp2intersect", 7, 0, 'd', 8, kZmm},
    {"amx_bf16", 7, 0, 'd', 22, kAmx},
    {"avx512_fp16", 7, 0, 'd', 23, kZmm},
    {"amx_tile", 7, 0, 'd', 24, kAmx},
    {"amx_int8", 7, 0, 'd', 25, kAmx},
    {"avx_vnni", 7, 1, 'a', 4, kXmmYmm},
    {"avx512_bf16", 7, 1, 'a', 5, kZmm},
    {"amx_fp16", 7, 1, 'a', 21, kAmx},
    {"avx_ifma", 7, 1, 'a', 23, kXmmYmm},
    {"avx_vnni_int8", 7, 1, 'd', 4, kXmmYmm},
    {"avx_ne_convert", 7, 1, 'd', 5, kXmmYmm},
    {"amx_complex", 7, 1, 'd', 8, kAmx},
    {"avx10", 7, 1, 'd', 19, kZmm},
};

CpuFeatures read_features() {
  CpuFeatures f;
  f.arch = "x86_64";
  const Registers zero = cpuid(0);
  char vendor[13] = {};
  std::memcpy(vendor, &zero.ebx, 4);
  std::memcpy(vendor + 4, &zero.edx, 4);
  std::memcpy(vendor + 8, &zero.ecx, 4);
  f.vendor = vendor;
  const Registers one = cpuid(1);
  const int base_family = (one.eax >> 8) & 15;
  const int base_model = (one.eax >> 4) & 15;
  f.stepping = one.eax & 15;
  f.family = base_family + (base_family == 15 ? (one.eax >> 20) & 255 : 0);
  f.model = base_model + (base_family == 15 || base_family == 6 ? ((one.eax >> 16) & 15) << 4 : 0);
  f.hypervisor = (one.ecx >> 31) & 1;
  if (cpuid(0x80000000).eax >= 0x80000004) {
    char brand[49] = {};
    for (std::uint32_t i = 0; i < 3; ++i) {
      const Registers r = cpuid(0x80000002 + i);
      std::memcpy(brand + 16 * i, &r, 16);
    }
    f.brand = brand;
    const auto first = f.brand.find_first_not_of(' ');
    f.brand = first == std::string::npos ? "" : f.brand.substr(first, f.brand.find_last_not_of(' ') - first + 1);
  }
  const bool osxsave = (one.ecx >> 27) & 1;
  const std::uint64_t xcr0 = osxsave ? xgetbv() : 0;
  const std::uint32_t max_subleaf = cpuid(7).eax;
  for (const FlagBit& bit : kFlagBits) {
    if (bit.leaf > zero.eax || (bit.leaf == 7 && bit.subleaf > max_subleaf)) continue;
    const Registers r = cpuid(bit.leaf, bit.subleaf);
    const std::uint32_t word = bit.reg == 'a' ? r.eax : bit.reg == 'b' ? r.ebx : bit.reg == 'c' ? r.ecx : r.edx;
    if (((word >> bit.bit) & 1) != 0 && (xcr0 & bit.xcr0) == bit.xcr0) f.flags.push_back(bit.name);
  }
  const auto has = [&f](const char* name) {
    return std::find(f.flags.begin(), f.flags.end(), name) != f.flags.end();
  };
  f.isas.push_back(Isa::kScalar);
  const bool avx2 = has("avx2") && has("fma") && has("f16c");
  if (avx2) f.isas.push_back(Isa::kAvx2);
  if (avx2 && has("avx_vnni")) f.isas.push_back(Isa::kAvxVnni);
  // The AVX-512 kernel files are compiled with these four together (cmake/isa_flags.cmake).
  const bool avx512 = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl");
  if (avx512) f.isas.push_back(Isa::kAvx512f);
  if (avx512 && has("avx512_vnni")) f.isas.push_back(Isa::kAvx512Vnni);
  if (avx512 && has("avx512_bf16")) f.isas.push_back(Isa::kAvx512Bf16);
  // A row alone goes through AVX-512, which every CPU with tiles has so far.
  const bool amx = has("amx_tile") && avx512 && has("avx512_vnni") && has("avx512_bf16") && tiles_permitted();
  if (amx && has("amx_int8")) f.isas.push_back(Isa::kAmxInt8);
  if (amx && has("amx_bf16")) f.isas.push_back(Isa::kAmxBf16);
  if (amx && has("amx_fp16")) f.isas.push_back(Isa::kAmxFp16);
  return f;
}

#elif defined(__aarch64__)

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

CpuFeatures read_features() {
  CpuFeatures f;
  f.arch = "aarch64";
  f.isas = {Isa::kScalar, Isa::kNeon};  // AdvSIMD is part of armv8-a
#if defined(__linux__)
  struct HwcapBit {
    const char* name;
    unsigned long type;
    int bit;
  };
  // Linux arch/arm64/include/uapi/asm/hwcap.h
  constexpr HwcapBit kBits[] = {
      {"asimd", AT_HWCAP, 1},    {"aes", AT_HWCAP, 3},       {"atomics", AT_HWCAP, 8},  {"fphp", AT_HWCAP, 9},
      {"asimdhp", AT_HWCAP, 10}, {"asimddp", AT_HWCAP, 20},  {"sve", AT_HWCAP, 22},     {"asimdfhm", AT_HWCAP, 23},
      {"sve2", AT_HWCAP2, 1},    {"svei8mm", AT_HWCAP2, 9},  {"svef32mm", AT_HWCAP2, 10}, {"svebf16", AT_HWCAP2, 12},
      {"i8mm", AT_HWCAP2, 13},   {"bf16", AT_HWCAP2, 14},    {"sme", AT_HWCAP2, 23},
      {"smef64f64", AT_HWCAP2, 25},
  };
  for (const HwcapBit& bit : kBits) {
    if ((getauxval(bit.type) >> bit.bit) & 1) f.flags.push_back(bit.name);
  }
  const auto has = [&f](const char* name) { return std::find(f.flags.begin(), f.flags.end(), name) != f.flags.end(); };
  if (has("asimddp")) f.isas.push_back(Isa::kNeonDot);
  if (has("bf16")) f.isas.push_back(Isa::kNeonBf16);
  if (has("i8mm") && has("asimddp")) f.isas.push_back(Isa::kNeonI8mm);
  if (has("sve")) {
    // The length that this process has, which may be less than what the CPU could do.
    constexpr int kGetLength = 51, kLengthMask = 0xffff;  // PR_SVE_GET_VL, PR_SVE_VL_LEN_MASK of linux/prctl.h
    const int bytes = prctl(kGetLength, 0, 0, 0, 0);
    if (bytes > 0 && (bytes & kLengthMask) == 32) f.isas.push_back(Isa::kSve256);
    if (bytes > 0 && (bytes & kLengthMask) == 64) f.isas.push_back(Isa::kSve512);
  }
  if (has("sme") && has("asimddp")) {
    constexpr int kGetStreamingLength = 64, kLengthMask = 0xffff;  // PR_SME_GET_VL
    const int bytes = prctl(kGetStreamingLength, 0, 0, 0, 0);
    if (bytes > 0 && (bytes & kLengthMask) == 64) {
      f.isas.push_back(Isa::kSme512);
      if (has("smef64f64")) f.isas.push_back(Isa::kSme512F64);
    }
  }
  const std::string midr_text = first_line("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
  const unsigned long midr = std::strtoul(midr_text.c_str(), nullptr, 16);
  struct Implementer {
    unsigned long code;
    const char* name;
  };
  constexpr Implementer kImplementers[] = {{0x41, "ARM"},      {0x46, "Fujitsu"},  {0x48, "HiSilicon"}, {0x4e, "NVIDIA"},
                                           {0x51, "Qualcomm"}, {0x61, "Apple"},    {0x6d, "Microsoft"}, {0xc0, "Ampere"}};
  for (const Implementer& implementer : kImplementers) {
    if (implementer.code == midr >> 24) f.vendor = implementer.name;
  }
  f.family = static_cast<int>((midr >> 16) & 15);
  f.model = static_cast<int>((midr >> 4) & 0xfff);
  f.stepping = static_cast<int>(midr & 15);
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos) {
      f.brand = line.substr(line.find(": ") + 2);
      break;
    }
  }
  f.hypervisor = std::ifstream("/sys/hypervisor/type").good();
#endif
  return f;
}

#else

CpuFeatures read_features() {
  CpuFeatures f;
  f.arch = "other";
  f.isas = {Isa::kScalar};
  return f;
}

#endif

std::string names_of(const std::vector<Isa>& isas) {
  std::string text;
  for (Isa isa : isas) text += (text.empty() ? "" : ", ") + std::string(isa_name(isa));
  return text;
}

}  // namespace

const char* isa_name(Isa isa) {
  for (const IsaName& entry : kIsaNames) {
    if (entry.isa == isa) return entry.name;
  }
  return "unknown";
}

bool parse_isa(const std::string& name, Isa* isa) {
  for (const IsaName& entry : kIsaNames) {
    if (name == entry.name) {
      *isa = entry.isa;
      return true;
    }
  }
  return false;
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = read_features();
  return features;
}

bool isa_supported(Isa isa) {
  const std::vector<Isa>& isas = cpu_features().isas;
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

Status choose_isa(const std::string& requested, const std::vector<Isa>& built, Isa* isa) {
  std::vector<Isa> available;
  for (Isa candidate : cpu_features().isas) {
    if (std::find(built.begin(), built.end(), candidate) != built.end()) available.push_back(candidate);
  }
  const char* environment = std::getenv("AIBENCH_ISA");
  const bool forced = requested.empty() && environment != nullptr && *environment != '\0';
  const std::string name = forced ? environment : requested;
  const std::string source = forced ? "AIBENCH_ISA names" : "the case asks for";
  const std::string remedy = (forced ? "Unset AIBENCH_ISA or set it to one of: " : "Choose one of: ") + names_of(available) + ".";
  if (name.empty()) {
    if (available.empty()) return Status::failure("ISA_UNSUPPORTED", "no kernel of this build runs on this CPU");
    *isa = available.back();
    return Status::success();
  }
  Isa wanted;
  if (!parse_isa(name, &wanted)) {
    return Status::failure("ISA_UNKNOWN", source + " the instruction set \"" + name + "\", which aibench does not know", remedy);
  }
  if (forced && isa_supported(wanted)) {
    // A bound: the strongest that was built for this work and does not lie above it.
    const std::vector<Isa>& all = cpu_features().isas;
    const auto bound = std::find(all.begin(), all.end(), wanted);
    while (!available.empty() && std::find(all.begin(), bound + 1, available.back()) == bound + 1) available.pop_back();
    if (!available.empty()) wanted = available.back();
  }
  if (std::find(available.begin(), available.end(), wanted) == available.end()) {
    return Status::failure("ISA_UNSUPPORTED",
                           source + " the instruction set " + name + ", which this CPU or operating system lacks; available: " +
                               names_of(available),
                           remedy);
  }
  *isa = wanted;
  return Status::success();
}

}  // namespace aibench
