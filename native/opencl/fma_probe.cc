#include "opencl/fma_probe.h"

#include <algorithm>

#include "core/clock.h"
#include "opencl/program.h"

namespace aibench::opencl {
namespace {

// Every work item has eight sums of WIDTH numbers; mad() is what the device does fastest, as CLBlast's own kernels use it.
constexpr const char* kSource = R"(
#define PROBE(name, V)                                                                                                         \
  __kernel void name(__global T* out, int loops) {                                                                             \
    const V m = (V)((T)0.5f), c = (V)((T)get_global_id(0));                                                                    \
    V s0 = c, s1 = c + (V)((T)1), s2 = c + (V)((T)2), s3 = c + (V)((T)3), s4 = -c, s5 = -s1, s6 = -s2, s7 = -s3;               \
    for (int i = 0; i < loops; ++i) {                                                                                          \
      s0 = mad(s0, m, c); s1 = mad(s1, m, c); s2 = mad(s2, m, c); s3 = mad(s3, m, c);                                          \
      s4 = mad(s4, m, c); s5 = mad(s5, m, c); s6 = mad(s6, m, c); s7 = mad(s7, m, c);                                          \
    }                                                                                                                          \
    const V s = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));                                                             \
    out[get_global_id(0)] = LAST(s);                                                                                           \
  }
#define LAST(s) (s)
PROBE(fma_probe_1, T)
#undef LAST
#define LAST(s) (s.x + s.y + s.z + s.w)
PROBE(fma_probe_4, T4)
#undef LAST
#define LAST(s) (s.s0 + s.s3 + s.s7 + s.sf)
PROBE(fma_probe_16, T16)
)";
constexpr int kWidths[] = {1, 4, 16};
constexpr const char* kNames[] = {"fma_probe_1", "fma_probe_4", "fma_probe_16"};
constexpr int kSums = 8, kRounds = 4;
constexpr std::size_t kItemsPerUnit = 2048;
constexpr double kLeastSeconds = 0.01;
constexpr int kMostLoops = 1 << 22;

std::string source_of(const std::string& dtype) {
  const std::string type = dtype == "f64" ? "double" : dtype == "f16" ? "half" : "float";
  const std::string extension = dtype == "f64" ? "fp64" : "fp16";
  const std::string enable = dtype == "f32" ? "" : "#pragma OPENCL EXTENSION cl_khr_" + extension + " : enable\n";
  return enable + "#define T " + type + "\n#define T4 " + type + "4\n#define T16 " + type + "16\n" + kSource;
}

}  // namespace

FmaProbe::~FmaProbe() {
  for (const Kernel kernel : kernels_) {
    if (kernel != nullptr) session_.library().clReleaseKernel(kernel);
  }
  if (program_ != nullptr) session_.library().clReleaseProgram(program_);
}

Status FmaProbe::build() {
  if (program_ != nullptr) return Status::success();
  Status status = build_program(session_, source_of(dtype_), "-cl-mad-enable", &program_);
  for (std::size_t i = 0; i < std::size(kernels_) && status.ok(); ++i) status = make_kernel(session_, program_, kNames[i], &kernels_[i]);
  if (status.ok()) status = session_.allocate(std::max(1u, session_.device().compute_units) * kItemsPerUnit * 8, &result_);
  return status;
}

Status FmaProbe::time(Kernel kernel, int loops, double* seconds) {
  const OpenclLibrary& cl = session_.library();
  const std::size_t items = std::max(1u, session_.device().compute_units) * kItemsPerUnit;
  Status status = call_status(cl.clSetKernelArg(kernel, 0, sizeof result_, &result_), "clSetKernelArg");
  if (status.ok()) status = call_status(cl.clSetKernelArg(kernel, 1, sizeof loops, &loops), "clSetKernelArg");
  const double begin = monotonic_seconds();
  if (status.ok()) {
    status = call_status(cl.clEnqueueNDRangeKernel(session_.queue(), kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr), "clEnqueueNDRangeKernel");
  }
  const Status finished = session_.finish();
  *seconds = monotonic_seconds() - begin;
  return status.ok() ? finished : status;
}

Status FmaProbe::measure(double* flops_per_second) {
  *flops_per_second = 0;
  if (Status status = build(); !status.ok()) return status;
  const double items = static_cast<double>(std::max(1u, session_.device().compute_units) * kItemsPerUnit);
  for (std::size_t i = 0; i < std::size(kernels_); ++i) {
    double seconds = 0;
    int loops = 16;
    // The first launch is not timed: drivers compile in it.
    Status status = time(kernels_[i], loops, &seconds);
    for (bool is_long = false; status.ok() && !is_long && loops < kMostLoops;) {
      status = time(kernels_[i], loops, &seconds);
      is_long = seconds >= kLeastSeconds;
      if (!is_long) loops *= seconds > kLeastSeconds / 8 ? 2 : 8;
    }
    for (int round = 0; round < kRounds && status.ok(); ++round) {
      status = time(kernels_[i], loops, &seconds);
      if (status.ok()) *flops_per_second = std::max(*flops_per_second, items * kWidths[i] * kSums * 2 * loops / seconds);
    }
    if (!status.ok()) return status;
  }
  return Status::success();
}

}  // namespace aibench::opencl
