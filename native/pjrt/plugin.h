// A PJRT plugin, opened at run time: its table of functions, and its errors as Status.
#pragma once
#include <memory>
#include <string>

#include "core/dynamic_library.h"
#include "core/status.h"
#include "pjrt/pjrt_abi.h"

namespace aibench::pjrt {

class Plugin {
 public:
  // Opens and initialises it, once per process and path; it stays open. Fails with LIBRARY_ABSENT, LIBRARY_BROKEN, LIBRARY_UNSUPPORTED (no
  // GetPjrtApi, another version, a function that is missing), PJRT_FAILED with the plugin's own message.
  static Status open(const std::string& path, const Plugin** plugin);

  // "0.81"
  std::string version() const;
  const std::string& path() const { return file_.path(); }
  bool has(Function function) const;

  // Calls a function that may fail; sets the size of the arguments.
  template <typename Args>
  Status call(Function function, Args* args) const {
    args->size = struct_size<Args>();
    return status_of(reinterpret_cast<Error* (*)(Args*)>(api_->functions[function])(args), function);
  }

 private:
  Status load(const std::string& path);
  // Frees the error. OUT_OF_MEMORY and, of compiling, DTYPE_UNSUPPORTED (UNIMPLEMENTED) are told from the rest, PJRT_FAILED.
  Status status_of(Error* error, Function function) const;
  int code_of(const Error* error) const;
  void destroy(Error* error) const;

  DynamicLibrary file_;
  const Api* api_ = nullptr;
};

}  // namespace aibench::pjrt
