// CLBlast (https://github.com/CNugteren/CLBlast), opened at run time: matrix products on any OpenCL device.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "opencl/session.h"

namespace aibench::opencl {

// Row-major, dense, alpha 1, beta 0.
struct ClblastArguments {
  std::string dtype;  // f64, f32, f16
  std::size_t m, n, k;
  Memory a, b, c;
};

class Clblast {
 public:
  // Opens the first of `names` that loads; it stays open. Fails with LIBRARY_ABSENT, LIBRARY_BROKEN, LIBRARY_UNSUPPORTED.
  static Status open(const std::vector<std::string>& names, const Clblast** clblast);

  const std::string& path() const { return file_.path(); }
  // From the file's name: `1.5.3`; the library does not say. Empty where the name has none.
  const std::string& version() const { return version_; }
  static const std::vector<std::string>& dtypes();

  // Bytes of scratch memory that the product uses; 0 where it needs none. With an own buffer no call allocates.
  Status workspace_bytes(const ClblastArguments& arguments, Session& session, std::size_t* bytes) const;

  // Enqueues the product. Returns before it has ended. An `event` covers its LAST kernel alone, which for most shapes is the copy out of a
  // padded buffer and not the product: a time from it would be far too short. Compiles kernels when called for the first time.
  Status enqueue(const ClblastArguments& arguments, Memory workspace, Session& session, Event* event = nullptr) const;

 private:
  DynamicLibrary file_;
  std::string version_;
};

}  // namespace aibench::opencl
