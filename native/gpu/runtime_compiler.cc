#include "gpu/runtime_compiler.h"

#include <cstring>
#include <type_traits>

namespace aibench::gpu {
namespace {

constexpr const char* kRemedy =
    "Install hipRTC: it comes with ROCm (`apt-get install hip-runtime-amd`), or set AIBENCH_HIPRTC to the path of libhiprtc.so; memcpy, h2d, d2h and "
    "peer need no compiler.";

}  // namespace

Status RuntimeCompiler::open(const std::vector<std::string>& libraries, std::shared_ptr<RuntimeCompiler>* compiler) {
  auto self = std::make_shared<RuntimeCompiler>();
  if (Status status = self->library_.open(libraries); !status.ok()) {
    status.remedy = kRemedy;
    return status;
  }
  const char* missing = nullptr;
#define AIBENCH_COMPILER_CALL(member, name, ...)                                                                         \
  self->calls_.member = self->library_.function<std::remove_reference_t<decltype(self->calls_.member)>>(#name); \
  if (self->calls_.member == nullptr && missing == nullptr) missing = #name;
#include "gpu/compiler_calls.inc"
#undef AIBENCH_COMPILER_CALL
  if (missing != nullptr) return Status::failure("LIBRARY_UNSUPPORTED", self->path() + " has no " + missing, std::string("Use a newer one. ") + kRemedy);
  int major = 0, minor = 0;
  if (self->calls_.version(&major, &minor) == 0) self->version_ = std::to_string(major) + "." + std::to_string(minor);
  *compiler = std::move(self);
  return Status::success();
}

Status RuntimeCompiler::check(const char* name, int result) const {
  if (result == 0) return Status::success();
  return Status::failure("GPU_COMPILER_FAILED", std::string(name) + " failed: hiprtcResult " + std::to_string(result),
                         "Try another version of ROCm; if it stays, please report this. memcpy needs no compiler.");
}

Status RuntimeCompiler::compile(const char* source, const char* name, std::vector<char>* code) const {
  void* program = nullptr;
  if (Status status = check("hiprtcCreateProgram", calls_.create(&program, source, name, 0, nullptr, nullptr)); !status.ok()) return status;
  // Without an option that names an architecture it is that of the current device.
  Status status = check("hiprtcCompileProgram", calls_.compile(program, 0, nullptr));
  if (!status.ok()) {
    std::size_t size = 0;
    if (calls_.log_size(program, &size) == 0 && size > 1) {
      std::string log(size, '\0');
      if (calls_.log(program, log.data()) == 0) status.message += "; its log: " + std::string(log.c_str()).substr(0, 300);
    }
  }
  std::size_t size = 0;
  if (status.ok()) status = check("hiprtcGetCodeSize", calls_.code_size(program, &size));
  if (status.ok()) {
    code->resize(size);
    status = check("hiprtcGetCode", calls_.code(program, code->data()));
  }
  static_cast<void>(calls_.destroy(&program));
  return status;
}

}  // namespace aibench::gpu
