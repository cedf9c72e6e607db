#include "opencl/opencl_stream.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gemm/random_fill.h"
#include "opencl/program.h"

namespace aibench::opencl {
namespace {

// One work item moves 16 bytes of each array; the compiler of the device knows no arrays that overlap.
constexpr const char* kSource = R"(
__kernel void stream_copy(__global const float4* restrict x, __global const float4* restrict y, __global float4* restrict z) {
  const size_t i = get_global_id(0); z[i] = x[i];
}
__kernel void stream_scale(__global const float4* restrict x, __global const float4* restrict y, __global float4* restrict z) {
  const size_t i = get_global_id(0); z[i] = 3.0f * x[i];
}
__kernel void stream_add(__global const float4* restrict x, __global const float4* restrict y, __global float4* restrict z) {
  const size_t i = get_global_id(0); z[i] = x[i] + y[i];
}
__kernel void stream_triad(__global const float4* restrict x, __global const float4* restrict y, __global float4* restrict z) {
  const size_t i = get_global_id(0); z[i] = x[i] + 3.0f * y[i];
}
)";

struct KernelRow {
  const char* name;
  int inputs;
  int flops;  // per element
};
constexpr KernelRow kKernels[] = {{"copy", 1, 0}, {"scale", 1, 1}, {"add", 2, 1}, {"triad", 2, 2}};
constexpr std::size_t kVector = 4;            // floats
constexpr std::size_t kChunk = 1 << 22;       // floats that pass through the host at a time

// Whole numbers below 2^20: x + 3y is exact in f32 whether or not the device fuses it, so that outputs are compared bit for bit.
float input(std::uint64_t seed, int array, std::size_t index) {
  return static_cast<float>(random_bits(seed + static_cast<std::uint64_t>(array), index) >> 44);
}

class DeviceStream final : public Problem {
 public:
  DeviceStream(const StreamDeviceOptions& options, const KernelRow& row, std::unique_ptr<Session> session)
      : options_(options), row_(row), session_(std::move(session)), count_(options.bytes_per_array / (kVector * sizeof(float)) * kVector) {}

  ~DeviceStream() override {
    const OpenclLibrary& cl = session_->library();
    if (kernel_ != nullptr) cl.clReleaseKernel(kernel_);
    if (program_ != nullptr) cl.clReleaseProgram(program_);
  }

  Status prepare() override {
    Status status = build();
    for (int array = 0; status.ok() && array < 3; ++array) {
      // The second input is not read by copy and scale: it needs no memory of its own.
      if (array == 1 && row_.inputs == 1) arrays_[1] = arrays_[0];
      else status = session_->allocate(count_ * sizeof(float), &arrays_[array]);
    }
    if (status.ok()) status = fill();
    for (Uint i = 0; status.ok() && i < 3; ++i) {
      status = call_status(session_->library().clSetKernelArg(kernel_, i, sizeof(Memory), &arrays_[i]), "clSetKernelArg");
    }
    return status;
  }

