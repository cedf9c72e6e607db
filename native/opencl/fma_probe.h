// The most that a device multiplies and adds per second, measured: the ceiling that products by CLBlast are held against. OpenCL tells neither
// how many units a device has nor what one does per clock.
#pragma once
#include <string>

#include "opencl/session.h"

namespace aibench::opencl {

class FmaProbe {
 public:
  // dtype: f32, f64, f16.
  FmaProbe(Session& session, std::string dtype) : session_(session), dtype_(std::move(dtype)) {}
  ~FmaProbe();
  FmaProbe(const FmaProbe&) = delete;
  FmaProbe& operator=(const FmaProbe&) = delete;

  // Best of some launches, with vectors of 1, 4 and 16 numbers, eight sums each that do not wait for one another; FLOP/s. Takes about 0.3 s, the
  // first time also what the driver needs to compile. Fails with OPENCL_FAILED.
  Status measure(double* flops_per_second);

 private:
  Status build();
  Status time(Kernel kernel, int loops, double* seconds);

  Session& session_;
  const std::string dtype_;
  Program program_ = nullptr;
  Kernel kernels_[3] = {};
  Memory result_ = nullptr;
};

}  // namespace aibench::opencl
