// A stand-in for libcuda.so.1 and libcublasLt.so (and, by the same functions under their other names, for libamdhip64.so and
// libhipblaslt.so; libhiprtc.so, too) whose device is memory of the host and whose products are truly computed. What goes wrong is said in
// FAKE_GPU, words with spaces between:
//   vendor=rocm                  numbers as HIP has them
//   devices=8 version=12040 lt=120405 free=1000000000 memory=... clock=1980000 sms=132 mig=1
//   cc=100                       compute capability 10.0; mxfp4=1: the library multiplies that, too
//   fail=cuMemAlloc_v2:2         that call returns 2; fail=cublasLtMatmul:14, too. Several: fail=a:1,b:2
//   hang=cuInit                  that call never returns
//   crash=cuLaunchKernel         that call ends the process
//   after=3                      fail, hang and crash begin with the fourth such call
//   wrong=matmul|copy|stale      results that are not right: one element, a copy that loses its last word, nothing written
//   wrong=scales-by-row|one-scale   blocks of scales that are looked for in another layout, or not at all
//   events=0.03                  events that show this share of the time that has passed
//   algorithms=2                 how many the heuristics give; the second-last is the fastest
//   slow=1:3                     device 1 takes 3 times as long for what it does
// After a bar what is said is for one device, once it is in use: `devices=3 | 1: hang=cublasLtMatmul | 2: wrong=matmul`.
// Written in plain C++ without the code that is under test but for its tables of names.
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../gpu/driver.h"

using aibench::gpu::DevicePointer, aibench::gpu::Event, aibench::gpu::Graph, aibench::gpu::Place, aibench::gpu::Result,
    aibench::gpu::Stream, aibench::gpu::Uuid;

namespace {

struct FakeContext {
  int device;
};
FakeContext contexts[64];
thread_local FakeContext* current = nullptr;

// What is said to all, and to the device in use.
std::string orders() {
  const char* all = std::getenv("FAKE_GPU");
  std::string rest = all == nullptr ? "" : all, text = " ";
  for (bool is_first = true; !rest.empty(); is_first = false) {
    const std::size_t bar = rest.find('|');
    const std::string part = rest.substr(0, bar);
    const std::string prefix = current == nullptr ? "none:" : " " + std::to_string(current->device) + ":";
    if (is_first) text += part;
    else if (part.rfind(prefix, 0) == 0) text += part.substr(prefix.size());
    rest = bar == std::string::npos ? "" : rest.substr(bar + 1);
  }
  return text + " ";
}

std::string word(const char* key, const char* otherwise) {
  const std::string text = orders();
  const std::size_t at = text.find(std::string(" ") + key + "=");
  if (at == std::string::npos) return otherwise;
  const std::size_t begin = at + std::strlen(key) + 2;
  return text.substr(begin, text.find(' ', begin) - begin);
}
long number(const char* key, long otherwise) { return std::atol(word(key, std::to_string(otherwise).c_str()).c_str()); }

bool listed(const char* key, const char* call, int* value = nullptr) {
  const std::string list = "," + word(key, "") + ",";
  const std::string name = call;
  std::size_t at = list.find("," + name + ",");
  if (at != std::string::npos) return true;
  at = list.find("," + name + ":");
  if (at == std::string::npos) return false;
  if (value != nullptr) *value = std::atoi(list.c_str() + at + name.size() + 2);
  return true;
}

// Does what FAKE_GPU says of this call; the code that it must return.
int trouble(const char* call) {
  static std::map<std::string, long> seen;
  if (seen[call]++ < number("after", 0)) return 0;
  if (listed("hang", call)) {
    for (;;) pause();
  }
  if (listed("crash", call)) abort();
  int code = 0;
  listed("fail", call, &code);
  return code;
}
#define TROUBLE()                                     \
  if (const int code = trouble(__func__); code != 0) \
  return code

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::map<DevicePointer, std::size_t> allocated;  // by address
std::map<DevicePointer, int> owner;
long used[64] = {};

// Work is done at once, or kept while a stream is being captured.
struct FakeGraph {
  std::vector<std::function<void()>> work;
};
FakeGraph* capturing = nullptr;
void submit(std::function<void()> work) {
  if (capturing != nullptr) {
    capturing->work.push_back(std::move(work));
    return;
  }
  const double begin = now();
  work();
  const int device = current == nullptr ? 0 : current->device;
  const std::string slow = word("slow", "");
  const std::size_t colon = slow.find(':');
  if (colon != std::string::npos && std::atoi(slow.c_str()) == device) {
    const double until = begin + (now() - begin) * std::atof(slow.c_str() + colon + 1);
    while (now() < until) {
    }
  }
}

bool is_rocm() { return word("vendor", "cuda") == "rocm"; }

template <typename T>
T* at(DevicePointer pointer) {
  return reinterpret_cast<T*>(pointer);
}

}  // namespace

