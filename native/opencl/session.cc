#include "opencl/session.h"

#include <cstdint>
#include <cstdio>

namespace aibench::opencl {
namespace {

std::string gib(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", bytes / 0x1p30);
  return text;
}

}  // namespace

Session::~Session() {
  if (queue_ != nullptr) library_.clFinish(queue_);
  for (const Memory memory : buffers_) library_.clReleaseMemObject(memory);
  if (queue_ != nullptr) library_.clReleaseCommandQueue(queue_);
  if (context_ != nullptr) library_.clReleaseContext(context_);
}

Status Session::open(bool profiling) {
  const std::intptr_t properties[] = {kContextPlatform, reinterpret_cast<std::intptr_t>(device_.platform), 0};
  Int code = kSuccess;
  context_ = library_.clCreateContext(properties, 1, &device_.device, nullptr, nullptr, &code);
  if (context_ == nullptr) return call_status(code == kSuccess ? -2 : code, "clCreateContext");
  queue_ = library_.clCreateCommandQueue(context_, device_.device, profiling ? kProfiling : 0, &code);
  return queue_ == nullptr ? call_status(code == kSuccess ? -5 : code, "clCreateCommandQueue") : Status::success();
}

Status Session::allocate(std::size_t bytes, Memory* memory) {
  const auto wanted = static_cast<double>(bytes);
  const auto largest = static_cast<double>(device_.max_allocation_bytes), all = static_cast<double>(device_.memory_bytes);
  if (wanted > largest || wanted + static_cast<double>(allocated_) > all) {
    return Status::failure("OUT_OF_MEMORY",
                           "a buffer of " + gib(wanted) + " beside " + gib(static_cast<double>(allocated_)) + " does not fit: " + device_.name +
                               " has " + gib(all) + " and at most " + gib(largest) + " in one buffer",
                           "Choose a smaller size.");
  }
  Int code = kSuccess;
  *memory = library_.clCreateBuffer(context_, kReadWrite, bytes, nullptr, &code);
  if (*memory == nullptr) return call_status(code == kSuccess ? -4 : code, "clCreateBuffer");
  buffers_.push_back(*memory);
  allocated_ += bytes;
  return Status::success();
}

Status Session::write(Memory memory, std::size_t offset, const void* data, std::size_t bytes) {
  return call_status(library_.clEnqueueWriteBuffer(queue_, memory, kBlocking, offset, bytes, data, 0, nullptr, nullptr), "clEnqueueWriteBuffer");
}

Status Session::read(Memory memory, std::size_t offset, void* data, std::size_t bytes) {
  return call_status(library_.clEnqueueReadBuffer(queue_, memory, kBlocking, offset, bytes, data, 0, nullptr, nullptr), "clEnqueueReadBuffer");
}

Status Session::finish() { return call_status(library_.clFinish(queue_), "clFinish"); }

std::map<std::string, std::string> Session::facts() const {
  return {{"device", "opencl:" + std::to_string(device_.index)},
          {"deviceName", device_.name},
          {"deviceType", device_.type},
          {"softwareDevice", device_.software ? "yes" : "no"},
          {"platform", device_.platform_name},
          {"platformVersion", device_.platform_version},
          {"driverVersion", device_.driver_version},
          {"openclLibrary", library_.file.path()},
          {"bytesAllocated", std::to_string(allocated_)}};
}

}  // namespace aibench::opencl
