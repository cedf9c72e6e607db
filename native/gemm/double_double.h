// A sum carried in two doubles: about 106 bits, the wide arithmetic against which f64 results are checked.
// Dekker 1971, Knuth TAOCP 4.2.2; error at most 2^-104 relative per operation (Joldes, Muller, Popescu 2017).
#pragma once

namespace aibench {

struct DoubleDouble {
  double high = 0;
  double low = 0;

  void add(double x) {
    const double sum = high + x;
    const double part = sum - high;
    const double error = (high - (sum - part)) + (x - part);
    low += error;
    renormalize(sum);
  }
  // this += x * y, the product exact.
  void add_product(double x, double y) {
    const double product = x * y;
    const double error = product_error(x, y, product);
    add(product);
    low += error;
    renormalize(high);
  }
  double value() const { return high + low; }

 private:
  void renormalize(double sum) {
    high = sum + low;
    low -= high - sum;
  }
  static double product_error(double x, double y, double product) {
#if defined(__aarch64__)
    return __builtin_fma(x, y, -product);
#else
    // Dekker's splitting: the base build has no FMA instruction.
    constexpr double kSplit = 134217729;  // 2^27 + 1
    const double xs = kSplit * x, ys = kSplit * y;
    const double xh = xs - (xs - x), yh = ys - (ys - y);
    const double xl = x - xh, yl = y - yh;
    return ((xh * yh - product) + xh * yl + xl * yh) + xl * yl;
#endif
  }
};

// The same interface on one double, enough for f32.
struct PlainDouble {
  double high = 0;
  static constexpr double low = 0;
  void add(double x) { high += x; }
  void add_product(double x, double y) { high += x * y; }
  double value() const { return high; }
};

}  // namespace aibench
