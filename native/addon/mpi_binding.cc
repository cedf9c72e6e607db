// joinMpi: NativeMpi of src/native/types.ts.
#include <memory>
#include <thread>

#include "addon/bindings.h"
#include "addon/gpu_options.h"
#include "addon/options.h"
#include "mpi/mpi_collective.h"
#include "mpi/mpi_commands.h"
#include "mpi/mpi_product.h"
#include "mpi/mpi_world.h"

namespace aibench::addon {
namespace {

constexpr double kMaxRanks = 1 << 20;

Napi::Value info_of(const Napi::CallbackInfo& info) {
  MpiWorld& world = *MpiWorld::joined();
  Napi::Env env = info.Env();
  Napi::Object object = Napi::Object::New(env);
  object.Set("rank", world.rank());
  object.Set("size", world.size());
  object.Set("abi", mpi_abi_name(world.mpi().abi));
  object.Set("library", world.mpi().path);
  object.Set("version", world.mpi().version);
  object.Set("launcher", world.launch().present ? world.launch().launcher : "none");
  object.Set("oversubscribed", world.oversubscribed());
  Napi::Array ranks = Napi::Array::New(env);
  for (const MpiRankInfo& rank : world.ranks()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("host", std::string(rank.host));
    entry.Set("pid", static_cast<double>(rank.process));
    ranks.Set(ranks.Length(), entry);
  }
  object.Set("ranks", ranks);
  return object;
}

Napi::Value create_collective(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createCollective");
  MpiCollectiveOptions options;
  options.collective = read.text("collective");
  options.dtype = read.text("dtype");
  options.op = read.text("op");
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 0, kMaxInteger));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.in_place = read.optional_flag("inPlace");
  options.per_call = read.optional_flag("perCall");
  options.ranks = static_cast<int>(read.optional_number("ranks", 0, kMaxRanks, 0));
  options.engine = read.optional_text("engine");
  Status status = read.status();
  if (status.ok() && !options.engine.empty()) {
    status = read_gpu_libraries(info[0].As<Napi::Object>().Get("libraries"), "createCollective", &options.libraries);
  }
  std::unique_ptr<Problem> problem;
  if (status.ok()) status = make_mpi_collective(*MpiWorld::joined(), options, &problem);
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_product(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createProduct");
  MpiProductOptions options;
  options.dtype = read.text("dtype");
  options.m = static_cast<std::size_t>(read.integer("m", 1, kMaxDimension));
  options.n = static_cast<std::size_t>(read.integer("n", 1, kMaxDimension));
  options.k = static_cast<std::size_t>(read.integer("k", 1, kMaxDimension));
  options.threads = static_cast<int>(read.integer("threads", 0, kMaxRanks));
  options.ranks = static_cast<int>(read.integer("ranks", 0, kMaxRanks));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_mpi_product(*MpiWorld::joined(), options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

// Follows rank 0 on a thread of its own; the promise gets the exit code. Takes the libraries of each GPU vendor.
Napi::Value follow(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<GpuLibraries> libraries;
  const bool has_libraries = info.Length() > 0 && info[0].IsArray();
  for (std::uint32_t i = 0; has_libraries && i < info[0].As<Napi::Array>().Length(); ++i) {
    libraries.emplace_back();
    if (const Status status = read_gpu_libraries(info[0].As<Napi::Array>().Get(i), "follow", &libraries.back()); !status.ok()) {
      to_error(env, status).ThrowAsJavaScriptException();
      return env.Undefined();
    }
  }
  auto deferred = std::make_shared<Napi::Promise::Deferred>(env);
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  auto loop = Napi::ThreadSafeFunction::New(env, nothing, "aibench MPI follower", 0, 1);
  std::thread([loop, deferred, libraries]() mutable {
    const int code = follow_mpi_commands(*MpiWorld::joined(), libraries);
    loop.BlockingCall([deferred, code](Napi::Env e, Napi::Function) { deferred->Resolve(Napi::Number::New(e, code)); });
    loop.Release();
  }).detach();
  return deferred->Promise();
}

int code_of(const Napi::CallbackInfo& info) {
  return info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 1;
}

Napi::Value join(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string build = info.Length() > 0 && info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  MpiWorld* world = nullptr;
  if (const Status status = MpiWorld::join(build, &world); !status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object object = Napi::Object::New(env);
  const auto method = [&](const char* name, auto call) { object.Set(name, Napi::Function::New(env, call, name)); };
  method("info", info_of);
  method("createCollective", create_collective);
  method("createProduct", create_product);
  method("follow", follow);
  method("busySeconds", [](const Napi::CallbackInfo& i) -> Napi::Value {
    return Napi::Number::New(i.Env(), MpiWorld::joined()->busy_seconds());
  });
  method("silentRanks", [](const Napi::CallbackInfo& i) -> Napi::Value {
    return Napi::String::New(i.Env(), MpiWorld::joined()->silent_ranks());
  });
  method("endFollowers", [](const Napi::CallbackInfo& i) { end_mpi_followers(*MpiWorld::joined(), code_of(i)); });
  method("finalize", [](const Napi::CallbackInfo&) { MpiWorld::joined()->finalize(); });
  method("abort", [](const Napi::CallbackInfo& i) { MpiWorld::joined()->abort(code_of(i)); });
  return object;
}

}  // namespace

void export_mpi(Napi::Env env, Napi::Object exports) { exports.Set("joinMpi", Napi::Function::New(env, join, "joinMpi")); }

}  // namespace aibench::addon
