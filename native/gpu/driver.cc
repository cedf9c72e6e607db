#include "gpu/driver.h"

#include <cstring>
#include <type_traits>

namespace aibench::gpu {
namespace {

enum Need { kNeeded, kExtra };

// CUresult; hipError_t has the same numbers for these.
enum Code : int {
  kOutOfMemory = 2,
  kStubLibrary = 34,
  kNoDevice = 100,
  kEccUncorrectable = 214,
  kNvlinkUncorrectable = 220,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kHardwareStack = 714,
  kLaunchFailed = 719,
  kNotPermitted = 800,
  kSystemNotReady = 802,
  kDriverMismatch = 803,
};

bool is_fault(Result result) {
  return result == kEccUncorrectable || result == kNvlinkUncorrectable || result == kIllegalAddress || result == kLaunchTimeout ||
         (result >= kHardwareStack && result <= kLaunchFailed);
}

std::string tool(Vendor vendor) { return vendor == Vendor::kCuda ? "nvidia-smi" : "rocm-smi"; }

// Where the library would not start.
Status refusal(const VendorTable& vendor, const std::string& message, Result result) {
  const bool cuda = vendor.vendor == Vendor::kCuda;
  switch (result) {
    case kNoDevice:
      return Status::failure("GPU_ABSENT", message,
                             cuda ? "In a container start it with --gpus all; look at CUDA_VISIBLE_DEVICES and `nvidia-smi -L`."
                                  : "In a container pass /dev/kfd and /dev/dri; look at ROCR_VISIBLE_DEVICES and `rocm-smi`.");
    case kStubLibrary:
      return Status::failure("GPU_BROKEN", message,
                             "The library found is the toolkit's stub: take its folder (.../stubs) out of LD_LIBRARY_PATH.");
    case kSystemNotReady:
      return Status::failure("GPU_BROKEN", message, "On NVSwitch systems the fabric manager must run: systemctl status nvidia-fabricmanager.");
    case kDriverMismatch:
      return Status::failure("GPU_BROKEN", message,
                             "The library and the loaded kernel driver are of different versions: reboot, or reload the driver.");
    case kNotPermitted:
      return Status::failure("GPU_BROKEN", message, "Give this user access to the devices, or run as a user who has it.");
    default:
      return Status::failure("GPU_BROKEN", message,
                             "See whether " + tool(vendor.vendor) + " works on this machine, and what `dmesg` says of the driver.");
  }
}

}  // namespace

const char* Driver::bind() {
  const char* missing = nullptr;
  const bool cuda = vendor_.vendor == Vendor::kCuda;
#define AIBENCH_GPU_CALL(member, need, cuda_name, hip_name, ...)                              \
  names_.member = cuda ? #cuda_name : #hip_name;                                              \
  calls_.member = library_.function<std::remove_reference_t<decltype(calls_.member)>>(names_.member); \
  if (need == kNeeded && calls_.member == nullptr && missing == nullptr) missing = names_.member;
#include "gpu/driver_calls.inc"
#undef AIBENCH_GPU_CALL
  return missing;
}

Status Driver::open(const VendorTable& vendor, const std::vector<std::string>& libraries, std::shared_ptr<Driver>* driver) {
  std::shared_ptr<Driver> self(new Driver(vendor));
  if (const Status opened = self->library_.open(libraries); !opened.ok()) {
    const bool broken = opened.code == "LIBRARY_BROKEN";
    return Status::failure(broken ? "GPU_BROKEN" : "GPU_ABSENT", std::string("no ") + vendor.driver + ": " + opened.message,
                           broken ? "Reinstall the driver, or repair what the message names."
                                  : std::string("Without an ") + vendor.maker + " GPU there is nothing to do; with one, install its driver.");
  }
  if (const Status started = self->start(); !started.ok()) return started;
  *driver = std::move(self);
  return Status::success();
}

Status Driver::start() {
  if (const char* missing = bind(); missing != nullptr) {
    return Status::failure("GPU_UNSUPPORTED", library_.path() + " has no " + missing,
                           std::string("Update the ") + vendor_.maker + " driver, to " +
                               gpu::version_text(vendor_.vendor, vendor_.lowest_driver) + " or newer.");
  }
  if (const Result result = calls_.init(0); result != kSuccess) {
    return refusal(vendor_, std::string("the ") + vendor_.driver + " does not start: " + names_.init + " gave " + error_text(result), result);
  }
  if (const Result result = calls_.driver_version(&version_); result != kSuccess) {
    return refusal(vendor_, std::string("the ") + vendor_.driver + " does not start: " + names_.driver_version + " gave " + error_text(result), result);
  }
  if (version_ < vendor_.lowest_driver) {
    return Status::failure("GPU_UNSUPPORTED", std::string("the ") + vendor_.driver + " is for version " + version_text() + "; aibench needs " +
                                                  gpu::version_text(vendor_.vendor, vendor_.lowest_driver) + " or newer",
                           std::string("Update the ") + vendor_.maker + " driver.");
  }
  if (const Result result = calls_.device_count(&device_count_); result != kSuccess) {
    return refusal(vendor_, std::string("the ") + vendor_.driver + " does not start: " + names_.device_count + " gave " + error_text(result), result);
  }
  if (device_count_ < 1) return refusal(vendor_, std::string("the ") + vendor_.driver + " lists no GPU", kNoDevice);
  return Status::success();
}

std::string Driver::error_text(Result result) const {
  const char* text = nullptr;
  if (calls_.error_name != nullptr && calls_.error_name(result, &text) == kSuccess && text != nullptr) {
    return std::string(text) + " (" + std::to_string(result) + ")";
  }
  return "error " + std::to_string(result);
}

Status Driver::check(const char* name, Result result) const {
  if (result == kSuccess) return Status::success();
  const std::string message = std::string("the call ") + name + " failed: " + error_text(result);
  if (result == kOutOfMemory) {
    return Status::failure("GPU_OUT_OF_MEMORY", message, "Choose a smaller size, or end what else uses the GPU (" + tool(vendor_.vendor) + ").");
  }
  if (is_fault(result)) {
    return Status::failure("GPU_FAULT", message,
                           vendor_.vendor == Vendor::kCuda ? "Look for an Xid: `dmesg | grep -i xid`; if there is one, have the GPU examined."
                                                           : "Look at `dmesg | grep -i amdgpu`.");
  }
  return Status::failure("GPU_CALL_FAILED", message, "See whether " + tool(vendor_.vendor) + " works; if it does, please report this.");
}

}  // namespace aibench::gpu