extern "C" {

int cuInit(unsigned) {
  TROUBLE();
  return number("devices", 1) == 0 ? 100 : 0;
}
int cuDriverGetVersion(int* version) {
  TROUBLE();
  *version = static_cast<int>(number("version", is_rocm() ? 60342134 : 12040));
  return 0;
}
int cuDeviceGetCount(int* count) {
  TROUBLE();
  *count = static_cast<int>(number("devices", 1));
  return 0;
}
int cuDeviceGet(int* device, int index) {
  TROUBLE();
  if (index >= number("devices", 1)) return 101;
  *device = index;
  return 0;
}
int cuDeviceGetName(char* name, int length, int) {
  TROUBLE();
  std::strncpy(name, "Fake H200", static_cast<std::size_t>(length));
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  TROUBLE();
  *bytes = static_cast<std::size_t>(number("memory", 8L << 30));
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  TROUBLE();
  const aibench::gpu::Attributes n = is_rocm() ? aibench::gpu::Attributes{63, 5, 60, 59, 19, 23, 61, 16, 0}
                                               : aibench::gpu::Attributes{16, 13, 36, 37, 38, 75, 76, 18, 32};
  *value = 0;
  if (attribute == n.multiprocessors) *value = static_cast<int>(number("sms", 132));
  if (attribute == n.clock_khz) *value = static_cast<int>(number("clock", 1980000));
  if (attribute == n.memory_clock_khz) *value = 3201000;
  if (attribute == n.bus_width) *value = 6144;
  if (attribute == n.l2_bytes) *value = static_cast<int>(number("l2", 65536));
  if (attribute == n.major) *value = static_cast<int>(number("cc", 90) / 10);
  if (attribute == n.minor) *value = is_rocm() ? 4 : static_cast<int>(number("cc", 90) % 10);
  if (attribute == n.ecc) *value = 1;
  return 0;
}
int cuDeviceGetPCIBusId(char* text, int length, int device) {
  TROUBLE();
  const std::string id = "0000:" + std::to_string(10 + device) + ":00.0";
  std::strncpy(text, id.c_str(), static_cast<std::size_t>(length));
  return 0;
}
int cuDeviceGetUuid(Uuid* uuid, int device) {
  TROUBLE();
  for (int i = 0; i < 16; ++i) uuid->bytes[i] = static_cast<unsigned char>(i + 16 * device);
  return 0;
}
int cuDeviceGetUuid_v2(Uuid* uuid, int device) {
  TROUBLE();
  static_cast<void>(cuDeviceGetUuid(uuid, device));
  if (number("mig", 0) == 1) uuid->bytes[15] = 0xee;
  return 0;
}
int cuGetErrorName(int code, const char** text) {
  static const std::map<int, const char*> kNames = {{2, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                                                    {719, "CUDA_ERROR_LAUNCH_FAILED"}, {802, "CUDA_ERROR_SYSTEM_NOT_READY"}, {999, "CUDA_ERROR_UNKNOWN"}};
  const auto found = kNames.find(code);
  if (found == kNames.end()) return 1;
  *text = found->second;
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  TROUBLE();
  contexts[device].device = device;
  *context = &contexts[device];
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  TROUBLE();
  return 0;
}
int cuCtxSetCurrent(void* context) {
  TROUBLE();
  current = static_cast<FakeContext*>(context);
  return 0;
}
int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  TROUBLE();
  if (current == nullptr) return 201;
  *total = static_cast<std::size_t>(number("memory", 8L << 30));
  *free = static_cast<std::size_t>(number("free", 4L << 30) - used[current->device]);
  return 0;
}
int cuMemAlloc_v2(DevicePointer* pointer, std::size_t bytes) {
  TROUBLE();
  if (current == nullptr) return 201;
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory == nullptr) return 2;
  *pointer = reinterpret_cast<DevicePointer>(memory);
  allocated[*pointer] = bytes;
  owner[*pointer] = current->device;
  used[current->device] += static_cast<long>(bytes);
  return 0;
}
int cuMemFree_v2(DevicePointer pointer) {
  TROUBLE();
  if (allocated.count(pointer) == 0) return 1;
  used[owner[pointer]] -= static_cast<long>(allocated[pointer]);
  allocated.erase(pointer);
  std::free(at<void>(pointer));
  return 0;
}
int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) {
  TROUBLE();
  *memory = std::malloc(bytes);
  return 0;
}
int cuMemFreeHost(void* memory) {
  TROUBLE();
  std::free(memory);
  return 0;
}

