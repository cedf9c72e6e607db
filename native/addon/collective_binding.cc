// createCollective, createCoreLatency, collectiveAlgorithms.
#include "addon/bindings.h"
#include "addon/options.h"
#include "collective/algorithm.h"
#include "collective/collective_problem.h"
#include "collective/core_latency.h"

namespace aibench::addon {
namespace {

constexpr double kMaxRankOption = 4096;
constexpr double kDay = 86400;

Napi::Value create_collective(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createCollective");
  CollectiveOptions options;
  options.collective = read.text("collective");
  options.dtype = read.text("dtype");
  options.op = read.text("op");
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 0, kMaxInteger));
  options.ranks = static_cast<int>(read.integer("ranks", 1, kMaxRankOption));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.algorithm = read.optional_text("algorithm");
  options.processes = read.optional_flag("processes");
  options.private_buffers = read.optional_flag("privateBuffers");
  options.in_place = read.optional_flag("inPlace");
  options.per_call = read.optional_flag("perCall");
  options.patience_seconds = read.optional_number("patienceSeconds", 0.1, kDay, options.patience_seconds);
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_collective(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_core_latency(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createCoreLatency");
  const int cpus = static_cast<int>(read.integer("cpus", 1, kMaxRankOption));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_core_latency(cpus, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value algorithms(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const CollectiveAlgorithm* const* row = collective_algorithms(); *row != nullptr; ++row) {
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("collective", collective_name((*row)->kind));
    object.Set("name", (*row)->name);
    object.Set("sharedBuffers", (*row)->shared_buffers);
    list.Set(list.Length(), object);
  }
  return list;
}

}  // namespace

void export_collective(Napi::Env env, Napi::Object exports) {
  exports.Set("createCollective", Napi::Function::New(env, create_collective, "createCollective"));
  exports.Set("createCoreLatency", Napi::Function::New(env, create_core_latency, "createCoreLatency"));
  exports.Set("collectiveAlgorithms", Napi::Function::New(env, algorithms, "collectiveAlgorithms"));
}

}  // namespace aibench::addon
