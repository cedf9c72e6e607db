#include "telemetry/parse.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace aibench {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

void skip_blanks(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t')) text->remove_prefix(1);
}

// Takes a number off the front of the text, NaN when there is none.
double take_number(std::string_view* text) {
  skip_blanks(text);
  // Most are whole numbers. Up to 15 digits are exact in a double, and reading them here keeps the sampler off the pages
  // of the library's code for all the others.
  std::size_t digits = 0;
  std::uint64_t whole = 0;
  while (digits < text->size() && digits < 16 && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    whole = 10 * whole + static_cast<std::uint64_t>((*text)[digits++] - '0');
  }
  const char next = digits < text->size() ? (*text)[digits] : '\n';
  if (digits > 0 && digits < 16 && (next == ' ' || next == '\n')) {
    text->remove_prefix(digits);
    return static_cast<double>(whole);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return kNothing;
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return value;
}

}  // namespace

double parse_leading_number(std::string_view text) { return take_number(&text); }

double parse_cpu_time(std::string_view text, CpuTimeField field) {
  if (text.substr(0, 4) != "cpu ") return kNothing;
  text.remove_prefix(4);
  text = text.substr(0, text.find('\n'));
  // user nice system idle iowait irq softirq steal; old kernels stop earlier.
  double ticks[8] = {};
  int count = 0;
  double total = 0;
  for (; count < 8; ++count) {
    ticks[count] = take_number(&text);
    if (std::isnan(ticks[count])) break;
    total += ticks[count];
  }
  const auto at = [&](int index) { return index < count ? ticks[index] : kNothing; };
  if (count < 4) return kNothing;
  switch (field) {
    case CpuTimeField::kUser: return ticks[0] + ticks[1];
    case CpuTimeField::kSystem: return at(2);
    case CpuTimeField::kIdle: return at(3);
    case CpuTimeField::kIowait: return at(4);
    case CpuTimeField::kSteal: return at(7);
    case CpuTimeField::kTotal: return total;
  }
  return kNothing;
}

double parse_keyed_number(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    if (text.substr(0, key.size()) == key) {
      std::string_view rest = text.substr(key.size());
      if (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t' || rest.front() == ':')) {
        if (rest.front() == ':') rest.remove_prefix(1);
        return take_number(&rest);
      }
    }
    const std::size_t line_end = text.find('\n');
    if (line_end == std::string_view::npos) break;
    text.remove_prefix(line_end + 1);
  }
  return kNothing;
}

}  // namespace aibench