static std::size_t copied(std::size_t bytes) { return word("wrong", "") == "copy" && bytes >= 4 ? bytes - 4 : bytes; }

int cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, std::size_t bytes, Stream) {
  TROUBLE();
  submit([=] { std::memcpy(at<void>(to), from, copied(bytes)); });
  return 0;
}
int cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, std::size_t bytes, Stream) {
  TROUBLE();
  submit([=] { std::memcpy(to, at<void>(from), copied(bytes)); });
  return 0;
}
int cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, std::size_t bytes, Stream) {
  TROUBLE();
  submit([=] { std::memcpy(at<void>(to), at<void>(from), copied(bytes)); });
  return 0;
}
int cuMemcpyPeerAsync(DevicePointer to, Place, DevicePointer from, Place, std::size_t bytes, Stream) {
  TROUBLE();
  submit([=] { std::memcpy(at<void>(to), at<void>(from), copied(bytes)); });
  return 0;
}
int cuMemsetD32Async(DevicePointer to, unsigned value, std::size_t count, Stream) {
  TROUBLE();
  submit([=] {
    for (std::size_t i = 0; i < count; ++i) at<unsigned>(to)[i] = value;
  });
  return 0;
}
int cuDeviceCanAccessPeer(int* can, int, int) {
  TROUBLE();
  *can = number("peer", 1) == 1;
  return 0;
}
int cuCtxEnablePeerAccess(Place, unsigned) {
  TROUBLE();
  return 0;
}
int cuStreamCreate(Stream* stream, unsigned) {
  TROUBLE();
  *stream = new int(0);
  return 0;
}
int cuStreamDestroy_v2(Stream stream) {
  TROUBLE();
  delete static_cast<int*>(stream);
  return 0;
}
int cuStreamSynchronize(Stream) {
  TROUBLE();
  return 0;
}
int cuEventCreate(Event* event, unsigned) {
  TROUBLE();
  *event = new double(0);
  return 0;
}
int cuEventDestroy_v2(Event event) {
  TROUBLE();
  delete static_cast<double*>(event);
  return 0;
}
int cuEventRecord(Event event, Stream) {
  TROUBLE();
  *static_cast<double*>(event) = now();
  return 0;
}
int cuEventSynchronize(Event) {
  TROUBLE();
  return 0;
}
int cuEventElapsedTime(float* milliseconds, Event begin, Event end) {
  TROUBLE();
  const double share = std::atof(word("events", "1").c_str());
  *milliseconds = static_cast<float>((*static_cast<double*>(end) - *static_cast<double*>(begin)) * 1e3 * share);
  return 0;
}
int cuModuleLoadDataEx(void** module, const void* image, unsigned, void*, void**) {
  TROUBLE();
  // What a driver would do: read the text. A version above 6.0 would shut out drivers that are still in use.
  const char* text = static_cast<const char*>(image);
  // HIP takes a code object, never PTX.
  if (is_rocm()) {
    if (std::strncmp(text, "code object of gfx942: ", 23) != 0) return 209;
    *module = const_cast<char*>(text);
    return 0;
  }
  if (std::strstr(text, ".version 6.0") == nullptr || std::strstr(text, ".entry") == nullptr) return 218;
  *module = const_cast<char*>(text);
  return 0;
}
int cuModuleUnload(void*) {
  TROUBLE();
  return 0;
}
int cuModuleGetFunction(void** function, void* module, const char* name) {
  TROUBLE();
  const std::string entry = (is_rocm() ? "__global__ void " : ".entry ") + std::string(name) + "(";
  if (std::strstr(static_cast<const char*>(module), entry.c_str()) == nullptr) return 500;
  *function = std::strcmp(name, "aibench_triad") == 0 ? reinterpret_cast<void*>(1) : reinterpret_cast<void*>(2);
  return 0;
}
int cuLaunchKernel(void* function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void** parameters, void**) {
  TROUBLE();
  if (function == reinterpret_cast<void*>(1)) {
    float* a = at<float>(*static_cast<DevicePointer*>(parameters[0]));
    const float* b = at<float>(*static_cast<DevicePointer*>(parameters[1]));
    const float* c = at<float>(*static_cast<DevicePointer*>(parameters[2]));
    const float s = *static_cast<float*>(parameters[3]);
    const auto count = *static_cast<std::uint64_t*>(parameters[4]);
    submit([=] {
      for (std::uint64_t i = 0; i < count * 4; ++i) a[i] = std::fmaf(s, c[i], b[i]);
      if (word("wrong", "") == "copy") a[count * 4 - 1] = 0;
    });
  } else {
    float* a = at<float>(*static_cast<DevicePointer*>(parameters[0]));
    const float* b = at<float>(*static_cast<DevicePointer*>(parameters[1]));
    const auto count = *static_cast<std::uint64_t*>(parameters[2]);
    submit([=] { std::memcpy(a, b, copied(count * 16)); });
  }
  return 0;
}
int cuStreamBeginCapture_v2(Stream, int) {
  TROUBLE();
  capturing = new FakeGraph;
  return 0;
}
int cuStreamEndCapture(Stream, Graph* graph) {
  *graph = capturing;
  capturing = nullptr;
  TROUBLE();
  return 0;
}
int cuGraphInstantiateWithFlags(Graph* made, Graph graph, unsigned long long) {
  TROUBLE();
  *made = new FakeGraph(*static_cast<FakeGraph*>(graph));
  return 0;
}
int cuGraphLaunch(Graph graph, Stream) {
  TROUBLE();
  for (const auto& work : static_cast<FakeGraph*>(graph)->work) submit(work);
  return 0;
}
int cuGraphExecDestroy(Graph graph) {
  TROUBLE();
  delete static_cast<FakeGraph*>(graph);
  return 0;
}
int cuGraphDestroy(Graph graph) {
  TROUBLE();
  delete static_cast<FakeGraph*>(graph);
  return 0;
}

}  // extern "C"

