#include "gemm/peers/onednn_peer.h"

#include <cstdint>
#include <utility>

#include "core/dynamic_library.h"
#include "gemm/peers/onednn_matmul.h"

namespace aibench {
namespace {

// dnnl_version_t and dnnl_dim_t of dnnl_types.h; the first six members are the same in all versions.
struct Version {
  int major, minor, patch;
  const char* hash;
  unsigned cpu_runtime, gpu_runtime;
};
using Sgemm = int (*)(char trans_a, char trans_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                      std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

// dnnl_cpu_isa_t: each set of bits contains those of the weaker ones.
const char* isa_text(int isa) {
  struct Name {
    int bits;
    const char* text;
  };
  static constexpr Name kNames[] = {{0x3e7, "avx512_core_amx"}, {0xe7, "avx512_core_bf16"}, {0x67, "avx512_core_vnni"},
                                    {0x407, "avx2_vnni"},       {0x27, "avx512_core"},      {0x7, "avx2"},
                                    {0x3, "avx"},               {0x1, "sse41"}};
  for (const Name& name : kNames) {
    if (isa != 0 && (isa & name.bits) == name.bits) return name.text;
  }
  return "unknown";
}

// The flags of dnnl_config.h: sequential 1, OpenMP 2, TBB 4, thread pool 8.
const char* runtime_text(unsigned runtime) {
  switch (runtime) {
    case 1: return "sequential";
    case 2: return "OpenMP";
    case 4: return "TBB";
    case 8: return "thread pool";
    default: return "unknown";
  }
}

class OnednnPeer final : public Peer {
 public:
  explicit OnednnPeer(DynamicLibrary library) : library_(std::move(library)) {
    sgemm_ = library_.function<Sgemm>("dnnl_sgemm");
    const auto version = library_.function<const Version* (*)()>("dnnl_version");
    version_ = version == nullptr ? nullptr : version();
    // The OpenMP runtime that the library has already loaded, never a second one.
    if (version_ != nullptr && version_->cpu_runtime == 2) {
      static_cast<void>(openmp_.open({"libgomp.so.1", "libiomp5.so", "libomp.so.5", "libomp.so"}));
    }
    // What this CPU has an implementation for: 2.6 has none for bf16 below AVX-512.
    for (const char* dtype : {"bf16", "s8", "u8"}) {
      if (usable() && make_onednn_product(library_, version_->major, onednn_product(dtype, 16, 16, 16), false) != nullptr) dtypes_.push_back(dtype);
    }
  }

  bool usable() const { return sgemm_ != nullptr && version_ != nullptr; }
  std::string path() const { return library_.path(); }

  PeerInfo info() const override {
    PeerInfo info;
    info.name = "onednn";
    info.found = true;
    info.path = library_.path();
    info.version = std::to_string(version_->major) + "." + std::to_string(version_->minor) + "." + std::to_string(version_->patch);
    info.threading = runtime_text(version_->cpu_runtime);
    const auto isa = library_.function<int (*)()>("dnnl_get_effective_cpu_isa");
    info.kernel = isa == nullptr ? "unknown" : isa_text(isa());
    info.dtypes = dtypes_;
    return info;
  }

  Status set_threads(int threads) override {
    const auto set = openmp_.is_open() ? openmp_.function<void (*)(int)>("omp_set_num_threads") : nullptr;
    if (set == nullptr && version_->cpu_runtime == 1 && threads == 1) return Status::success();
    if (set == nullptr) {
      return Status::failure("THREADS_UNSUPPORTED", "oneDNN was built for a threading layer whose width aibench cannot set",
                             "Use a build of oneDNN for OpenMP.");
    }
    set(threads);
    return Status::success();
  }

  bool multiply(const GemmArguments<float>& g) override {
    const auto wide = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    return sgemm_(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', wide(g.m), wide(g.n), wide(g.k), g.alpha, g.a, wide(g.lda), g.b, wide(g.ldb), g.beta, g.c,
                  wide(g.ldc)) == 0;
  }
  bool multiply(const GemmArguments<double>&) override { return false; }
  Status make_product(const std::string& dtype, std::size_t m, std::size_t n, std::size_t k, bool packed,
                      std::unique_ptr<PeerProduct>* product) override {
    *product = make_onednn_product(library_, version_->major, onednn_product(dtype, m, n, k), packed);
    if (*product != nullptr) return Status::success();
    return Status::failure("DTYPE_UNSUPPORTED", "oneDNN " + info().version + " has no product in " + dtype + " for this CPU",
                           "Choose another backend or dtype.");
  }

 private:
  DynamicLibrary library_, openmp_;
  Sgemm sgemm_ = nullptr;
  const Version* version_ = nullptr;
  std::vector<std::string> dtypes_ = {"f32"};
};

}  // namespace

Status open_onednn(std::shared_ptr<Peer>* peer) {
  constexpr const char* kRemedy = "Debian 12: apt-get install libdnnl2; Ubuntu and newer Debian: libdnnl3.";
  DynamicLibrary library;
  Status status = library.open({"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", "libdnnl.3.dylib"});
  if (!status.ok()) {
    if (status.remedy.empty()) status.remedy = kRemedy;
    return status;
  }
  auto opened = std::make_shared<OnednnPeer>(std::move(library));
  if (!opened->usable()) return Status::failure("LIBRARY_BROKEN", opened->path() + " has no dnnl_sgemm", kRemedy);
  *peer = std::move(opened);
  return Status::success();
}

}  // namespace aibench