  void run(std::uint64_t iterations) override {
    const std::size_t items = count_ / kVector;
    Status status = Status::success();
    for (; status.ok() && iterations != 0; --iterations) {
      status = call_status(session_->library().clEnqueueNDRangeKernel(session_->queue(), kernel_, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
                           "clEnqueueNDRangeKernel");
    }
    const Status finished = session_->finish();
    if (!status.ok() || !finished.ok()) throw ProblemFailure(status.ok() ? finished : status);
  }

  Verification verify() override {
    std::vector<float> got(std::min(count_, kChunk));
    double wrong = 0;
    for (std::size_t first = 0; first < count_; first += kChunk) {
      const std::size_t here = std::min(kChunk, count_ - first);
      const Status status = session_->read(arrays_[2], first * sizeof(float), got.data(), here * sizeof(float));
      if (!status.ok()) throw ProblemFailure(status);
      for (std::size_t i = 0; i < here; ++i) wrong += got[i] == expected(first + i) ? 0 : 1;
    }
    return {"bit for bit", wrong == 0, wrong, 0};
  }

  const char* fault_kinds() const override { return "value,unwritten"; }

  // On the device itself.
  bool inject_fault(const std::string& kind) override {
    if (kind != "value" && kind != "unwritten") return false;
    const std::size_t index = random_bits(options_.seed + 17, faults_++) % count_;
    const float damaged = kind == "value" ? expected(index) + 1 : NAN;
    const Status status = session_->write(arrays_[2], index * sizeof(float), &damaged, sizeof damaged);
    if (!status.ok()) throw ProblemFailure(status);
    return true;
  }

  Work work() const override {
    const auto elements = static_cast<double>(count_);
    return {row_.flops * elements, (row_.inputs + 1) * elements * sizeof(float), 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = session_->facts();
    facts["kernel"] = std::string("opencl stream_") + row_.name + " float4";
    facts["bytesPerArray"] = std::to_string(count_ * sizeof(float));
    facts["timedBy"] = "host clock, until the device has ended";
    facts["noLimit"] = "this is the probe of the device's memory; OpenCL tells neither the clock nor the width of its bus";
    return facts;
  }

  int threads() const override { return 1; }

 private:
  float expected(std::size_t index) const {
    const float x = input(options_.seed, 0, index);
    if (row_.inputs == 1) return row_.flops == 0 ? x : 3 * x;
    const float y = input(options_.seed, 1, index);
    return row_.flops == 1 ? x + y : x + 3 * y;
  }

  Status build() {
    const Status status = build_program(*session_, kSource, "", &program_);
    return status.ok() ? make_kernel(*session_, program_, std::string("stream_") + row_.name, &kernel_) : status;
  }

  Status fill() {
    std::vector<float> chunk(std::min(count_, kChunk));
    for (int array = 0; array < 3; ++array) {
      if (array == 1 && row_.inputs == 1) continue;
      for (std::size_t first = 0; first < count_; first += kChunk) {
        const std::size_t here = std::min(kChunk, count_ - first);
        for (std::size_t i = 0; i < here; ++i) chunk[i] = array == 2 ? NAN : input(options_.seed, array, first + i);
        const Status status = session_->write(arrays_[array], first * sizeof(float), chunk.data(), here * sizeof(float));
        if (!status.ok()) return status;
      }
    }
    return Status::success();
  }

  const StreamDeviceOptions options_;
  const KernelRow& row_;
  const std::unique_ptr<Session> session_;
  const std::size_t count_;  // floats of each array
  Program program_ = nullptr;
  Kernel kernel_ = nullptr;
  Memory arrays_[3] = {};  // x, y, z
  std::uint64_t faults_ = 0;
};

}  // namespace

Status create_stream(const StreamDeviceOptions& options, std::unique_ptr<Problem>* problem) {
  const KernelRow* row = nullptr;
  for (const KernelRow& candidate : kKernels) {
    if (options.kernel == candidate.name) row = &candidate;
  }
  if (row == nullptr || options.bytes_per_array < kVector * sizeof(float)) {
    return Status::failure("BAD_OPTION", "no kernel \"" + options.kernel + "\" over arrays of " + std::to_string(options.bytes_per_array) + " bytes",
                           "Choose copy, scale, add or triad, and at least 16 bytes.");
  }
  const OpenclLibrary* library = nullptr;
  DeviceInfo device;
  Status status = OpenclLibrary::open(options.libraries, &library);
  if (status.ok()) status = choose_device(*library, options.device, &device);
  if (status.ok() && !device.compiler) {
    status = Status::failure("DEVICE_UNSUPPORTED", device.name + " has no compiler for OpenCL C", "Choose another device.");
  }
  if (!status.ok()) return status;
  auto session = std::make_unique<Session>(*library, device);
  status = session->open();
  if (status.ok()) *problem = std::make_unique<DeviceStream>(options, *row, std::move(session));
  return status;
}

}  // namespace aibench::opencl
