// buildInfo, cpuFeatures, cpuCaches, affinity, clockInfo, now.
#include "addon/bindings.h"
#include "core/clock.h"
#include "core/cpu_features.h"
#include "core/thread_team.h"
#include "gemm/kernel_registry.h"

namespace aibench::addon {
namespace {

template <typename Items, typename Convert>
Napi::Array array_of(Napi::Env env, const Items& items, Convert convert) {
  Napi::Array array = Napi::Array::New(env, items.size());
  std::uint32_t index = 0;
  for (const auto& item : items) array.Set(index++, convert(item));
  return array;
}

Napi::Value build_info(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version", AIBENCH_VERSION);
  result.Set("compiler", AIBENCH_COMPILER);
  result.Set("target", AIBENCH_TARGET);
  result.Set("kernels", array_of(env, kernel_rows(), [env](const KernelRow& row) {
               Napi::Object kernel = Napi::Object::New(env);
               kernel.Set("name", row.name);
               kernel.Set("dtype", row.dtype);
               kernel.Set("mr", row.mr);
               kernel.Set("nr", row.nr);
               kernel.Set("isa", isa_name(row.isa));
               kernel.Set("supported", Napi::Boolean::New(env, isa_supported(row.isa)));
               return kernel;
             }));
  return result;
}

Napi::Value features(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const CpuFeatures& cpu = cpu_features();
  Napi::Object result = Napi::Object::New(env);
  result.Set("arch", cpu.arch);
  result.Set("vendor", cpu.vendor);
  result.Set("brand", cpu.brand);
  result.Set("family", cpu.family);
  result.Set("model", cpu.model);
  result.Set("stepping", cpu.stepping);
  result.Set("isas", array_of(env, cpu.isas, [env](Isa isa) { return Napi::String::New(env, isa_name(isa)); }));
  result.Set("flags", array_of(env, cpu.flags, [env](const std::string& flag) { return Napi::String::New(env, flag); }));
  result.Set("hypervisor", Napi::Boolean::New(env, cpu.hypervisor));
  return result;
}

Napi::Value caches(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string root = info.Length() > 0 && info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "/sys";
  return array_of(env, cpu_caches(root), [env](const CpuCache& cache) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("level", cache.level);
    result.Set("type", cache.type);
    result.Set("sizeBytes", static_cast<double>(cache.size_bytes));
    result.Set("lineBytes", cache.line_bytes);
    result.Set("ways", cache.ways);
    result.Set("sharedBy", cache.shared_by);
    return result;
  });
}

Napi::Value affinity(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return array_of(env, allowed_cpus(), [env](int cpu) { return Napi::Number::New(env, cpu); });
}

Napi::Value clock(const Napi::CallbackInfo& info) {
  const ClockInfo measured = clock_info();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("resolutionSeconds", measured.resolution_seconds);
  result.Set("overheadSeconds", measured.overhead_seconds);
  return result;
}

Napi::Value now(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), monotonic_seconds()); }

}  // namespace

void export_system(Napi::Env env, Napi::Object exports) {
  exports.Set("buildInfo", Napi::Function::New(env, build_info, "buildInfo"));
  exports.Set("cpuFeatures", Napi::Function::New(env, features, "cpuFeatures"));
  exports.Set("cpuCaches", Napi::Function::New(env, caches, "cpuCaches"));
  exports.Set("affinity", Napi::Function::New(env, affinity, "affinity"));
  exports.Set("clockInfo", Napi::Function::New(env, clock, "clockInfo"));
  exports.Set("now", Napi::Function::New(env, now, "now"));
}

}  // namespace aibench::addon
