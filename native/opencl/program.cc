#include "opencl/program.h"

#include <cstring>

namespace aibench::opencl {

Status build_program(const Session& session, const std::string& source, const char* options, Program* program) {
  const OpenclLibrary& cl = session.library();
  Int code = kSuccess;
  const char* text = source.c_str();
  *program = cl.clCreateProgramWithSource(session.context(), 1, &text, nullptr, &code);
  if (*program == nullptr) return call_status(code == kSuccess ? -6 : code, "clCreateProgramWithSource");
  code = cl.clBuildProgram(*program, 1, &session.device().device, options, nullptr, nullptr);
  if (code == kSuccess) return Status::success();
  std::string log(4096, '\0');
  if (cl.clGetProgramBuildInfo(*program, session.device().device, kBuildLog, log.size() - 1, log.data(), nullptr) != kSuccess) log.clear();
  log.resize(std::strlen(log.c_str()));
  Status status = call_status(code, "clBuildProgram");
  if (!log.empty()) status.message += "; its log: " + log.substr(0, 300);
  return status;
}

Status make_kernel(const Session& session, Program program, const std::string& name, Kernel* kernel) {
  Int code = kSuccess;
  *kernel = session.library().clCreateKernel(program, name.c_str(), &code);
  return *kernel == nullptr ? call_status(code == kSuccess ? -46 : code, "clCreateKernel") : Status::success();
}

}  // namespace aibench::opencl
