#include "gemm/peers/cblas_peer.h"

#include <cstdint>
#include <limits>
#include <utility>

namespace aibench {
namespace {

// The enumerators of cblas.h.
constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

template <typename T>
using CblasGemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, T alpha, const T* a, int lda, const T* b,
                           int ldb, T beta, T* c, int ldc);

Status no_thread_control(const char* library) {
  return Status::failure("THREADS_UNSUPPORTED", std::string(library) + " offers no way to set its number of threads",
                         "Run it with threads: 1.");
}

// Calls `void name(Integer)`.
template <typename Integer>
Status call_setter(const DynamicLibrary& library, const char* name, int threads) {
  const auto set = library.function<void (*)(Integer)>(name);
  if (set == nullptr) return no_thread_control(library.path().c_str());
  set(static_cast<Integer>(threads));
  return Status::success();
}

std::string text_of(const DynamicLibrary& library, const char* function) {
  const auto call = library.function<const char* (*)()>(function);
  const char* text = call == nullptr ? nullptr : call();
  return text == nullptr ? "" : text;
}

int number_of(const DynamicLibrary& library, const char* function) {
  const auto call = library.function<int (*)()>(function);
  return call == nullptr ? -1 : call();
}

Status openblas_threads(const DynamicLibrary& library, int threads) {
  return call_setter<int>(library, "openblas_set_num_threads", threads);
}

// "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64"
void describe_openblas(const DynamicLibrary& library, PeerInfo* info) {
  const std::string config = text_of(library, "openblas_get_config");
  const auto begin = config.find(' ');
  if (begin != std::string::npos) info->version = config.substr(begin + 1, config.find(' ', begin + 1) - begin - 1);
  info->kernel = text_of(library, "openblas_get_corename");
  const int parallel = number_of(library, "openblas_get_parallel");
  info->threading = parallel == 0 ? "sequential" : parallel == 1 ? "pthreads" : parallel == 2 ? "OpenMP" : "unknown";
}

Status blis_threads(const DynamicLibrary& library, int threads) {
  // dim_t is 64 bits wide in every 64-bit build.
  return call_setter<std::int64_t>(library, "bli_thread_set_num_threads", threads);
}

void describe_blis(const DynamicLibrary& library, PeerInfo* info) {
  info->version = text_of(library, "bli_info_get_version_str");
  const auto name_of = library.function<const char* (*)(int)>("bli_arch_string");
  const int architecture = number_of(library, "bli_arch_query_id");
  if (name_of != nullptr && architecture >= 0) info->kernel = name_of(architecture);
  // gint_t of 64 bits: the low half is the flag.
  if ((number_of(library, "bli_info_get_enable_openmp") & 1) == 1) info->threading = "OpenMP";
  else if ((number_of(library, "bli_info_get_enable_pthreads") & 1) == 1) info->threading = "pthreads";
  else info->threading = "sequential";
}

Status mkl_threads(const DynamicLibrary& library, int threads) {
  return call_setter<int>(library, "MKL_Set_Num_Threads", threads);
}

// "Intel(R) oneAPI Math Kernel Library Version 2024.0-Product Build ... for Intel(R) 64 architecture applications"
void describe_mkl(const DynamicLibrary& library, PeerInfo* info) {
  const auto version = library.function<void (*)(char*, int)>("MKL_Get_Version_String");
  char text[256] = {};
  if (version != nullptr) version(text, sizeof text - 1);
  info->version = text;
  info->threading = "the layer that mkl_rt loads";
}

Status armpl_threads(const DynamicLibrary& library, int threads) {
  return threads == 1 ? Status::success() : call_setter<int>(library, "omp_set_num_threads", threads);
}

void describe_armpl(const DynamicLibrary& library, PeerInfo* info) {
  const auto version = library.function<void (*)(int*, int*, int*, const char**)>("armplversion");
  int major = 0, minor = 0, patch = 0;
  const char* build = nullptr;
  if (version != nullptr) version(&major, &minor, &patch, &build);
  info->version = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  info->threading = library.symbol("omp_set_num_threads") == nullptr ? "sequential" : "OpenMP";
}

Status accelerate_threads(const DynamicLibrary&, int threads) {
  // BLASSetThreading (macOS 15) knows one or many, nothing between.
  return threads == 1 ? no_thread_control("Accelerate") : Status::success();
}

void describe_accelerate(const DynamicLibrary&, PeerInfo* info) { info->threading = "its own, all cores"; }

class CblasPeer final : public Peer {
 public:
  CblasPeer(const CblasLibrary& row, DynamicLibrary library) : row_(row), library_(std::move(library)) {
    single_ = library_.function<CblasGemm<float>>("cblas_sgemm");
    double_ = library_.function<CblasGemm<double>>("cblas_dgemm");
  }

