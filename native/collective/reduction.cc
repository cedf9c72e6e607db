#include "collective/reduction.h"

#include <cstring>
#include <string>
#include <vector>

#include "core/cpu_features.h"

namespace aibench {

Status find_reduction(const char* dtype, const char* op, const char* isa, const Reduction** reduction) {
  static const Reduction* const kRows[] = {
#define AIBENCH_REDUCTION(dtype, op, isa) &kReduction_##dtype##_##op##_##isa,
#include "collective/reductions.inc"
#undef AIBENCH_REDUCTION
  };
  std::vector<Isa> built;
  for (const Reduction* row : kRows) {
    Isa row_isa;
    if (std::strcmp(row->dtype, dtype) == 0 && std::strcmp(row->op, op) == 0 && parse_isa(row->isa, &row_isa)) {
      built.push_back(row_isa);
    }
  }
  if (built.empty()) {
    return Status::failure("UNSUPPORTED_REDUCTION",
                           "there is no reduction of " + std::string(dtype) + " by " + std::string(op),
                           "Use dtype f32 and op sum.");
  }
  Isa chosen;
  if (Status status = choose_isa(isa, built, &chosen); !status.ok()) return status;
  for (const Reduction* row : kRows) {
    if (std::strcmp(row->dtype, dtype) == 0 && std::strcmp(row->op, op) == 0 &&
        std::strcmp(row->isa, isa_name(chosen)) == 0) {
      *reduction = row;
    }
  }
  return Status::success();
}

}  // namespace aibench
