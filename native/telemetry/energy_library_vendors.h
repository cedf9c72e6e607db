// What each vendor's file offers to energy_library.cc.
#pragma once
#include <memory>
#include <string>

#include "core/dynamic_library.h"
#include "telemetry/energy_library.h"

namespace aibench {

// Takes over the opened library. nullptr, with the call that failed and its code, where it does not initialise; code -1: a
// symbol is missing, and *call names it.
std::shared_ptr<EnergyLibrary> start_amd_smi(DynamicLibrary library, std::string* call, std::int32_t* code);
std::shared_ptr<EnergyLibrary> start_level_zero(DynamicLibrary library, std::string* call, std::int32_t* code);

}  // namespace aibench
