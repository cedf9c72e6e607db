// A program in OpenCL C on a session's device.
#pragma once
#include <string>

#include "opencl/session.h"

namespace aibench::opencl {

// The caller releases what is made. Fail with OPENCL_FAILED, with the compiler's log.
Status build_program(const Session& session, const std::string& source, const char* options, Program* program);
Status make_kernel(const Session& session, Program program, const std::string& name, Kernel* kernel);

}  // namespace aibench::opencl
