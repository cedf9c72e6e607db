#include <errno.h>

#include <system_error>

#include "telemetry/energy_library.h"
#include "telemetry/nvml_abi.h"
#include "telemetry/sensor.h"

namespace aibench {

std::string errno_name(int code) {
  switch (code) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case EIO: return "EIO";
    case ENXIO: return "ENXIO";
    case EBADF: return "EBADF";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EACCES: return "EACCES";
    case EBUSY: return "EBUSY";
    case ENODEV: return "ENODEV";
    case ENOTDIR: return "ENOTDIR";
    case EISDIR: return "EISDIR";
    case EINVAL: return "EINVAL";
    case ENFILE: return "ENFILE";
    case EMFILE: return "EMFILE";
    case ESPIPE: return "ESPIPE";
    case ENODATA: return "ENODATA";
    case ETIMEDOUT: return "ETIMEDOUT";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case ESTALE: return "ESTALE";
    case ENOSYS: return "ENOSYS";
    default: return "errno " + std::to_string(code);
  }
}

std::string describe(const ReadFailure& failure) {
  switch (failure.kind) {
    case ReadFailure::kNone: return "";
    case ReadFailure::kErrno: return errno_name(failure.code) + ": " + std::generic_category().message(failure.code);
    case ReadFailure::kNotANumber: return "the text holds no such number";
    case ReadFailure::kNvml: return nvml_error_name(failure.code);
    case ReadFailure::kAmdSmi: return energy_error_name(EnergyVendor::kAmdSmi, failure.code);
    case ReadFailure::kLate: return "the answer took too long to be dated";
    case ReadFailure::kLevelZero: return energy_error_name(EnergyVendor::kLevelZero, failure.code);
  }
  return "";
}

}  // namespace aibench