// HIP's runtime compiler: its code is the source with a few words before it. It wants a device to compile for.
extern "C" {
int hiprtcVersion(int* major, int* minor) {
  TROUBLE();
  *major = 6;
  *minor = 3;
  return 0;
}
int hiprtcCreateProgram(void** program, const char* source, const char*, int headers, const char**, const char**) {
  TROUBLE();
  if (headers != 0 || source == nullptr) return 3;
  *program = new std::string(std::string("code object of gfx942: ") + source);
  return 0;
}
int hiprtcDestroyProgram(void** program) {
  TROUBLE();
  delete static_cast<std::string*>(*program);
  return 0;
}
int hiprtcCompileProgram(void* program, int options, const char**) {
  TROUBLE();
  const bool is_source = static_cast<std::string*>(program)->find("__global__ void aibench_copy(") != std::string::npos;
  return current != nullptr && options == 0 && is_source ? 0 : 6;
}
int hiprtcGetProgramLogSize(void*, std::size_t* size) {
  TROUBLE();
  *size = 27;
  return 0;
}
int hiprtcGetProgramLog(void*, char* log) {
  TROUBLE();
  std::memcpy(log, "the fake does not like this", 27);
  log[26] = 0;
  return 0;
}
int hiprtcGetCodeSize(void* program, std::size_t* size) {
  TROUBLE();
  *size = static_cast<std::string*>(program)->size() + 1;
  return 0;
}
int hiprtcGetCode(void* program, char* code) {
  TROUBLE();
  std::memcpy(code, static_cast<std::string*>(program)->c_str(), static_cast<std::string*>(program)->size() + 1);
  return 0;
}
}  // extern "C"

#include "fake_gpu_matmul.inc"
#include "fake_gpu_collectives.inc"

// The same functions under HIP's names.
extern "C" {
#define AIBENCH_GPU_CALL(member, need, cuda, hip, ...) int hip(__VA_ARGS__) __attribute__((alias(#cuda)));
#include "../gpu/driver_calls.inc"
#undef AIBENCH_GPU_CALL
}
