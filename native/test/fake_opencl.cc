// A stand-in for libOpenCL.so.1 and libclblast.so.1 whose device is memory of the host and whose products are truly computed. Work is kept until
// something waits for it, as a queue does: who does not wait has no result and no time. FAKE_OPENCL says what goes wrong (fake_words.h), and:
//   platforms=1 devices=1 type=gpu|cpu|accelerator fp16=1 fp64=1 compiler=1 memory=<bytes> largest=<bytes>
//   slow=0.02                  seconds that each piece of work takes
//   wrong=product|copy|unwritten  an element that is not right, a stream kernel that loses its last element, a product that is never written
#include <cmath>
#include <cstdio>
#include <functional>
#include <new>
#include <vector>

#include "../core/half.h"
#include "fake_words.h"
#include "opencl/opencl_abi.h"

using namespace aibench::opencl;

namespace {

struct Start {
  Start() { fake::variable = "FAKE_OPENCL"; }
} start;

struct Block {
  std::vector<unsigned char> bytes;
};
std::vector<std::function<void()>> queued;

struct StreamKernel {
  std::string name;
  Memory arguments[3];
};

Block* block(Memory memory) { return reinterpret_cast<Block*>(memory); }
template <typename T>
T* data(Memory memory) { return reinterpret_cast<T*>(block(memory)->bytes.data()); }

void drain() {
  for (const auto& work : queued) {
    fake::wait_seconds(fake::number("slow", 0));
    work();
  }
  queued.clear();
}

Int give(const std::string& text, std::size_t size, void* value, std::size_t* used) {
  if (used != nullptr) *used = text.size() + 1;
  if (value == nullptr) return kSuccess;
  if (size < text.size() + 1) return -30;
  std::memcpy(value, text.c_str(), text.size() + 1);
  return kSuccess;
}

template <typename T>
Int give(T number, std::size_t size, void* value, std::size_t* used) {
  if (used != nullptr) *used = sizeof number;
  if (value == nullptr) return kSuccess;
  if (size < sizeof number) return -30;
  std::memcpy(value, &number, sizeof number);
  return kSuccess;
}

template <typename T>
double widen(T value) {
  if constexpr (sizeof(T) == 2) return aibench::f16_to_float(value);
  else return value;
}
template <typename T>
T narrow(double value) {
  if constexpr (sizeof(T) == 2) return aibench::float_to_f16(static_cast<float>(value));
  else return static_cast<T>(value);
}

// Copies go to hidden memory: whoever reads C before the queue is empty reads what was there.
template <typename T>
Int multiply(const char* call, int layout, std::size_t m, std::size_t n, std::size_t k, Memory a, std::size_t lda, Memory b, std::size_t ldb, Memory c,
             std::size_t ldc, Memory workspace) {
  if (const int code = fake::trouble(call); code != 0) return code;
  if (layout != 101 || lda != k || ldb != n || ldc != n || workspace == nullptr) return -30;
  if (block(c)->bytes.size() < m * n * sizeof(T)) return -1009;
  queued.push_back([=] {
    const std::string wrong = fake::word("wrong", "");
    if (wrong == "unwritten") return;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t l = 0; l < k; ++l) sum += widen(data<T>(a)[i * k + l]) * widen(data<T>(b)[l * n + j]);
        data<T>(c)[i * n + j] = narrow<T>(sum);
      }
    }
    if (wrong == "product") data<T>(c)[m * n / 2] = narrow<T>(3.0 * static_cast<double>(k));
  });
  return 0;
}

}  // namespace

extern "C" {

Int clGetPlatformIDs(Uint room, Platform* platforms, Uint* count) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  const auto there = static_cast<Uint>(fake::number("platforms", 1));
  if (there == 0) return kPlatformNotFound;
  if (count != nullptr) *count = there;
  for (Uint i = 0; platforms != nullptr && i < room; ++i) platforms[i] = reinterpret_cast<Platform>(std::uintptr_t{i} + 1);
  return kSuccess;
}

