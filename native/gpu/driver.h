// A GPU driver's API, opened at run time: no header, no link, no toolkit. One object per process and vendor; every failure
// becomes a Status that names the call and the driver's own word for what is wrong.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/problem.h"
#include "core/status.h"
#include "gpu/vendor.h"

namespace aibench::gpu {

using Result = int;
constexpr Result kSuccess = 0;
using DevicePointer = std::uint64_t;
using Stream = void*;
using Event = void*;
using Graph = void*;
using Place = std::uintptr_t;
struct Uuid {
  unsigned char bytes[16];
};

// The calls by member name; nullptr where a call of need kExtra is not in the library.
struct DriverCalls {
#define AIBENCH_GPU_CALL(member, need, cuda, hip, ...) Result (*member)(__VA_ARGS__) = nullptr;
#include "gpu/driver_calls.inc"
#undef AIBENCH_GPU_CALL
};
// The names under which they were looked up.
struct DriverNames {
#define AIBENCH_GPU_CALL(member, need, cuda, hip, ...) const char* member = nullptr;
#include "gpu/driver_calls.inc"
#undef AIBENCH_GPU_CALL
};

class Driver {
 public:
  // Opens the first of `libraries` that loads, and initialises it. Fails with GPU_ABSENT (no library, no device),
  // GPU_UNSUPPORTED (too old, a call missing) or GPU_BROKEN (it is there and fails). May hang with a broken driver: call it
  // in a process that has a time limit.
  static Status open(const VendorTable& vendor, const std::vector<std::string>& libraries, std::shared_ptr<Driver>* driver);

  const VendorTable& vendor() const { return vendor_; }
  const DriverCalls& call() const { return calls_; }
  const DriverNames& name() const { return names_; }
  int version() const { return version_; }
  std::string version_text() const { return gpu::version_text(vendor_.vendor, version_); }
  const std::string& library() const { return library_.path(); }
  int device_count() const { return device_count_; }

  // Success, or what `name` said: GPU_OUT_OF_MEMORY, GPU_FAULT (the device or the work on it broke) or GPU_CALL_FAILED.
  Status check(const char* name, Result result) const;
  std::string error_text(Result result) const;

 private:
  explicit Driver(const VendorTable& vendor) : vendor_(vendor) {}
  Status start();
  const char* bind();

  const VendorTable& vendor_;
  DynamicLibrary library_;
  DriverCalls calls_;
  DriverNames names_;
  int version_ = 0;
  int device_count_ = 0;
};

// check() of a call by its member name; the Status is returned from the enclosing function where it is a failure.
#define AIBENCH_GPU_TRY(driver, member, ...)                                                                  \
  do {                                                                                                        \
    if (::aibench::Status gpu_status_ = (driver).check((driver).name().member, (driver).call().member(__VA_ARGS__)); \
        !gpu_status_.ok())                                                                                    \
      return gpu_status_;                                                                                     \
  } while (false)

// For methods of a Problem that return no Status.
inline void require(Status status) {
  if (!status.ok()) throw ProblemFailure(std::move(status));
}

}  // namespace aibench::gpu
