#include "ort/ort_session.h"

namespace aibench::ort {

Status Library::open(const std::string& path, std::shared_ptr<Library>* out) {
  auto library = std::make_shared<Library>();
  Status status = library->library_.open({path});
  const auto wrong = [](const std::string& what) {
    return Status::failure("ORT_LIBRARY", what, "Install onnxruntime-node again; ort-native uses the library that it brings.");
  };
  if (!status.ok()) return wrong(status.message);
  const auto get_base = library->library_.function<const ApiBase* (*)()>("OrtGetApiBase");
  if (get_base == nullptr) return wrong(path + " is no ONNX Runtime: it has no OrtGetApiBase");
  const ApiBase* base = get_base();
  library->version_ = base->GetVersionString();
  const void* const* table = base->GetApi(kApiVersion);
  if (table == nullptr) return wrong("ONNX Runtime " + library->version_ + " has no C API of version 12");
#define AIBENCH_ORT_LOAD(name, place, result, parameters) \
  library->api_.name = reinterpret_cast<decltype(library->api_.name)>(const_cast<void*>(table[place]));
  AIBENCH_ORT_FUNCTIONS(AIBENCH_ORT_LOAD)
#undef AIBENCH_ORT_LOAD
  status = library->check(library->api_.CreateEnv(kLogFatal, "aibench", &library->env_));
  if (!status.ok()) return status;
  *out = std::move(library);
  return Status::success();
}

Library::~Library() {
  if (env_ != nullptr) api_.ReleaseEnv(env_);
}

Status Library::check(Status_* status) const {
  if (status == nullptr) return Status::success();
  std::string message = api_.GetErrorMessage(status);
  api_.ReleaseStatus(status);
  return Status::failure("ORT_FAILURE", std::move(message));
}

}  // namespace aibench::ort
