#include "opencl/opencl_library.h"

#include <map>
#include <mutex>

namespace aibench::opencl {
namespace {

constexpr const char* kRemedy =
    "Install the OpenCL driver of the device and an ICD loader (Debian and Ubuntu: apt-get install ocl-icd-libopencl1; for a CPU "
    "pocl-opencl-icd).";

// The errors of CL/cl.h and CL/cl_ext.h that the calls used here may give.
const std::map<Int, const char*>& error_names() {
  static const std::map<Int, const char*> names = {
      {-1, "CL_DEVICE_NOT_FOUND"},      {-2, "CL_DEVICE_NOT_AVAILABLE"},
      {-3, "CL_COMPILER_NOT_AVAILABLE"}, {-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
      {-5, "CL_OUT_OF_RESOURCES"},      {-6, "CL_OUT_OF_HOST_MEMORY"},
      {-7, "CL_PROFILING_INFO_NOT_AVAILABLE"}, {-11, "CL_BUILD_PROGRAM_FAILURE"},
      {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"}, {-30, "CL_INVALID_VALUE"},
      {-32, "CL_INVALID_PLATFORM"},     {-33, "CL_INVALID_DEVICE"},
      {-34, "CL_INVALID_CONTEXT"},      {-35, "CL_INVALID_QUEUE_PROPERTIES"},
      {-36, "CL_INVALID_COMMAND_QUEUE"}, {-38, "CL_INVALID_MEM_OBJECT"},
      {-44, "CL_INVALID_PROGRAM"},      {-45, "CL_INVALID_PROGRAM_EXECUTABLE"},
      {-46, "CL_INVALID_KERNEL_NAME"},  {-48, "CL_INVALID_KERNEL"},
      {-51, "CL_INVALID_ARG_SIZE"},     {-52, "CL_INVALID_KERNEL_ARGS"},
      {-54, "CL_INVALID_WORK_GROUP_SIZE"}, {-59, "CL_INVALID_OPERATION"},
      {-61, "CL_INVALID_BUFFER_SIZE"},  {-63, "CL_INVALID_GLOBAL_WORK_SIZE"},
      {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
  };
  return names;
}

Status open_new(const std::vector<std::string>& names, std::unique_ptr<OpenclLibrary>* library) {
  auto opened = std::make_unique<OpenclLibrary>();
  Status status = opened->file.open(names);
  if (!status.ok()) {
    status.remedy = kRemedy;
    return status;
  }
#define AIBENCH_CL(name, result, arguments)                                                                               \
  if ((opened->name = opened->file.function<result(*) arguments>(#name)) == nullptr) {                                     \
    return Status::failure("LIBRARY_UNSUPPORTED", opened->file.path() + " has no " #name, "It must be OpenCL 1.1 or later."); \
  }
#include "opencl/opencl_calls.inc"
#undef AIBENCH_CL
  *library = std::move(opened);
  return status;
}

}  // namespace

Status OpenclLibrary::open(const std::vector<std::string>& names, const OpenclLibrary** library) {
  static std::mutex mutex;
  static auto* opened = new std::map<std::vector<std::string>, std::unique_ptr<OpenclLibrary>>();
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<OpenclLibrary>& entry = (*opened)[names];
  Status status = Status::success();
  if (entry == nullptr) status = open_new(names, &entry);
  if (status.ok()) *library = entry.get();
  return status;
}

std::string error_text(Int code) {
  const auto found = error_names().find(code);
  return (found == error_names().end() ? std::string("error") : found->second) + " (" + std::to_string(code) + ")";
}

Status call_status(Int code, const char* call) {
  if (code == kSuccess) return Status::success();
  const std::string message = std::string(call) + " failed: " + error_text(code);
  if (code == -4 || code == -6) return Status::failure("OUT_OF_MEMORY", message, "Choose a smaller size, or end what else uses the device.");
  return Status::failure("OPENCL_FAILED", message, "See the driver's log (dmesg), and `clinfo` for what the driver says of the device.");
}

}  // namespace aibench::opencl
