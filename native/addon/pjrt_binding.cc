// probePjrt, createPjrtGemm, createPjrtAllReduce.
#include "addon/bindings.h"
#include "addon/options.h"
#include "pjrt/client.h"
#include "pjrt/pjrt_problems.h"

namespace aibench::addon {
namespace {

const char* status_word(const Status& status) {
  if (status.ok()) return "ok";
  if (status.code == "LIBRARY_ABSENT" || status.code == "PJRT_NO_DEVICE") return "absent";
  return status.code == "LIBRARY_UNSUPPORTED" ? "unsupported" : "broken";
}

Napi::Value probe_pjrt(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string path = info.Length() > 0 && info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  const pjrt::Plugin* plugin = nullptr;
  std::unique_ptr<pjrt::Session> session;
  Status status = pjrt::Plugin::open(path, &plugin);
  if (status.ok()) status = pjrt::Session::open(path, &session);
  Napi::Object result = Napi::Object::New(env);
  result.Set("status", status_word(status));
  result.Set("reason", status.message);
  result.Set("remedy", status.remedy);
  result.Set("library", path);
  result.Set("version", plugin == nullptr ? "" : plugin->version());
  result.Set("platform", session == nullptr ? "" : session->platform());
  result.Set("platformVersion", session == nullptr ? "" : session->platform_version());
  Napi::Array devices = Napi::Array::New(env);
  for (std::size_t i = 0; session != nullptr && i < session->devices().size(); ++i) {
    const pjrt::DeviceInfo& row = session->devices()[i];
    Napi::Object device = Napi::Object::New(env);
    device.Set("index", row.index);
    device.Set("name", row.kind);
    device.Set("memoryBytes", row.memory_bytes == 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(row.memory_bytes)));
    devices.Set(devices.Length(), device);
  }
  result.Set("devices", devices);
  return result;
}

Napi::Value create_pjrt_gemm(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createPjrtGemm");
  pjrt::GemmOptions options;
  options.plugin = read.text("plugin");
  options.product.dtype = read.text("dtype");
  options.product.m = static_cast<std::size_t>(read.integer("m", 1, kMaxDimension));
  options.product.n = static_cast<std::size_t>(read.integer("n", 1, kMaxDimension));
  options.product.k = static_cast<std::size_t>(read.integer("k", 1, kMaxDimension));
  options.product.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.device = static_cast<int>(read.optional_number("device", 0, kMaxDevices, -1));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? pjrt::create_gemm(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_pjrt_all_reduce(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createPjrtAllReduce");
  pjrt::AllReduceOptions options;
  options.plugin = read.text("plugin");
  options.dtype = read.text("dtype");
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 1, kMaxInteger));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? pjrt::create_all_reduce(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

}  // namespace

void export_pjrt(Napi::Env env, Napi::Object exports) {
  exports.Set("probePjrt", Napi::Function::New(env, probe_pjrt, "probePjrt"));
  exports.Set("createPjrtGemm", Napi::Function::New(env, create_pjrt_gemm, "createPjrtGemm"));
  exports.Set("createPjrtAllReduce", Napi::Function::New(env, create_pjrt_all_reduce, "createPjrtAllReduce"));
}

}  // namespace aibench::addon