Int clGetPlatformInfo(Platform, Uint what, std::size_t size, void* value, std::size_t* used) {
  return give(std::string(what == kPlatformName ? "Fake Computing" : "OpenCL 3.0 fake"), size, value, used);
}

Int clGetDeviceIDs(Platform platform, DeviceType, Uint room, Device* devices, Uint* count) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  const auto there = static_cast<Uint>(fake::number("devices", 1));
  if (there == 0) return kDeviceNotFound;
  if (count != nullptr) *count = there;
  for (Uint i = 0; devices != nullptr && i < room; ++i)
    devices[i] = reinterpret_cast<Device>(reinterpret_cast<std::uintptr_t>(platform) * 100 + i);
  return kSuccess;
}

Int clGetDeviceInfo(Device device, Uint what, std::size_t size, void* value, std::size_t* used) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  const auto number = reinterpret_cast<std::uintptr_t>(device) - 100;
  // The last of several devices is what `type` says, the others are CPUs.
  const bool last = number + 1 == static_cast<std::uintptr_t>(fake::number("devices", 1));
  const std::string type = last ? fake::word("type", "gpu") : "cpu";
  switch (what) {
    case kInfoType: return give<DeviceType>(type == "gpu" ? kTypeGpu : type == "cpu" ? kTypeCpu : kTypeAccelerator, size, value, used);
    case kInfoComputeUnits: return give<Uint>(128, size, value, used);
    case kInfoClockMegahertz: return give<Uint>(1500, size, value, used);
    case kInfoMaxAllocation: return give<Ulong>(static_cast<Ulong>(fake::number("largest", 1e9)), size, value, used);
    case kInfoGlobalMemory: return give<Ulong>(static_cast<Ulong>(fake::number("memory", 2e9)), size, value, used);
    case kInfoAvailable: return give<Bool>(fake::number("available", 1) != 0, size, value, used);
    case kInfoCompilerAvailable: return give<Bool>(fake::number("compiler", 1) != 0, size, value, used);
    case kInfoName: return give("Fake Device " + std::to_string(number), size, value, used);
    case kInfoVendor: return give(std::string("Fake Vendor"), size, value, used);
    case kInfoDriverVersion: return give(std::string("1.2.3"), size, value, used);
    case kInfoExtensions:
      return give(std::string("cl_khr_fp16_not_really") + (fake::number("fp16", 1) != 0 ? " cl_khr_fp16" : "") +
                      (fake::number("fp64", 1) != 0 ? " cl_khr_fp64" : ""),
                  size, value, used);
    default: return give(std::string("OpenCL 3.0 fake"), size, value, used);
  }
}

// A call that makes something gives it, or null and its code.
#define AIBENCH_MADE(object)                      \
  const int code = fake::trouble(__func__);       \
  if (error != nullptr) *error = code;            \
  return code != 0 ? nullptr : object

Context clCreateContext(const std::intptr_t*, Uint, const Device*, void (*)(const char*, const void*, std::size_t, void*), void*, Int* error) {
  AIBENCH_MADE(reinterpret_cast<Context>(new int));
}
Int clReleaseContext(Context context) { return delete reinterpret_cast<int*>(context), 0; }
Queue clCreateCommandQueue(Context, Device, Ulong, Int* error) { AIBENCH_MADE(reinterpret_cast<Queue>(new int)); }
Int clReleaseCommandQueue(Queue queue) { return delete reinterpret_cast<int*>(queue), 0; }

Memory clCreateBuffer(Context, MemFlags, std::size_t bytes, void*, Int* error) {
  AIBENCH_MADE(reinterpret_cast<Memory>(new Block{std::vector<unsigned char>(bytes)}));
}
Int clReleaseMemObject(Memory memory) { return delete block(memory), 0; }

Int clEnqueueWriteBuffer(Queue, Memory memory, Bool, std::size_t offset, std::size_t bytes, const void* from, Uint, const Event*, Event*) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  drain();
  std::memcpy(block(memory)->bytes.data() + offset, from, bytes);
  return 0;
}
Int clEnqueueReadBuffer(Queue, Memory memory, Bool, std::size_t offset, std::size_t bytes, void* to, Uint, const Event*, Event*) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  drain();
  std::memcpy(to, block(memory)->bytes.data() + offset, bytes);
  return 0;
}

