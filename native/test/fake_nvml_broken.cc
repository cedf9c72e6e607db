// A library that calls itself NVML and lacks what every NVML has.
#define FAKE_NVML_BROKEN
#include "fake_nvml.cc"
