// createAllreduce, allreduceAlgorithms.
#include "addon/bindings.h"
#include "addon/options.h"
#include "collective/algorithm.h"
#include "collective/allreduce.h"

namespace aibench::addon {
namespace {

constexpr double kMaxInteger = 9007199254740991.0;  // Number.MAX_SAFE_INTEGER
constexpr double kMaxRanks = 4096;

Napi::Value create_allreduce(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createAllreduce");
  AllreduceOptions options;
  options.dtype = read.text("dtype");
  options.op = read.text("op");
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 0, kMaxInteger));
  options.ranks = static_cast<int>(read.integer("ranks", 1, kMaxRanks));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.algorithm = read.optional_text("algorithm");
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_allreduce(options, &problem) : read.status();
  if (status.ok()) return wrap_problem(info.Env(), std::move(problem));
  to_error(info.Env(), status).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value algorithms(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const AllreduceAlgorithm* const* row = allreduce_algorithms(); *row != nullptr; ++row) {
    names.Set(names.Length(), (*row)->name);
  }
  return names;
}

}  // namespace

void export_collective(Napi::Env env, Napi::Object exports) {
  exports.Set("createAllreduce", Napi::Function::New(env, create_allreduce, "createAllreduce"));
  exports.Set("allreduceAlgorithms", Napi::Function::New(env, algorithms, "allreduceAlgorithms"));
}

}  // namespace aibench::addon
