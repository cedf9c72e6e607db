// Numbers out of the kernel's text files. Pure; every function returns NaN when the text does not hold what is asked
// for, and never looks at the locale.
#pragma once
#include <string_view>

namespace aibench {

// The number that the text begins with, after blanks: "45000\n", "0.52 0.58 ...". Not "max", not "inf".
double parse_leading_number(std::string_view text);

// A field of the first line of /proc/stat, clock ticks: user (with nice), system, idle, iowait, steal, or total, the
// sum of the first eight fields (guest time is part of user time already: Documentation/filesystems/proc).
enum class CpuTimeField { kUser, kSystem, kIdle, kIowait, kSteal, kTotal };
double parse_cpu_time(std::string_view text, CpuTimeField field);

// The number after `key` at the start of a line, with blanks or a colon between: "ctxt 123", "MemFree:  12 kB".
double parse_keyed_number(std::string_view text, std::string_view key);

}  // namespace aibench
