// probeOpencl, createOpenclGemm, createOpenclStream.
#include "addon/bindings.h"
#include "addon/options.h"
#include "opencl/clblast.h"
#include "opencl/opencl_gemm.h"
#include "opencl/opencl_stream.h"

namespace aibench::addon {
namespace {

// As gpu_status_word: what is not there is absent, what is there and cannot be used unsupported, what is there and fails broken.
const char* status_word(const Status& status) {
  if (status.ok()) return "ok";
  if (status.code == "LIBRARY_ABSENT" || status.code == "OPENCL_NO_PLATFORM" || status.code == "OPENCL_NO_DEVICE") return "absent";
  return status.code == "LIBRARY_UNSUPPORTED" ? "unsupported" : "broken";
}

void set_status(Napi::Object object, const Status& status) {
  object.Set("status", status_word(status));
  object.Set("reason", status.message);
  object.Set("remedy", status.remedy);
}

Napi::Object device_value(Napi::Env env, const opencl::DeviceInfo& info) {
  Napi::Object device = Napi::Object::New(env);
  device.Set("index", info.index);
  device.Set("name", info.name);
  device.Set("vendor", info.vendor);
  device.Set("type", info.type);
  device.Set("software", Napi::Boolean::New(env, info.software));
  device.Set("platform", info.platform_name);
  device.Set("platformVersion", info.platform_version);
  device.Set("driverVersion", info.driver_version);
  device.Set("memoryBytes", static_cast<double>(info.memory_bytes));
  device.Set("maxAllocationBytes", static_cast<double>(info.max_allocation_bytes));
  device.Set("computeUnits", info.compute_units);
  device.Set("clockHz", info.clock_hz);
  Napi::Array dtypes = Napi::Array::New(env);
  for (const std::string& dtype : opencl::Clblast::dtypes()) {
    if ((dtype == "f16" && !info.f16) || (dtype == "f64" && !info.f64)) continue;
    dtypes.Set(dtypes.Length(), dtype);
  }
  device.Set("dtypes", dtypes);
  device.Set("compiler", Napi::Boolean::New(env, info.compiler));
  return device;
}

Napi::Value probe_opencl(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  OptionReader read(info, "probeOpencl");
  const std::vector<std::string> opencl_names = read.texts("opencl"), clblast_names = read.texts("clblast");
  if (!read.status().ok()) {
    to_error(env, read.status()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const opencl::OpenclLibrary* library = nullptr;
  std::vector<opencl::DeviceInfo> devices;
  Status status = opencl::OpenclLibrary::open(opencl_names, &library);
  if (status.ok()) status = opencl::list_devices(*library, &devices);
  Napi::Object result = Napi::Object::New(env);
  set_status(result, status);
  result.Set("library", library == nullptr ? "" : library->file.path());
  Napi::Array list = Napi::Array::New(env);
  for (const opencl::DeviceInfo& device : devices) list.Set(list.Length(), device_value(env, device));
  result.Set("devices", list);
  const opencl::Clblast* clblast = nullptr;
  Napi::Object gemm = Napi::Object::New(env);
  set_status(gemm, opencl::Clblast::open(clblast_names, &clblast));
  gemm.Set("library", clblast == nullptr ? "" : clblast->path());
  gemm.Set("version", clblast == nullptr ? "" : clblast->version());
  result.Set("clblast", gemm);
  return result;
}

Napi::Value create_opencl_gemm(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createOpenclGemm");
  opencl::GemmOptions options;
  options.product.dtype = read.text("dtype");
  options.product.m = static_cast<std::size_t>(read.integer("m", 1, kMaxDimension));
  options.product.n = static_cast<std::size_t>(read.integer("n", 1, kMaxDimension));
  options.product.k = static_cast<std::size_t>(read.integer("k", 1, kMaxDimension));
  options.product.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.device = static_cast<int>(read.optional_number("device", 0, kMaxDevices, -1));
  options.libraries.opencl = read.texts("opencl");
  options.libraries.clblast = read.texts("clblast");
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? opencl::create_gemm(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_opencl_stream(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createOpenclStream");
  opencl::StreamDeviceOptions options;
  options.kernel = read.text("kernel");
  options.bytes_per_array = static_cast<std::uint64_t>(read.integer("bytesPerArray", 16, kMaxInteger));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.device = static_cast<int>(read.optional_number("device", 0, kMaxDevices, -1));
  options.libraries = read.texts("opencl");
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? opencl::create_stream(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

}  // namespace

void export_opencl(Napi::Env env, Napi::Object exports) {
  exports.Set("probeOpencl", Napi::Function::New(env, probe_opencl, "probeOpencl"));
  exports.Set("createOpenclGemm", Napi::Function::New(env, create_opencl_gemm, "createOpenclGemm"));
  exports.Set("createOpenclStream", Napi::Function::New(env, create_opencl_stream, "createOpenclStream"));
}

}  // namespace aibench::addon