  bool usable() const { return single_ != nullptr && double_ != nullptr; }

  PeerInfo info() const override {
    PeerInfo info;
    info.name = row_.name;
    info.found = true;
    info.path = library_.path();
    info.threading = "unknown";
    info.dtypes = {"f32", "f64"};
    row_.describe(library_, &info);
    return info;
  }

  Status set_threads(int threads) override { return row_.set_threads(library_, threads); }
  bool multiply(const GemmArguments<float>& g) override { return call(single_, g); }
  bool multiply(const GemmArguments<double>& g) override { return call(double_, g); }

 private:
  template <typename T>
  static bool call(CblasGemm<T> gemm, const GemmArguments<T>& g) {
    // The 32-bit interface: what does not fit would be read as a negative size.
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    if (g.m > kMost || g.n > kMost || g.k > kMost || g.lda > kMost || g.ldb > kMost || g.ldc > kMost) return false;
    const auto as_int = [](std::size_t value) { return static_cast<int>(value); };
    gemm(kRowMajor, g.transpose_a ? kTranspose : kNoTranspose, g.transpose_b ? kTranspose : kNoTranspose, as_int(g.m), as_int(g.n), as_int(g.k), g.alpha, g.a, as_int(g.lda), g.b,
         as_int(g.ldb), g.beta, g.c, as_int(g.ldc));
    return true;
  }

  const CblasLibrary& row_;
  DynamicLibrary library_;
  CblasGemm<float> single_;
  CblasGemm<double> double_;
};

}  // namespace

const std::vector<CblasLibrary>& cblas_libraries() {
  static const std::vector<CblasLibrary> libraries = {
      {"openblas", {"libopenblas.so.0", "libopenblas.so", "libopenblas.0.dylib"}, openblas_threads, describe_openblas,
       "Debian and Ubuntu: apt-get install libopenblas0-pthread."},
      {"blis", {"libblis-mt.so.5", "libblis-mt.so.4", "libblis-mt.so", "libblis.so.5", "libblis.so.4", "libblis.so"},
       blis_threads, describe_blis, "Debian and Ubuntu: apt-get install libblis4-pthread; or install AOCL."},
      {"mkl", {"libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"}, mkl_threads, describe_mkl,
       "Install Intel oneMKL and put its lib folder on LD_LIBRARY_PATH."},
      {"armpl", {"libarmpl_lp64_mp.so", "libarmpl_mp.so", "libarmpl_lp64.so", "libarmpl.so"}, armpl_threads, describe_armpl,
       "Install Arm Performance Libraries and put its lib folder on LD_LIBRARY_PATH."},
      {"accelerate", {"/System/Library/Frameworks/Accelerate.framework/Accelerate"}, accelerate_threads,
       describe_accelerate, "It is part of macOS."},
  };
  return libraries;
}

Status open_cblas(const CblasLibrary& row, std::shared_ptr<Peer>* peer) {
  DynamicLibrary library;
  Status status = library.open(row.sonames);
  if (!status.ok()) {
    if (status.remedy.empty()) status.remedy = row.remedy;
    return status;
  }
  auto opened = std::make_shared<CblasPeer>(row, std::move(library));
  if (!opened->usable()) {
    return Status::failure("LIBRARY_BROKEN", opened->info().path + " has no cblas_sgemm and cblas_dgemm", row.remedy);
  }
  *peer = std::move(opened);
  return Status::success();
}

}  // namespace aibench
