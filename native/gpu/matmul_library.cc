#include "gpu/matmul_library.h"

#include <type_traits>

namespace aibench::gpu {
namespace {

constexpr int kAllocationFailed = 3;     // CUBLAS_STATUS_ALLOC_FAILED and HIPBLAS_STATUS_ALLOC_FAILED (2)
constexpr int kHipAllocationFailed = 2;
constexpr int kArchitectureMismatch = 8;  // CUBLAS_STATUS_ARCH_MISMATCH and HIPBLAS_STATUS_ARCH_MISMATCH

// 120405 of cuBLASLt is 12.4.5; until 11 it is 11402, 11.4.2.
std::string dotted(std::size_t version) {
  const std::size_t unit = version >= 100'000 ? 10'000 : 1000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." + std::to_string(version % 100);
}

std::string remedy_for(const Driver& driver) {
  return driver.vendor().vendor == Vendor::kCuda
             ? "Install cuBLAS: it comes with the CUDA toolkit and with PyTorch; `pip install nvidia-cublas-cu12`, or set AIBENCH_CUBLASLT to the path of libcublasLt.so.12."
             : "Install hipBLASLt: it comes with ROCm (`apt-get install hipblaslt`), or set AIBENCH_HIPBLASLT to the path of libhipblaslt.so.";
}

}  // namespace

const char* MatmulLibrary::bind() {
  const auto take = [this](auto* target, const char* name) {
    const std::string symbol = std::string(numbers_.prefix) + name;
    *target = library_.function<std::remove_pointer_t<decltype(target)>>(symbol.c_str());
    if (*target == nullptr && missing_.empty()) missing_ = symbol;
  };
  take(&calls_.create, "Create");
  take(&calls_.destroy, "Destroy");
  take(&calls_.operation_create, "MatmulDescCreate");
  take(&calls_.operation_destroy, "MatmulDescDestroy");
  take(&calls_.operation_set, "MatmulDescSetAttribute");
  take(&calls_.layout_create, "MatrixLayoutCreate");
  take(&calls_.layout_destroy, "MatrixLayoutDestroy");
  take(&calls_.preference_create, "MatmulPreferenceCreate");
  take(&calls_.preference_destroy, "MatmulPreferenceDestroy");
  take(&calls_.preference_set, "MatmulPreferenceSetAttribute");
  take(&calls_.heuristics, "MatmulAlgoGetHeuristic");
  take(&calls_.multiply, "Matmul");
  return missing_.empty() ? nullptr : missing_.c_str();
}

Status MatmulLibrary::open(const Driver& driver, const std::vector<std::string>& libraries, std::shared_ptr<MatmulLibrary>* library) {
  Status best = Status::failure("LIBRARY_ABSENT", std::string("no ") + driver.vendor().matmul.prefix + " library was looked for", remedy_for(driver));
  bool is_first = true;
  std::string absent;
  for (const std::string& name : libraries) {
    const Status status = open_one(driver, name, library);
    if (status.ok()) return status;
    // The first that is there and cannot be used says more than all that are absent.
    if (status.code == "LIBRARY_ABSENT") {
      absent += (absent.empty() ? "" : ", ") + name;
    } else if (is_first) {
      best = status;
      is_first = false;
    }
  }
  if (is_first && !absent.empty()) best.message = "no library found under the names " + absent;
  return best;
}

Status MatmulLibrary::open_one(const Driver& driver, const std::string& name, std::shared_ptr<MatmulLibrary>* library) {
  std::shared_ptr<MatmulLibrary> self(new MatmulLibrary(driver.vendor().matmul));
  if (Status status = self->library_.open({name}); !status.ok()) {
    status.remedy = remedy_for(driver);
    return status;
  }
  if (const char* missing = self->bind(); missing != nullptr) {
    return Status::failure("LIBRARY_UNSUPPORTED", self->path() + " has no " + missing, "Use a newer one. " + remedy_for(driver));
  }
  if (driver.vendor().vendor == Vendor::kCuda) {
    const auto version = self->library_.function<std::size_t (*)()>("cublasLtGetVersion");
    const std::size_t number = version == nullptr ? 0 : version();
    self->version_ = dotted(number);
    self->version_number_ = number;
    const auto major = static_cast<int>(number >= 100'000 ? number / 10'000 : number / 1000);
    const int driver_major = version_major(Vendor::kCuda, driver.version());
    if (major > driver_major) {
      return Status::failure("GPU_DRIVER_TOO_OLD",
                             "cuBLASLt " + self->version_ + " (" + self->path() + ") needs a driver for CUDA " + std::to_string(major) +
                                 "; this one is for CUDA " + driver.version_text(),
                             "Update the NVIDIA driver, or install cuBLAS for CUDA " + std::to_string(driver_major) + ".");
    }
  }
  *library = std::move(self);
  return Status::success();
}

Status MatmulLibrary::check(const char* name, int result) const {
  if (result == 0) return Status::success();
  const std::string message = std::string(numbers_.prefix) + name + " failed: status " + std::to_string(result);
  if (result == numbers_.no_algorithm || result == kArchitectureMismatch) {
    return Status::failure("GPU_ALGORITHM_NONE", message + " (not supported)", "This GPU or this version of the library lacks the dtype or the shape.");
  }
  const bool cuda = numbers_.op_n == 0;
  if (result == (cuda ? kAllocationFailed : kHipAllocationFailed)) {
    return Status::failure("GPU_OUT_OF_MEMORY", message + " (allocation failed)", "Choose a smaller size, or end what else uses the GPU.");
  }
  return Status::failure("GPU_LIBRARY_FAILED", message, "Try another version of the library; if it stays, please report this.");
}

}  // namespace aibench::gpu
