// A driver from before field values, event reasons and TemperatureV.
#define FAKE_NVML_OLD
#include "fake_nvml.cc"
