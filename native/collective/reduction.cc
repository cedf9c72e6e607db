#include "collective/reduction.h"

#include <vector>

#include "core/cpu_features.h"

namespace aibench {

Status find_reduction(const std::string& dtype, const std::string& op, const std::string& isa,
                      const Reduction** reduction) {
  static const Reduction* const kTables[] = {
#define AIBENCH_REDUCTIONS(isa) kReductions_##isa,
#include "collective/reductions.inc"
#undef AIBENCH_REDUCTIONS
  };
  std::vector<const Reduction*> rows;
  std::vector<Isa> built;
  for (const Reduction* table : kTables) {
    for (const Reduction* row = table; row->dtype != nullptr; ++row) {
      Isa row_isa;
      if (dtype != row->dtype || op != row->op || !parse_isa(row->isa, &row_isa)) continue;
      rows.push_back(row);
      built.push_back(row_isa);
    }
  }
  if (rows.empty()) {
    return Status::failure("UNSUPPORTED_REDUCTION", "there is no reduction of " + dtype + " by " + op,
                           "Use dtype f64, f32, f16, bf16, s32 or s8, and op sum, min or max.");
  }
  Isa chosen;
  if (Status status = choose_isa(isa, built, &chosen); !status.ok()) return status;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (built[i] == chosen) *reduction = rows[i];
  }
  return Status::success();
}

}  // namespace aibench
