#include "gemm/peers/libxsmm_peer.h"

#include <limits>
#include <utility>

#include "core/dynamic_library.h"

namespace aibench {
namespace {

// BLAS's own convention: column-major, everything by pointer.
template <typename T>
using BlasGemm = void (*)(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k, const T* alpha,
                          const T* a, const int* lda, const T* b, const int* ldb, const T* beta, T* c, const int* ldc);

class LibxsmmPeer final : public Peer {
 public:
  explicit LibxsmmPeer(DynamicLibrary library) : library_(std::move(library)) {
    single_ = library_.function<BlasGemm<float>>("libxsmm_sgemm");
    double_ = library_.function<BlasGemm<double>>("libxsmm_dgemm");
    const auto init = library_.function<void (*)()>("libxsmm_init");
    if (init != nullptr) init();
  }

  bool usable() const { return single_ != nullptr && double_ != nullptr; }
  std::string path() const { return library_.path(); }

  PeerInfo info() const override {
    PeerInfo info;
    info.name = "libxsmm";
    info.found = true;
    info.path = library_.path();
    info.threading = "sequential";
    const auto architecture = library_.function<const char* (*)()>("libxsmm_get_target_arch");
    info.kernel = architecture == nullptr ? "unknown" : architecture();
    info.version = "1.x";  // no function tells more
    info.dtypes = {"f32", "f64"};
    return info;
  }

  Status set_threads(int threads) override {
    if (threads == 1) return Status::success();
    return Status::failure("THREADS_UNSUPPORTED", "libxsmm's GEMM runs on the calling thread only", "Run it with threads: 1.");
  }

  bool multiply(const GemmArguments<float>& g) override { return call(single_, g); }
  bool multiply(const GemmArguments<double>& g) override { return call(double_, g); }

 private:
  // Row-major C = A B is column-major C^T = B^T A^T.
  template <typename T>
  static bool call(BlasGemm<T> gemm, const GemmArguments<T>& g) {
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    if (g.m > kMost || g.n > kMost || g.k > kMost || g.lda > kMost || g.ldb > kMost || g.ldc > kMost) return false;
    const int m = static_cast<int>(g.m), n = static_cast<int>(g.n), k = static_cast<int>(g.k);
    const int lda = static_cast<int>(g.lda), ldb = static_cast<int>(g.ldb), ldc = static_cast<int>(g.ldc);
    gemm(g.transpose_b ? "T" : "N", g.transpose_a ? "T" : "N", &n, &m, &k, &g.alpha, g.b, &ldb, g.a, &lda, &g.beta, g.c, &ldc);
    return true;
  }

  DynamicLibrary library_;
  BlasGemm<float> single_;
  BlasGemm<double> double_;
};

}  // namespace

Status open_libxsmm(std::shared_ptr<Peer>* peer) {
  constexpr const char* kRemedy = "Build libxsmm as a shared library and put it on LD_LIBRARY_PATH.";
  DynamicLibrary library;
  Status status = library.open({"libxsmm.so.1", "libxsmm.so.2", "libxsmm.so"});
  if (!status.ok()) {
    if (status.remedy.empty()) status.remedy = kRemedy;
    return status;
  }
  auto opened = std::make_shared<LibxsmmPeer>(std::move(library));
  if (!opened->usable()) return Status::failure("LIBRARY_BROKEN", opened->path() + " has no libxsmm_sgemm", kRemedy);
  *peer = std::move(opened);
  return Status::success();
}

}  // namespace aibench
