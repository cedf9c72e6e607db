// Energy counters of vendors' management libraries other than NVML, opened at run time. Only calls without versioned
// structures are used, so that no header and no version of one is needed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/sensor.h"

namespace aibench {

enum class EnergyVendor { kAmdSmi, kLevelZero };
// "amdsmi", "levelzero".
bool parse_energy_vendor(const std::string& name, EnergyVendor* vendor);
// The library's own name for one of its codes where it is known here, else its number.
std::string energy_error_name(EnergyVendor vendor, std::int32_t code);

// One counter per device, numbered from 0 in the library's order. Thread-safe as far as the library is.
class EnergyLibrary {
 public:
  virtual ~EnergyLibrary() = default;
  virtual std::size_t devices() const = 0;
  // Joules since the library's own zero. Gives the library's code; 0 is success, and only then is *joules set.
  virtual std::int32_t read(std::size_t device, double* joules) = 0;
  // `0000:c1:00.0`, which joins a counter to the GPU that a case ran on; empty where the library does not say.
  virtual std::string pci(std::size_t) const { return {}; }
};

struct EnergyAbsence {
  std::string status;  // absent, unsupported, denied: as in NvmlAbsence
  std::string reason;
  std::string remedy;
  std::int32_t code = -1;
};

// nullptr, with *absence filled in, where none of `libraries` loads or it does not initialise.
std::shared_ptr<EnergyLibrary> open_energy_library(EnergyVendor vendor, const std::vector<std::string>& libraries,
                                                   EnergyAbsence* absence);

// `library` may be null: then every read fails with `absence`.
std::unique_ptr<Sensor> make_energy_library_sensor(std::shared_ptr<EnergyLibrary> library, EnergyVendor vendor,
                                                   std::int32_t absence, std::size_t device);

}  // namespace aibench
