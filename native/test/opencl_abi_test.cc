// opencl/opencl_abi.h and opencl_calls.inc held against CL/cl.h, at compile time, where that is installed (Debian: opencl-c-headers).
#include <cstdio>

#include "opencl/opencl_abi.h"

#if __has_include(<CL/cl.h>)
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_ext.h>

namespace {

using namespace aibench::opencl;

// As many parameters, each as large, and so the result.
template <typename A, typename B>
constexpr bool kAlike = false;
template <typename R, typename... P, typename S, typename... Q>
  requires(sizeof...(P) == sizeof...(Q))
constexpr bool kAlike<R (*)(P...), S (*)(Q...)> = sizeof(R) == sizeof(S) && ((sizeof(P) == sizeof(Q)) && ...);

#define AIBENCH_CL(name, result, arguments) static_assert(kAlike<decltype(&::name), result(*) arguments>, #name);
#include "opencl/opencl_calls.inc"
#undef AIBENCH_CL

static_assert(kSuccess == CL_SUCCESS && kDeviceNotFound == CL_DEVICE_NOT_FOUND && kPlatformNotFound == CL_PLATFORM_NOT_FOUND_KHR);
static_assert(kTypeCpu == CL_DEVICE_TYPE_CPU && kTypeGpu == CL_DEVICE_TYPE_GPU && kTypeAccelerator == CL_DEVICE_TYPE_ACCELERATOR && kTypeAll == CL_DEVICE_TYPE_ALL);
static_assert(kPlatformVersion == CL_PLATFORM_VERSION && kPlatformName == CL_PLATFORM_NAME);
static_assert(kInfoType == CL_DEVICE_TYPE && kInfoComputeUnits == CL_DEVICE_MAX_COMPUTE_UNITS && kInfoClockMegahertz == CL_DEVICE_MAX_CLOCK_FREQUENCY);
static_assert(kInfoMaxAllocation == CL_DEVICE_MAX_MEM_ALLOC_SIZE && kInfoGlobalMemory == CL_DEVICE_GLOBAL_MEM_SIZE && kInfoAvailable == CL_DEVICE_AVAILABLE);
static_assert(kInfoCompilerAvailable == CL_DEVICE_COMPILER_AVAILABLE && kInfoName == CL_DEVICE_NAME && kInfoVendor == CL_DEVICE_VENDOR);
static_assert(kInfoDriverVersion == CL_DRIVER_VERSION && kInfoVersion == CL_DEVICE_VERSION && kInfoExtensions == CL_DEVICE_EXTENSIONS);
static_assert(kReadWrite == CL_MEM_READ_WRITE && kProfiling == CL_QUEUE_PROFILING_ENABLE && kBuildLog == CL_PROGRAM_BUILD_LOG && kBlocking == CL_TRUE);
static_assert(kProfilingStart == CL_PROFILING_COMMAND_START && kProfilingEnd == CL_PROFILING_COMMAND_END);
static_assert(kContextPlatform == CL_CONTEXT_PLATFORM);

}  // namespace

int main() {
  std::puts("compared with CL/cl.h");
  return 0;
}
#else
int main() {
  std::puts("CL/cl.h is not installed: nothing compared");
  return 0;
}
#endif
