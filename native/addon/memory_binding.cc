// createStream, createRead, createPointerChase.
#include "addon/bindings.h"
#include "addon/options.h"
#include "memory/pointer_chase.h"
#include "memory/read_bandwidth.h"
#include "memory/stream.h"

namespace aibench::addon {
namespace {

constexpr double kMaxThreads = 4096;

Napi::Value create_stream(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createStream");
  StreamOptions options;
  options.kernel = read.text("kernel");
  options.bytes_per_array = static_cast<std::uint64_t>(read.integer("bytesPerArray", 1, kMaxInteger));
  options.threads = static_cast<int>(read.integer("threads", 1, kMaxThreads));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_stream(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_read(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createRead");
  ReadBandwidthOptions options;
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 1, kMaxInteger));
  options.threads = static_cast<int>(read.integer("threads", 1, kMaxThreads));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_read_bandwidth(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

Napi::Value create_pointer_chase(const Napi::CallbackInfo& info) {
  OptionReader read(info, "createPointerChase");
  PointerChaseOptions options;
  options.bytes = static_cast<std::uint64_t>(read.integer("bytes", 1, kMaxInteger));
  options.seed = static_cast<std::uint64_t>(read.integer("seed", 0, kMaxInteger));
  std::unique_ptr<Problem> problem;
  const Status status = read.status().ok() ? make_pointer_chase(options, &problem) : read.status();
  return wrap_problem(info.Env(), status, std::move(problem));
}

}  // namespace

void export_memory(Napi::Env env, Napi::Object exports) {
  exports.Set("createStream", Napi::Function::New(env, create_stream, "createStream"));
  exports.Set("createRead", Napi::Function::New(env, create_read, "createRead"));
  exports.Set("createPointerChase", Napi::Function::New(env, create_pointer_chase, "createPointerChase"));
}

}  // namespace aibench::addon