Program clCreateProgramWithSource(Context, Uint, const char**, const std::size_t*, Int* error) { AIBENCH_MADE(reinterpret_cast<Program>(new int)); }
Int clBuildProgram(Program, Uint, const Device*, const char*, void (*)(Program, void*), void*) { return fake::trouble(__func__); }
Int clGetProgramBuildInfo(Program, Device, Uint, std::size_t size, void* value, std::size_t* used) {
  return give(std::string("line 3: the fake does not like this"), size, value, used);
}
Int clReleaseProgram(Program program) { return delete reinterpret_cast<int*>(program), 0; }
Kernel clCreateKernel(Program, const char* name, Int* error) { AIBENCH_MADE(reinterpret_cast<Kernel>(new StreamKernel{name, {}})); }
Int clSetKernelArg(Kernel kernel, Uint index, std::size_t size, const void* value) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  std::memcpy(&reinterpret_cast<StreamKernel*>(kernel)->arguments[index], value, size);
  return 0;
}
Int clReleaseKernel(Kernel kernel) { return delete reinterpret_cast<StreamKernel*>(kernel), 0; }

Int clEnqueueNDRangeKernel(Queue, Kernel kernel, Uint, const std::size_t*, const std::size_t* items, const std::size_t*, Uint, const Event*, Event*) {
  if (const int code = fake::trouble(__func__); code != 0) return code;
  const StreamKernel call = *reinterpret_cast<StreamKernel*>(kernel);
  // The probe of multiply-adds: 1e12 per second.
  if (call.name.rfind("fma_probe_", 0) == 0) {
    const double work = static_cast<double>(*items) * static_cast<double>(reinterpret_cast<std::uintptr_t>(call.arguments[1])) * 16 * std::atof(call.name.c_str() + 10);
    queued.push_back([work] { fake::wait_seconds(work / 1e12); });
    return 0;
  }
  queued.push_back([call, count = *items * 4] {
    const float *x = data<float>(call.arguments[0]), *y = data<float>(call.arguments[1]);
    auto* z = data<float>(call.arguments[2]);
    const std::size_t end = fake::word("wrong", "") == "copy" ? count - 1 : count;
    for (std::size_t i = 0; i < end; ++i)
      z[i] = call.name == "stream_copy" ? x[i] : call.name == "stream_scale" ? 3 * x[i] : call.name == "stream_add" ? x[i] + y[i] : x[i] + 3 * y[i];
  });
  return 0;
}

Int clFlush(Queue) { return fake::trouble(__func__); }
Int clFinish(Queue) {
  if (const int code = fake::trouble(__func__); code != 0) {
    queued.clear();
    return code;
  }
  drain();
  return 0;
}
Int clGetEventProfilingInfo(Event, Uint, std::size_t, void*, std::size_t*) { return -7; }
Int clReleaseEvent(Event) { return 0; }

#define AIBENCH_GEMM(letter, type)                                                                                                           \
  Int CLBlast##letter##gemmWithTempBuffer(int layout, int, int, std::size_t m, std::size_t n, std::size_t k, type, Memory a, std::size_t,    \
                                          std::size_t lda, Memory b, std::size_t, std::size_t ldb, type, Memory c, std::size_t,              \
                                          std::size_t ldc, Queue*, Event*, Memory workspace) {                                               \
    return multiply<type>(__func__, layout, m, n, k, a, lda, b, ldb, c, ldc, workspace);                                                    \
  }                                                                                                                                          \
  Int CLBlast##letter##GemmTempBufferSize(int, int, int, std::size_t, std::size_t, std::size_t, std::size_t, std::size_t, std::size_t,       \
                                          std::size_t, std::size_t, std::size_t, Queue*, std::size_t* bytes) {                               \
    *bytes = 64;                                                                                                                             \
    return fake::trouble(__func__);                                                                                                          \
  }
AIBENCH_GEMM(S, float)
AIBENCH_GEMM(D, double)
AIBENCH_GEMM(H, std::uint16_t)

}  // extern "C"
