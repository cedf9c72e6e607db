// Intel's Level Zero Sysman (libze_loader): the energy counter of each card's power domain, microjoules. Signatures from
// zes_api.h 1.11; zes_power_energy_counter_t is two 64-bit numbers and has no version.
#include <vector>

#include "telemetry/energy_library_vendors.h"

namespace aibench {
namespace {

using Result = std::int32_t;
using Handle = void*;
constexpr std::uint32_t kMostHandles = 256;
struct EnergyCounter {
  std::uint64_t microjoules;
  std::uint64_t timestamp_microseconds;
};

class LevelZero final : public EnergyLibrary {
 public:
  explicit LevelZero(DynamicLibrary library) : library_(std::move(library)) {}

  bool start(std::string* call, std::int32_t* code) {
    const auto take = [&](auto* target, const char* symbol) {
      *target = library_.function<std::remove_pointer_t<decltype(target)>>(symbol);
      if (*target == nullptr) *call = symbol;
      return *target != nullptr;
    };
    *code = -1;
    if (!take(&init_, "zesInit") || !take(&drivers_, "zesDriverGet") || !take(&devices_, "zesDeviceGet") ||
        !take(&card_power_, "zesDeviceGetCardPowerDomain") || !take(&energy_, "zesPowerGetEnergyCounter")) {
      return false;
    }
    *call = "zesInit";
    if ((*code = init_(0)) != 0) return false;
    *call = "zesDriverGet";
    std::vector<Handle> drivers;
    if ((*code = list(drivers_, &drivers)) != 0) return false;
    *call = "zesDeviceGet";
    for (Handle driver : drivers) {
      std::vector<Handle> devices;
      *code = list([&](std::uint32_t* count, Handle* out) { return devices_(driver, count, out); }, &devices);
      if (*code != 0) return false;
      for (Handle device : devices) {
        Meter meter;
        meter.status = card_power_(device, &meter.power);
        meters_.push_back(meter);
      }
    }
    return true;
  }

  std::size_t devices() const override { return meters_.size(); }

  std::int32_t read(std::size_t device, double* joules) override {
    const Meter& meter = meters_[device];
    if (meter.status != 0) return meter.status;
    EnergyCounter counter{};
    const Result result = energy_(meter.power, &counter);
    if (result == 0) *joules = 1e-6 * static_cast<double>(counter.microjoules);
    return result;
  }

 private:
  struct Meter {
    Handle power = nullptr;
    Result status = 0;  // of getting the power domain
  };

  template <typename Get>
  static Result list(Get&& get, std::vector<Handle>* handles) {
    std::uint32_t count = 0;
    if (const Result result = get(&count, nullptr); result != 0) return result;
    handles->resize(count < kMostHandles ? count : kMostHandles);
    count = static_cast<std::uint32_t>(handles->size());
    if (count == 0) return 0;
    const Result result = get(&count, handles->data());
    if (count < handles->size()) handles->resize(count);
    return result;
  }

  DynamicLibrary library_;
  Result (*init_)(std::uint32_t flags) = nullptr;
  Result (*drivers_)(std::uint32_t* count, Handle* drivers) = nullptr;
  Result (*devices_)(Handle driver, std::uint32_t* count, Handle* devices) = nullptr;
  Result (*card_power_)(Handle device, Handle* power) = nullptr;
  Result (*energy_)(Handle power, EnergyCounter* counter) = nullptr;
  std::vector<Meter> meters_;
};

}  // namespace

std::shared_ptr<EnergyLibrary> start_level_zero(DynamicLibrary library, std::string* call, std::int32_t* code) {
  auto self = std::make_shared<LevelZero>(std::move(library));
  return self->start(call, code) ? self : nullptr;
}

}  // namespace aibench
