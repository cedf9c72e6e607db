// The part of OpenCL's binary interface that is used here. Types, values and signatures are those of CL/cl.h 1.2 and CL/cl_ext.h (The Khronos
// Group, Apache-2.0, https://github.com/KhronosGroup/OpenCL-Headers); they are the same in every later version. native/test/opencl_abi_test.cc
// compares them with the header where it is installed.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench::opencl {

using Int = std::int32_t;
using Uint = std::uint32_t;
using Ulong = std::uint64_t;
using Bool = Uint;
using DeviceType = Ulong;
using MemFlags = Ulong;

using Platform = struct PlatformTag*;
using Device = struct DeviceTag*;
using Context = struct ContextTag*;
using Queue = struct QueueTag*;
using Memory = struct MemoryTag*;
using Program = struct ProgramTag*;
using Kernel = struct KernelTag*;
using Event = struct EventTag*;

constexpr Int kSuccess = 0;
constexpr Int kDeviceNotFound = -1;
constexpr Int kPlatformNotFound = -1001;  // of the ICD loader

constexpr DeviceType kTypeCpu = 1 << 1, kTypeGpu = 1 << 2, kTypeAccelerator = 1 << 3, kTypeAll = 0xffffffffu;

constexpr Uint kPlatformVersion = 0x0901, kPlatformName = 0x0902;
constexpr Uint kInfoType = 0x1000, kInfoComputeUnits = 0x1002, kInfoClockMegahertz = 0x100c, kInfoMaxAllocation = 0x1010,
               kInfoGlobalMemory = 0x101f, kInfoAvailable = 0x1027, kInfoCompilerAvailable = 0x1028, kInfoName = 0x102b,
               kInfoVendor = 0x102c, kInfoDriverVersion = 0x102d, kInfoVersion = 0x102f, kInfoExtensions = 0x1030;
constexpr std::intptr_t kContextPlatform = 0x1084;
constexpr MemFlags kReadWrite = 1;
constexpr Ulong kProfiling = 1 << 1;
constexpr Uint kBuildLog = 0x1183;
constexpr Uint kProfilingStart = 0x1282, kProfilingEnd = 0x1283;
constexpr Bool kBlocking = 1;

}  // namespace aibench::opencl
