// libOpenCL (the ICD loader), opened at run time: its calls, and its errors in words.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/status.h"
#include "opencl/opencl_abi.h"

namespace aibench::opencl {

struct OpenclLibrary {
#define AIBENCH_CL(name, result, arguments) result(*name) arguments = nullptr;
#include "opencl/opencl_calls.inc"
#undef AIBENCH_CL
  DynamicLibrary file;

  // Opens the first of `names` that loads. Kept for the life of the process: several drivers do not survive being closed. Fails with
  // LIBRARY_ABSENT, LIBRARY_BROKEN, or LIBRARY_UNSUPPORTED naming the call that it lacks.
  static Status open(const std::vector<std::string>& names, const OpenclLibrary** library);
};

// "CL_OUT_OF_RESOURCES (-5)".
std::string error_text(Int code);

// OPENCL_FAILED, naming the call and its error; success for kSuccess. Out of memory is OUT_OF_MEMORY.
Status call_status(Int code, const char* call);

}  // namespace aibench::opencl
