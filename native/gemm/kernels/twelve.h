// The member of a kernel's `Vector` that the FMA ceiling is made of: twelve independent accumulators in one asm statement.
#pragma once

// ACCUMULATE(operand) is the text of one multiply-add of %[a] and %[b] onto that operand; `constraint` is the register class;
// what follows are registers that it uses beside.
#define AIBENCH_ACCUMULATE_TWELVE(ACCUMULATE, constraint, ...) \
  AIBENCH_TWELVE(accumulate_twelve, ACCUMULATE, constraint __VA_OPT__(, ) __VA_ARGS__)
#define AIBENCH_TWELVE(name, ACCUMULATE, constraint, ...)                                                              \
  static void name(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,    \
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,  \
                                Register a, Register b) {                                                              \
    asm volatile(ACCUMULATE("%0") ACCUMULATE("%1") ACCUMULATE("%2") ACCUMULATE("%3") ACCUMULATE("%4") ACCUMULATE("%5") \
                 ACCUMULATE("%6") ACCUMULATE("%7") ACCUMULATE("%8") ACCUMULATE("%9") ACCUMULATE("%10")                 \
                 ACCUMULATE("%11")                                                                                     \
                 : "+" constraint(c0), "+" constraint(c1), "+" constraint(c2), "+" constraint(c3), "+" constraint(c4), \
                   "+" constraint(c5), "+" constraint(c6), "+" constraint(c7), "+" constraint(c8), "+" constraint(c9), \
                   "+" constraint(c10), "+" constraint(c11)                                                            \
                 : [a] constraint(a), [b] constraint(b)                                                                 \
                 : __VA_ARGS__);                                                           \
  }

// The same in C++, where there is no such instruction to name.
#define AIBENCH_ACCUMULATE_TWELVE_PLAIN                                                                               \
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,   \
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11, \
                                Register a, Register b) {                                                             \
    Register* all[] = {&c0, &c1, &c2, &c3, &c4, &c5, &c6, &c7, &c8, &c9, &c10, &c11};                                 \
    for (Register* c : all) {                                                                                         \
      accumulate(*c, a, b);                                                                                           \
      pin(*c);                                                                                                        \
    }                                                                                                                 \
  }
