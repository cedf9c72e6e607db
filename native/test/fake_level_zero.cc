// A stand-in for libze_loader.so.1 (fake_script.h): `init E0x78000001`, `devices 2`, `card1 E0x78000003`, `energy0 5000000`
// microjoules of device 0.
#include <cstdint>

#include "fake_script.h"

namespace {
struct EnergyCounter {
  std::uint64_t energy;
  std::uint64_t timestamp;
};
std::string name(const char* key, void* handle) {
  return key + std::to_string(reinterpret_cast<std::size_t>(handle) - 1);
}
int list(std::uint32_t there, std::uint32_t* count, void** handles) {
  for (std::uint32_t i = 0; handles != nullptr && i < *count && i < there; ++i) {
    handles[i] = reinterpret_cast<void*>(std::size_t{i} + 1);
  }
  *count = there;
  return 0;
}
}  // namespace

extern "C" {

int zesInit(std::uint32_t) {
  fake::load(reinterpret_cast<void*>(&zesInit));
  FAKE_TOLD(zesInit);
  double nothing = 0;
  return fake::play("init", &nothing, 0);
}
int zesDriverGet(std::uint32_t* count, void** drivers) {
  FAKE_TOLD(zesDriverGet);
  return list(1, count, drivers);
}
int zesDeviceGet(void*, std::uint32_t* count, void** devices) {
  FAKE_TOLD(zesDeviceGet);
  return list(static_cast<std::uint32_t>(fake::number("devices", 1)), count, devices);
}
#ifndef FAKE_LEVEL_ZERO_OLD
int zesDeviceGetCardPowerDomain(void* device, void** power) {
  FAKE_TOLD(zesDeviceGetCardPowerDomain);
  double nothing = 0;
  *power = device;
  return fake::play(name("card", device), &nothing, 0);
}
#endif
int zesPowerGetEnergyCounter(void* power, EnergyCounter* counter) {
  FAKE_TOLD(zesPowerGetEnergyCounter);
  double value = 0;
  const int result = fake::play(name("energy", power), &value, 0x78000003);
  *counter = {static_cast<std::uint64_t>(value), 1};
  return result;
}

}  // extern "C"
