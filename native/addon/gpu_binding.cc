// probeGpus, createGpuGemm, createGpuMemory, createGpuCollective.
#include "addon/bindings.h"
#include "addon/gpu_options.h"
#include "addon/options.h"
#include "gpu/collective_library.h"
#include "gpu/collective_problem.h"
#include "gpu/devices.h"
#include "gpu/gemm_problem.h"
#include "gpu/matmul_library.h"
#include "gpu/memory_problem.h"
#include "gpu/runtime_compiler.h"

namespace aibench::addon {
namespace {

using gpu::DeviceInfo;

Napi::Object device_value(Napi::Env env, const DeviceInfo& info) {
  Napi::Object device = Napi::Object::New(env);
  device.Set("index", info.index);
  device.Set("name", info.name);
  device.Set("uuid", info.uuid);
  device.Set("instanceUuid", info.instance_uuid);
  device.Set("pciBusId", info.pci);
  device.Set("numaNode", info.numa_node < 0 ? env.Null() : Napi::Number::New(env, info.numa_node));
  device.Set("memoryBytes", static_cast<double>(info.memory_bytes));
  device.Set("multiprocessors", info.multiprocessors);
  device.Set("computeCapability", std::to_string(info.major) + "." + std::to_string(info.minor));
  device.Set("clockHz", info.clock_hz);
  device.Set("memoryClockHz", info.memory_clock_hz);
  device.Set("memoryBusBits", info.bus_width_bits);
  device.Set("l2Bytes", static_cast<double>(info.l2_bytes));
  device.Set("ecc", Napi::Boolean::New(env, info.ecc));
  return device;
}

void set_status(Napi::Object object, const Status& status) {
  object.Set("status", status.ok() ? "ok" : gpu_status_word(status));
  object.Set("reason", status.message);
  object.Set("remedy", status.remedy);
}

template <typename Library>
Napi::Object library_value(Napi::Env env, const Status& status, const std::shared_ptr<Library>& library) {
  Napi::Object object = Napi::Object::New(env);
  set_status(object, status);
  object.Set("library", library == nullptr ? "" : library->path());
  object.Set("version", library == nullptr ? "" : library->version());
  return object;
}

// What makes machine code of our own kernels: NVIDIA's driver itself, of PTX; hipRTC for AMD.
Napi::Object compiler_value(Napi::Env env, const GpuLibraries& libraries, const Status& driver) {
  std::shared_ptr<gpu::RuntimeCompiler> compiler;
  const bool is_own = libraries.vendor->vendor == gpu::Vendor::kRocm;
  const Status status = driver.ok() && is_own ? gpu::RuntimeCompiler::open(libraries.compiler, &compiler) : driver;
  return library_value(env, status, compiler);
}

Napi::Value probe_gpus(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  GpuLibraries libraries;
  if (const Status status = read_gpu_libraries(info[0], "probeGpus", &libraries); !status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  std::shared_ptr<gpu::Driver> driver;
  Status status = gpu::Driver::open(*libraries.vendor, libraries.driver, &driver);
  Napi::Object result = Napi::Object::New(env);
  Napi::Array devices = Napi::Array::New(env);
  for (int i = 0; status.ok() && i < driver->device_count(); ++i) {
    DeviceInfo device;
    status = gpu::describe_device(*driver, i, &device);
    if (status.ok()) devices.Set(devices.Length(), device_value(env, device));
  }
  set_status(result, status);
  result.Set("vendor", libraries.vendor->name);
  result.Set("library", driver == nullptr ? "" : driver->library());
  result.Set("driverVersion", driver == nullptr ? "" : driver->version_text());
  result.Set("devices", devices);
  std::shared_ptr<gpu::MatmulLibrary> matmul;
  std::shared_ptr<gpu::CollectiveLibrary> collective;
  const Status matmul_status = status.ok() ? gpu::MatmulLibrary::open(*driver, libraries.matmul, &matmul) : status;
  const Status collective_status = status.ok() ? gpu::CollectiveLibrary::open(*driver, libraries.collective, &collective) : status;
  result.Set("compiler", compiler_value(env, libraries, status));
  result.Set("matmul", library_value(env, matmul_status, matmul));
  result.Set("collective", library_value(env, collective_status, collective));
  return result;
}

Status read_devices(const Napi::Value& options, const char* what, std::vector<int>* devices) {
  const Napi::Value value = options.As<Napi::Object>().Get("devices");
  const Status bad = Status::failure("BAD_OPTION", std::string(what) + " wants devices as an array of numbers", "See src/native/types.ts.");
  if (!value.IsArray()) return bad;
  const auto array = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value item = array.Get(i);
    if (!item.IsNumber()) return bad;
    devices->push_back(item.As<Napi::Number>().Int32Value());
  }
  return array.Length() == 0 ? bad : Status::success();
}

// The walk of every maker: what all options of work on GPUs have (GpuWork), what this one has beside it, the problem.
// `rest` reads the latter; `create` is create_gpu_gemm and the like.
template <typename Options, typename Rest>
Napi::Value create_work(const Napi::CallbackInfo& info, const char* name, Rest&& rest, Status (*create)(const Options&, std::unique_ptr<Problem>*)) {
  OptionReader read(info, name);
  GpuLibraries libraries;
  Options options;
  Status status = read.status();
  if (status.ok()) status = read_gpu_libraries(info[0].As<Napi::Object>().Get("libraries"), name, &libraries);
  if (status.ok()) status = read_devices(info[0], name, &options.devices);
  options.vendor = libraries.vendor;
  options.driver = libraries.driver;
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  rest(read, libraries, &options);
  if (status.ok()) status = read.status();
  std::unique_ptr<Problem> problem;
  if (status.ok()) status = create(options, &problem);
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_gpu_gemm(const Napi::CallbackInfo& info) {
  const auto rest = [](OptionReader& read, const GpuLibraries& libraries, gpu::GpuGemmOptions* options) {
    options->matmul = libraries.matmul;
    options->dtype = read.text("dtype");
    options->m = static_cast<std::size_t>(read.integer("m", 1, kMaxDimension));
    options->n = static_cast<std::size_t>(read.integer("n", 1, kMaxDimension));
    options->k = static_cast<std::size_t>(read.integer("k", 1, kMaxDimension));
    options->transposed = read.text("layout") != "nn";
    options->workspace_bytes = static_cast<std::size_t>(read.integer("workspaceBytes", 0, 1e12));
    options->algorithms = static_cast<int>(read.integer("algorithms", 1, 1000));
    options->graph_below_seconds = read.number("graphBelowSeconds", 0, 1e9);
  };
  return create_work(info, "createGpuGemm", rest, gpu::create_gpu_gemm);
}

Napi::Value create_gpu_memory(const Napi::CallbackInfo& info) {
  const auto rest = [](OptionReader& read, const GpuLibraries& libraries, gpu::GpuMemoryOptions* options) {
    options->compiler = libraries.compiler;
    options->kernel = read.text("kernel");
    options->bytes = static_cast<std::uint64_t>(read.integer("bytes", 16, 1e15));
  };
  return create_work(info, "createGpuMemory", rest, gpu::create_gpu_memory);
}

Napi::Value create_gpu_collective(const Napi::CallbackInfo& info) {
  const auto rest = [](OptionReader& read, const GpuLibraries& libraries, gpu::GpuCollectiveOptions* options) {
    options->library = libraries.collective;
    options->collective = read.text("collective");
    options->dtype = read.text("dtype");
    options->op = read.text("op");
    options->bytes = static_cast<std::uint64_t>(read.integer("bytes", 0, 1e15));
    options->in_place = read.optional_flag("inPlace");
    options->per_call = read.optional_flag("perCall");
  };
  return create_work(info, "createGpuCollective", rest, gpu::create_gpu_collective);
}

}  // namespace

void export_gpu(Napi::Env env, Napi::Object exports) {
  exports.Set("probeGpus", Napi::Function::New(env, probe_gpus, "probeGpus"));
  exports.Set("createGpuGemm", Napi::Function::New(env, create_gpu_gemm, "createGpuGemm"));
  exports.Set("createGpuMemory", Napi::Function::New(env, create_gpu_memory, "createGpuMemory"));
  exports.Set("createGpuCollective", Napi::Function::New(env, create_gpu_collective, "createGpuCollective"));
}

}  // namespace aibench::addon
