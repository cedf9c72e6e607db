#include "ort/ort_session.h"

#include <cstdlib>

// Returns from the function with the status of a call that failed.
#define AIBENCH_ORT_TRY(call)                          \
  do {                                                 \
    const Status status_ = library_->check((call));    \
    if (!status_.ok()) return status_;                 \
  } while (false)

namespace aibench::ort {

Status OrtSession::open(std::shared_ptr<Library> library, const OpenOptions& options,
                        std::shared_ptr<OrtSession>* out) {
  auto session = std::make_shared<OrtSession>();
  session->library_ = std::move(library);
  const Api& api = session->library_->api();
  const auto& library_ = session->library_;
  SessionOptions* raw = nullptr;
  AIBENCH_ORT_TRY(api.CreateSessionOptions(&raw));
  const std::unique_ptr<SessionOptions, void (*)(SessionOptions*)> settings(raw, api.ReleaseSessionOptions);
  Status status = session->configure(options, raw);
  if (!status.ok()) return status;
  AIBENCH_ORT_TRY(api.CreateSession(library_->env(), options.model.c_str(), raw, &session->session_));
  AIBENCH_ORT_TRY(api.CreateCpuMemoryInfo(kArenaAllocator, kMemoryDefault, &session->memory_));
  status = session->describe(false, &session->inputs_);
  if (status.ok()) status = session->describe(true, &session->outputs_);
  if (status.ok()) *out = std::move(session);
  return status;
}

OrtSession::~OrtSession() {
  if (memory_ != nullptr) library_->api().ReleaseMemoryInfo(memory_);
  if (session_ != nullptr) library_->api().ReleaseSession(session_);
}

Status OrtSession::configure(const OpenOptions& options, SessionOptions* target) {
  const Api& api = library_->api();
  AIBENCH_ORT_TRY(api.SetIntraOpNumThreads(target, options.threads));
  AIBENCH_ORT_TRY(api.SetInterOpNumThreads(target, 1));
  AIBENCH_ORT_TRY(api.SetSessionLogSeverityLevel(target, kLogFatal));
  AIBENCH_ORT_TRY(api.SetSessionGraphOptimizationLevel(target, options.optimise ? kOptimiseAll : kOptimiseNothing));
  AIBENCH_ORT_TRY(
      api.AddSessionConfigEntry(target, "session.intra_op.allow_spinning", options.spinning ? "1" : "0"));
  if (!options.profile_prefix.empty()) AIBENCH_ORT_TRY(api.EnableProfiling(target, options.profile_prefix.c_str()));
  if (options.provider.empty() || options.provider == "cpu") return Status::success();
  device_ = true;
  if (options.provider != "cuda") {
    AIBENCH_ORT_TRY(api.AppendProvider(target, options.provider.c_str(), nullptr, nullptr, 0));
    return Status::success();
  }
  CudaOptions* cuda = nullptr;
  AIBENCH_ORT_TRY(api.CreateCudaOptions(&cuda));
  Status_* appended = api.AppendCuda(target, cuda);
  api.ReleaseCudaOptions(cuda);
  return library_->check(appended);
}

Status OrtSession::describe(bool outputs, std::vector<PortInfo>* ports) {
  const Api& api = library_->api();
  Allocator* allocator = nullptr;
  AIBENCH_ORT_TRY(api.GetAllocatorWithDefaultOptions(&allocator));
  std::size_t count = 0;
  AIBENCH_ORT_TRY(outputs ? api.SessionGetOutputCount(session_, &count) : api.SessionGetInputCount(session_, &count));
  for (std::size_t i = 0; i < count; ++i) {
    PortInfo port;
    char* name = nullptr;
    AIBENCH_ORT_TRY(outputs ? api.SessionGetOutputName(session_, i, allocator, &name)
                            : api.SessionGetInputName(session_, i, allocator, &name));
    port.name = name;
    AIBENCH_ORT_TRY(api.AllocatorFree(allocator, name));
    TypeInfo* raw = nullptr;
    AIBENCH_ORT_TRY(outputs ? api.SessionGetOutputTypeInfo(session_, i, &raw)
                            : api.SessionGetInputTypeInfo(session_, i, &raw));
    const std::unique_ptr<TypeInfo, void (*)(TypeInfo*)> info(raw, api.ReleaseTypeInfo);
    const TensorInfo* tensor = nullptr;
    AIBENCH_ORT_TRY(api.CastTypeInfoToTensorInfo(raw, &tensor));
    if (tensor != nullptr) {
      std::size_t rank = 0;
      AIBENCH_ORT_TRY(api.GetTensorElementType(tensor, &port.type));
      AIBENCH_ORT_TRY(api.GetDimensionsCount(tensor, &rank));
      port.dims.resize(rank);
      std::vector<const char*> names(rank, "");
      AIBENCH_ORT_TRY(api.GetDimensions(tensor, port.dims.data(), rank));
      AIBENCH_ORT_TRY(api.GetSymbolicDimensions(tensor, names.data(), rank));
      port.dim_names.assign(names.begin(), names.end());
    }
    ports->push_back(std::move(port));
  }
  return Status::success();
}

Status OrtSession::end_profiling(std::string* file) {
  const Api& api = library_->api();
  Allocator* allocator = nullptr;
  AIBENCH_ORT_TRY(api.GetAllocatorWithDefaultOptions(&allocator));
  char* name = nullptr;
  AIBENCH_ORT_TRY(api.SessionEndProfiling(session_, allocator, &name));
  *file = name;
  return library_->check(api.AllocatorFree(allocator, name));
}

}  // namespace aibench::ort
