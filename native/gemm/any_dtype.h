// From a dtype's name to the type of A that the templates take.
#pragma once
#include <string>

#include "core/status.h"
#include "gemm/dtypes.h"

namespace aibench {

// Calls create(static_cast<T*>(nullptr)) for the T of `dtype`. Fails with DTYPE_UNKNOWN; `what` stands in its message.
template <typename Create>
Status for_dtype(const char* what, const std::string& dtype, const Create& create) {
  if (dtype == "f32") return create(static_cast<float*>(nullptr));
  if (dtype == "f64") return create(static_cast<double*>(nullptr));
  if (dtype == "bf16") return create(static_cast<Bf16*>(nullptr));
  if (dtype == "f16") return create(static_cast<F16*>(nullptr));
  if (dtype == "s8") return create(static_cast<std::int8_t*>(nullptr));
  if (dtype == "u8") return create(static_cast<std::uint8_t*>(nullptr));
  return Status::failure("DTYPE_UNKNOWN", std::string(what) + " has no kernel for the dtype \"" + dtype + "\"",
                         "Choose one of: f32, f64, bf16, f16, s8, u8.");
}

}  // namespace aibench
