// HIP's runtime compiler (hipRTC), opened at run time: AMD has no form of code that every driver takes, as PTX is NVIDIA's.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/status.h"

namespace aibench::gpu {

// Functions of libhiprtc without their prefix: hiprtcCompileProgram is "CompileProgram".
struct CompilerCalls {
#define AIBENCH_COMPILER_CALL(member, name, ...) int (*member)(__VA_ARGS__) = nullptr;
#include "gpu/compiler_calls.inc"
#undef AIBENCH_COMPILER_CALL
};

class RuntimeCompiler {
 public:
  // Opens the first of `libraries` that loads. Fails with LIBRARY_ABSENT, LIBRARY_BROKEN or LIBRARY_UNSUPPORTED (a function is missing).
  static Status open(const std::vector<std::string>& libraries, std::shared_ptr<RuntimeCompiler>* compiler);

  // Compiles for the device whose context is the thread's. Fails with GPU_COMPILER_FAILED, with the compiler's own words.
  Status compile(const char* source, const char* name, std::vector<char>* code) const;
  const std::string& path() const { return library_.path(); }
  const std::string& version() const { return version_; }  // "6.3"; empty where it does not say

 private:
  Status check(const char* name, int result) const;
  DynamicLibrary library_;
  CompilerCalls calls_;
  std::string version_;
};

}  // namespace aibench::gpu
