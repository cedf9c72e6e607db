// The reduction kernels of every ISA against the scalar ones, bit for bit: every dtype and operation, counts around the
// vector widths, any alignment of inputs, one to three inputs and outputs, stores around the caches, rounding and NaN.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "collective/reduction.h"
#include "core/cpu_features.h"
#include "memory/counter_random.h"

namespace {

using aibench::Reduction;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

// 64-byte aligned memory.
struct Line {
  alignas(64) unsigned char bytes[64];
};
using Buffer = std::vector<Line>;
unsigned char* data(Buffer& buffer) { return buffer.front().bytes; }

// Bit patterns of finite numbers of moderate size, so that sums round but stay finite; NaN only where asked for.
void fill(Buffer& buffer, const Reduction& row, std::uint64_t seed) {
  const std::string dtype = row.dtype;
  unsigned char* at = data(buffer);
  for (std::size_t i = 0; i + row.element_bytes <= buffer.size() * sizeof(Line); i += row.element_bytes) {
    const std::uint64_t random = aibench::random_bits(seed, 3, i);
    const double value = (static_cast<double>(random >> 40) / (1 << 16) - 128) * ((random & 7) == 0 ? 1e-3 : 1);
    if (dtype == "f64") {
      std::memcpy(at + i, &value, 8);
    } else if (dtype == "f32") {
      const auto f = static_cast<float>(value);
      std::memcpy(at + i, &f, 4);
    } else if (dtype == "f16" || dtype == "bf16") {
      // Exponents between 2^-6 and 2^7, any fraction and sign.
      const auto bits = static_cast<std::uint16_t>(dtype == "f16" ? (random & 0x83ff) | ((9 + (random >> 20) % 14) << 10)
                                                                  : (random & 0x807f) | ((121 + (random >> 20) % 14) << 7));
      std::memcpy(at + i, &bits, 2);
    } else {
      std::memcpy(at + i, &random, row.element_bytes);
    }
  }
}

void compare(const Reduction& row, const Reduction& reference) {
  const std::string name = std::string(row.dtype) + " " + row.op + " " + row.isa;
  const std::size_t e = row.element_bytes;
  for (const std::size_t count : {1, 2, 7, 16, 31, 32, 33, 63, 64, 65, 127, 200, 1000}) {
    for (const std::size_t offset : {0, 1, 3}) {  // elements that an input is out of line
      Buffer a((count + 8) * e / 64 + 2), b(a.size()), c(a.size()), out(a.size()), second(a.size()), expected(a.size());
      fill(a, row, count);
      fill(b, row, count + 1);
      fill(c, row, count + 2);
      const void* inputs[] = {data(a) + offset * e, data(b) + offset * e, data(c)};
      row.combine(data(out) + offset * e, inputs[0], inputs[1], count);
      reference.combine(data(expected) + offset * e, inputs[0], inputs[1], count);
      require(std::memcmp(data(out) + offset * e, data(expected) + offset * e, count * e) == 0, name + ": combine");
      for (const int n : {1, 2, 3}) {
        // Against combine of the reference: 16-bit types are added up in f32 by both, pair by pair only for two inputs.
        void* outputs[] = {data(out), data(second), data(expected)};
        void* expected_output = data(expected);
        reference.reduce(&expected_output, 1, inputs, n, 0, count);
        for (const auto function : {row.reduce, row.reduce_streaming}) {
          if (function == nullptr) continue;
          for (const int out_count : {1, 2}) {
            std::memset(data(out), 0x5a, out.size() * 64);
            std::memset(data(second), 0x5a, out.size() * 64);
            function(outputs, out_count, inputs, n, 0, count);
            const bool wide = e != 2 || n < 3;  // three 16-bit inputs: scalar rounds after each pair, vectors once
            for (int o = 0; o < out_count && wide; ++o) {
              require(std::memcmp(outputs[o], data(expected), count * e) == 0, name + ": reduce of " + std::to_string(n));
            }
            require(static_cast<unsigned char*>(outputs[0])[count * e] == 0x5a, name + ": written beyond the end");
          }
        }
      }
      if (row.copy_streaming != nullptr) {
        row.copy_streaming(data(out), inputs[0], count * e);
        require(std::memcmp(data(out), inputs[0], count * e) == 0, name + ": copy");
      }
    }
  }
}

void check_table(const Reduction* table) {
  int rows = 0;
  for (const Reduction* row = table; row->dtype != nullptr; ++row, ++rows) {
    for (const Reduction* reference = aibench::kReductions_scalar; reference->dtype != nullptr; ++reference) {
      if (std::string(row->dtype) == reference->dtype && std::string(row->op) == reference->op) compare(*row, *reference);
    }
  }
  require(rows == 18, "six dtypes by three operations");
}

// bf16 NaN stays NaN in every path, also where rounding up would carry out of it.
void check_nan(const Reduction* table) {
  for (const Reduction* row = table; row->dtype != nullptr; ++row) {
    if (std::string(row->dtype) != "bf16" || std::string(row->op) != "sum") continue;
    std::vector<std::uint16_t> a(64, 0x7fff), b(64, 0x3f80), out(64, 0);
    row->combine(out.data(), a.data(), b.data(), 64);
    for (const std::uint16_t bits : out) require((bits & 0x7fff) > 0x7f80, std::string(row->isa) + ": NaN was lost");
  }
}

}  // namespace

int main() {
  const Reduction* const tables[] = {
#define AIBENCH_REDUCTIONS(isa) aibench::kReductions_##isa,
#include "collective/reductions.inc"
#undef AIBENCH_REDUCTIONS
  };
  for (const Reduction* table : tables) {
    aibench::Isa isa;
    require(aibench::parse_isa(table->isa, &isa), table->isa);
#ifndef AIBENCH_SIMDE
    if (!aibench::isa_supported(isa)) continue;
#endif
    check_table(table);
    check_nan(table);
  }
  std::puts("reduction_test: ok");
}
