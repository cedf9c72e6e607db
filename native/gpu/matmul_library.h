// cuBLASLt or hipBLASLt, opened at run time. The two have the same functions; VendorTable::matmul has what differs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/status.h"
#include "gpu/driver.h"

namespace aibench::gpu {

using Handle = void*;

// Functions of the library without its prefix, with their parameters: cublasLtMatmul is kNeeded "Matmul".
struct MatmulCalls {
  int (*create)(Handle*) = nullptr;
  int (*destroy)(Handle) = nullptr;
  int (*operation_create)(Handle*, int compute, int scale_type) = nullptr;
  int (*operation_destroy)(Handle) = nullptr;
  int (*operation_set)(Handle, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*layout_create)(Handle*, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading) = nullptr;
  int (*layout_destroy)(Handle) = nullptr;
  int (*preference_create)(Handle*) = nullptr;
  int (*preference_destroy)(Handle) = nullptr;
  int (*preference_set)(Handle, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*heuristics)(Handle, Handle operation, Handle a, Handle b, Handle c, Handle d, Handle preference, int wanted, void* results,
                    int* found) = nullptr;
  int (*multiply)(Handle, Handle operation, const void* alpha, DevicePointer a, Handle a_layout, DevicePointer b, Handle b_layout,
                  const void* beta, DevicePointer c, Handle c_layout, DevicePointer d, Handle d_layout, const void* algorithm,
                  DevicePointer workspace, std::size_t workspace_bytes, Stream) = nullptr;
};

class MatmulLibrary {
 public:
  // Opens the first of `libraries` that loads and fits the driver. Fails with LIBRARY_ABSENT, LIBRARY_BROKEN, LIBRARY_UNSUPPORTED (a function is
  // missing) or, where it was made for a newer driver, GPU_DRIVER_TOO_OLD. Needs no device.
  static Status open(const Driver& driver, const std::vector<std::string>& libraries, std::shared_ptr<MatmulLibrary>* library);

  const MatmulCalls& call() const { return calls_; }
  const std::string& path() const { return library_.path(); }
  // 12.4.5; empty where the library says it only with a handle (hipBLASLt).
  const std::string& version() const { return version_; }
  // 120405; 0 where it is not known.
  std::size_t version_number() const { return version_number_; }
  // Success, or a Status that names the call: GPU_LIBRARY_FAILED, GPU_ALGORITHM_NONE where it has nothing for this product.
  Status check(const char* name, int result) const;

 private:
  explicit MatmulLibrary(const MatmulNumbers& numbers) : numbers_(numbers) {}
  const char* bind();
  static Status open_one(const Driver& driver, const std::string& name, std::shared_ptr<MatmulLibrary>* library);
  const MatmulNumbers& numbers_;
  DynamicLibrary library_;
  MatmulCalls calls_;
  std::string version_;
  std::size_t version_number_ = 0;
  std::string missing_;
};

}  // namespace aibench::gpu
