// The areas of the addon; addon.cc calls each once. Only this folder includes <napi.h>.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>

#include "core/problem.h"
#include "core/status.h"

namespace aibench::addon {

void export_system(Napi::Env env, Napi::Object exports);      // buildInfo, cpuFeatures, cpuCaches, affinity, clockInfo, now
void export_gemm(Napi::Env env, Napi::Object exports);        // createGemm, createPeak, gemmPeers
void export_memory(Napi::Env env, Napi::Object exports);      // createStream, createRead, createPointerChase
void export_collective(Napi::Env env, Napi::Object exports);  // createCollective, createCoreLatency, collectiveAlgorithms
void export_opencl(Napi::Env env, Napi::Object exports);      // probeOpencl, createOpenclGemm, createOpenclStream
void export_pjrt(Napi::Env env, Napi::Object exports);        // probePjrt, createPjrtGemm, createPjrtAllReduce
void export_mpi(Napi::Env env, Napi::Object exports);         // joinMpi
void export_ort(Napi::Env env, Napi::Object exports);         // createOrtSession, probeVulkan
void export_telemetry(Napi::Env env, Napi::Object exports);   // probeNvml, createSampler
void export_gpu(Napi::Env env, Napi::Object exports);         // probeGpus, createGpuGemm, createGpuMemory, createGpuCollective

// Throws status into JavaScript as an Error with `code` and `remedy`.
Napi::Error to_error(Napi::Env env, const Status& status);
// The NativeProblem of src/native/types.ts around a problem; throws `status` where it says that there is none.
Napi::Value wrap_problem(Napi::Env env, const Status& status, std::unique_ptr<Problem> problem);

}  // namespace aibench::addon
