// createGemm, createPeak, gemmPeers.
#include "addon/bindings.h"
#include "addon/options.h"
#include "gemm/gemm_problem.h"
#include "gemm/peak_problem.h"
#include "gemm/peers/peer.h"

namespace aibench::addon {
namespace {

constexpr double kMaxThreads = 4096;
constexpr double kMaxScalar = 1000;  // of alpha

Napi::Value create_gemm(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createGemm");
  GemmProblemOptions options;
  options.dtype = read.text("dtype");
  options.m = static_cast<std::size_t>(read.integer("m", 1, kMaxDimension));
  options.n = static_cast<std::size_t>(read.integer("n", 1, kMaxDimension));
  options.k = static_cast<std::size_t>(read.integer("k", 1, kMaxDimension));
  options.threads = static_cast<int>(read.integer("threads", 1, kMaxThreads));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  options.isa = read.optional_text("isa");
  options.weights = read.optional_text("weights");
  options.backend = read.optional_text("backend");
  options.transpose_a = read.optional_flag("transposeA");
  options.transpose_b = read.optional_flag("transposeB");
  options.alpha = read.optional_number("alpha", -kMaxScalar, kMaxScalar, 1);
  options.beta = read.optional_number("beta", -1, 1, 0);
  options.batch = static_cast<std::size_t>(read.optional_number("batch", 1, kMaxDimension, 1));
  options.scattered = read.optional_flag("scattered");
  options.narrow_weights = read.optional_flag("narrowWeights");
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? create_gemm_problem(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_peak(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createPeak");
  const std::string dtype = read.text("dtype");
  const int threads = static_cast<int>(read.integer("threads", 1, kMaxThreads));
  const std::string isa = read.optional_text("isa");
  const bool narrow_weights = read.optional_flag("narrowWeights");
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? create_peak_problem(dtype, threads, isa, narrow_weights, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value gemm_peers(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array result = Napi::Array::New(env);
  for (const PeerInfo& peer : list_peers()) {
    Napi::Object row = Napi::Object::New(env);
    Napi::Array dtypes = Napi::Array::New(env);
    for (const std::string& dtype : peer.dtypes) dtypes.Set(dtypes.Length(), dtype);
    row.Set("name", peer.name);
    row.Set("found", Napi::Boolean::New(env, peer.found));
    row.Set("reason", peer.reason);
    row.Set("remedy", peer.remedy);
    row.Set("path", peer.path);
    row.Set("version", peer.version);
    row.Set("threading", peer.threading);
    row.Set("kernel", peer.kernel);
    row.Set("dtypes", dtypes);
    result.Set(result.Length(), row);
  }
  return result;
}

}  // namespace

void export_gemm(Napi::Env env, Napi::Object exports) {
  exports.Set("createGemm", Napi::Function::New(env, create_gemm, "createGemm"));
  exports.Set("createPeak", Napi::Function::New(env, create_peak, "createPeak"));
  exports.Set("gemmPeers", Napi::Function::New(env, gemm_peers, "gemmPeers"));
}

}  // namespace aibench::addon
