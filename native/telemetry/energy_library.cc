#include "telemetry/energy_library.h"

#include <cstdio>
#include <limits>

#include "core/dynamic_library.h"
#include "telemetry/energy_library_vendors.h"

namespace aibench {
namespace {

struct Named {
  std::int32_t code;
  const char* name;
  const char* status;
};
// amdsmi.h, amdsmi_status_t.
constexpr Named kAmdSmiCodes[] = {{2, "AMDSMI_STATUS_NOT_SUPPORTED", "unsupported"},
                                  {10, "AMDSMI_STATUS_NO_PERM", "denied"},
                                  {31, "AMDSMI_STATUS_NOT_FOUND", "absent"},
                                  {32, "AMDSMI_STATUS_NOT_INIT", "unsupported"},
                                  {34, "AMDSMI_STATUS_DRIVER_NOT_LOADED", "absent"},
                                  {40, "AMDSMI_STATUS_NO_DATA", "unsupported"}};
// ze_api.h, ze_result_t.
constexpr Named kLevelZeroCodes[] = {{0x70000001, "ZE_RESULT_ERROR_DEVICE_LOST", "unsupported"},
                                     {0x70010000, "ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS", "denied"},
                                     {0x70010001, "ZE_RESULT_ERROR_NOT_AVAILABLE", "unsupported"},
                                     {0x70020000, "ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE", "absent"},
                                     {0x78000001, "ZE_RESULT_ERROR_UNINITIALIZED", "absent"},
                                     {0x78000002, "ZE_RESULT_ERROR_UNSUPPORTED_VERSION", "unsupported"},
                                     {0x78000003, "ZE_RESULT_ERROR_UNSUPPORTED_FEATURE", "unsupported"}};

const Named* find_code(EnergyVendor vendor, std::int32_t code) {
  const auto search = [code](const auto& table) -> const Named* {
    for (const Named& row : table) {
      if (row.code == code) return &row;
    }
    return nullptr;
  };
  return vendor == EnergyVendor::kAmdSmi ? search(kAmdSmiCodes) : search(kLevelZeroCodes);
}

class EnergyLibrarySensor final : public Sensor {
 public:
  EnergyLibrarySensor(std::shared_ptr<EnergyLibrary> library, EnergyVendor vendor, std::int32_t absence,
                      std::size_t device)
      : library_(std::move(library)), vendor_(vendor), absence_(absence), device_(device) {}

  const char* group() const override { return vendor_ == EnergyVendor::kAmdSmi ? "amdsmi" : "levelzero"; }

  void read(std::vector<Outcome>* outcomes) override {
    Outcome outcome;
    const bool there = library_ != nullptr && device_ < library_->devices();
    const std::int32_t code = there ? library_->read(device_, &outcome.value) : absence_;
    if (code != 0) {
      outcome.value = std::numeric_limits<double>::quiet_NaN();
      outcome.failure = {vendor_ == EnergyVendor::kAmdSmi ? ReadFailure::kAmdSmi : ReadFailure::kLevelZero, code};
    }
    for (Outcome& each : *outcomes) each = outcome;
  }

 private:
  std::shared_ptr<EnergyLibrary> library_;
  EnergyVendor vendor_;
  std::int32_t absence_;
  std::size_t device_;
};

}  // namespace

bool parse_energy_vendor(const std::string& name, EnergyVendor* vendor) {
  if (name == "amdsmi") *vendor = EnergyVendor::kAmdSmi;
  else if (name == "levelzero") *vendor = EnergyVendor::kLevelZero;
  else return false;
  return true;
}

std::string energy_error_name(EnergyVendor vendor, std::int32_t code) {
  if (code < 0) return "the library is not there";
  if (const Named* row = find_code(vendor, code); row != nullptr) return row->name;
  char text[48];
  std::snprintf(text, sizeof text, vendor == EnergyVendor::kAmdSmi ? "amdsmi_status_t %d" : "ze_result_t 0x%x",
                static_cast<unsigned>(code));
  return text;
}

std::shared_ptr<EnergyLibrary> open_energy_library(EnergyVendor vendor, const std::vector<std::string>& libraries,
                                                   EnergyAbsence* absence) {
  const bool amd = vendor == EnergyVendor::kAmdSmi;
  DynamicLibrary library;
  if (const aibench::Status status = library.open(libraries); !status.ok()) {
    const bool broken = status.code == "LIBRARY_BROKEN";
    *absence = {broken ? "unsupported" : "absent", status.message,
                amd ? "Install AMD SMI (ROCm); without an AMD GPU there is nothing to do."
                    : "Install the Level Zero loader and Intel's GPU driver; without an Intel GPU there is nothing to do.",
                -1};
    return nullptr;
  }
  std::string call;
  std::int32_t code = -1;
  const std::string name = library.path().empty() ? library.name() : library.path();
  auto opened = amd ? start_amd_smi(std::move(library), &call, &code) : start_level_zero(std::move(library), &call, &code);
  if (opened != nullptr) return opened;
  if (code < 0) {
    *absence = {"unsupported", name + " has no symbol " + call, "Install a newer version of the library.", code};
    return nullptr;
  }
  const Named* row = find_code(vendor, code);
  *absence = {row == nullptr ? "unsupported" : row->status, call + " failed: " + energy_error_name(vendor, code),
              amd ? "See whether amd-smi works on this machine; it uses the same library."
                  : "See whether this user may open /dev/dri/renderD* (group render), and whether the driver is loaded.",
              code};
  return nullptr;
}

std::unique_ptr<Sensor> make_energy_library_sensor(std::shared_ptr<EnergyLibrary> library, EnergyVendor vendor,
                                                   std::int32_t absence, std::size_t device) {
  return std::make_unique<EnergyLibrarySensor>(std::move(library), vendor, absence, device);
}

}  // namespace aibench
