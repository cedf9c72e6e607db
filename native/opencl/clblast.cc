#include "opencl/clblast.h"

#include <climits>
#include <cstdlib>
#include <map>
#include <mutex>

namespace aibench::opencl {
namespace {

// clblast_c.h 1.4 and later.
constexpr int kRowMajor = 101, kNoTranspose = 111;
using Size = std::size_t;
template <typename T>
using Gemm = Int (*)(int layout, int a_transpose, int b_transpose, Size m, Size n, Size k, T alpha, Memory a, Size a_offset, Size a_ld, Memory b,
                     Size b_offset, Size b_ld, T beta, Memory c, Size c_offset, Size c_ld, Queue* queue, Event* event, Memory workspace);
using WorkspaceSize = Int (*)(int layout, int a_transpose, int b_transpose, Size m, Size n, Size k, Size a_offset, Size a_ld, Size b_offset,
                              Size b_ld, Size c_offset, Size c_ld, Queue* queue, Size* bytes);

constexpr const char* kRemedy = "Install CLBlast (Debian and Ubuntu: apt-get install libclblast1).";
constexpr const char* kCalls[] = {"CLBlastSgemmWithTempBuffer", "CLBlastDgemmWithTempBuffer", "CLBlastHgemmWithTempBuffer",
                                  "CLBlastSGemmTempBufferSize", "CLBlastDGemmTempBufferSize", "CLBlastHGemmTempBufferSize"};

// "libclblast.so.1.5.3" → "1.5.3", by way of the symbolic links.
std::string version_of(const std::string& path) {
  char resolved[PATH_MAX];
  const std::string file = realpath(path.c_str(), resolved) == nullptr ? path : resolved;
  const auto end = file.rfind(".so.");
  return end == std::string::npos ? "" : file.substr(end + 4);
}

Status status_of(Int code, const char* call) {
  if (code > -1000) return call_status(code, call);  // the numbers of OpenCL itself
  const std::string message = std::string(call) + " failed with CLBlast's status " + std::to_string(code);
  switch (code) {
    case -2045: return Status::failure("DTYPE_UNSUPPORTED", "the device does not compute in f16", "Choose f32.");
    case -2044: return Status::failure("DTYPE_UNSUPPORTED", "the device does not compute in f64", "Choose f32.");
    case -2046: return Status::failure("CLBLAST_FAILED", message + ": too little local memory for its kernels", "Choose another device.");
    default: return Status::failure("CLBLAST_FAILED", message, "The number is explained in clblast_c.h, CLBlastStatusCode.");
  }
}

template <typename T>
Int multiply(const DynamicLibrary& file, const char* call, const ClblastArguments& g, T one, Memory workspace, Queue queue, Event* event) {
  return file.function<Gemm<T>>(call)(kRowMajor, kNoTranspose, kNoTranspose, g.m, g.n, g.k, one, g.a, 0, g.k, g.b, 0, g.n, T{}, g.c, 0, g.n, &queue,
                                      event, workspace);
}

}  // namespace

const std::vector<std::string>& Clblast::dtypes() {
  static const std::vector<std::string> names = {"f32", "f64", "f16"};
  return names;
}

Status Clblast::open(const std::vector<std::string>& names, const Clblast** clblast) {
  static std::mutex mutex;
  static auto* opened = new std::map<std::vector<std::string>, std::unique_ptr<Clblast>>();
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Clblast>& entry = (*opened)[names];
  if (entry == nullptr) {
    auto fresh = std::make_unique<Clblast>();
    Status status = fresh->file_.open(names);
    if (!status.ok()) {
      status.remedy = kRemedy;
      return status;
    }
    for (const char* call : kCalls) {
      if (fresh->file_.symbol(call) != nullptr) continue;
      return Status::failure("LIBRARY_UNSUPPORTED", fresh->path() + " has no " + call, "It must be CLBlast 1.4 or later.");
    }
    fresh->version_ = version_of(fresh->path());
    entry = std::move(fresh);
  }
  *clblast = entry.get();
  return Status::success();
}

Status Clblast::workspace_bytes(const ClblastArguments& g, Session& session, std::size_t* bytes) const {
  const char* call = g.dtype == "f64" ? "CLBlastDGemmTempBufferSize" : g.dtype == "f16" ? "CLBlastHGemmTempBufferSize" : "CLBlastSGemmTempBufferSize";
  Queue queue = session.queue();
  *bytes = 0;
  return status_of(file_.function<WorkspaceSize>(call)(kRowMajor, kNoTranspose, kNoTranspose, g.m, g.n, g.k, 0, g.k, 0, g.n, 0, g.n, &queue, bytes), call);
}

Status Clblast::enqueue(const ClblastArguments& g, Memory workspace, Session& session, Event* event) const {
  constexpr std::uint16_t kHalfOne = 0x3c00;
  if (g.dtype == "f64") {
    constexpr const char* kCall = "CLBlastDgemmWithTempBuffer";
    return status_of(multiply<double>(file_, kCall, g, 1.0, workspace, session.queue(), event), kCall);
  }
  if (g.dtype == "f16") {
    constexpr const char* kCall = "CLBlastHgemmWithTempBuffer";
    return status_of(multiply<std::uint16_t>(file_, kCall, g, kHalfOne, workspace, session.queue(), event), kCall);
  }
  constexpr const char* kCall = "CLBlastSgemmWithTempBuffer";
  return status_of(multiply<float>(file_, kCall, g, 1.0F, workspace, session.queue(), event), kCall);
}

}  // namespace aibench::opencl
