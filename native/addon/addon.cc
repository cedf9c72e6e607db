// The export list. Each area adds its functions; src/native/types.ts names them all.
#include "addon/bindings.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  aibench::addon::export_system(env, exports);
  aibench::addon::export_gemm(env, exports);
  aibench::addon::export_memory(env, exports);
  aibench::addon::export_collective(env, exports);
  aibench::addon::export_mpi(env, exports);
  aibench::addon::export_pjrt(env, exports);
  aibench::addon::export_opencl(env, exports);
  aibench::addon::export_telemetry(env, exports);
  aibench::addon::export_ort(env, exports);
  aibench::addon::export_gpu(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(aibench, init)
