// What the sensors of a stand-in device make of a course of power that is known exactly: a word that begins with @ in its script
// (fake_nvml.cc). Power steps at given times and ripples by 1 % (a sine of 0.37 s), so that no two readings are alike.
//   @energy              joules since the origin; every=<s> moves only so often, stuck=<a>:<b> stands still between and makes up
//                        for nothing, reset=<t> begins again at zero, back=<t>:<J> jumps back
//   @power               now; every=<s>; average=<s> over so long before; seen=<s> of each period of `every` its first part alone
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fake {

class Trace {
 public:
  // Seconds and watts in turns: `0 100 1.5 300`.
  explicit Trace(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
      steps_.emplace_back(std::atof(words[i].c_str()), std::atof(words[i + 1].c_str()));
    }
  }

  double watts(double time) const {
    double base = steps_.empty() ? 0 : steps_.front().second;
    for (const auto& [at, value] : steps_) base = at <= time ? value : base;
    return base * (1 + kRipple * std::sin(kOmega * time));
  }

  double joules(double from, double to) const {
    double sum = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const double begin = i == 0 ? from : std::max(from, steps_[i].first);
      const double end = i + 1 < steps_.size() ? std::min(to, steps_[i + 1].first) : to;
      if (end <= begin) continue;
      const double ripple = kRipple / kOmega * (std::cos(kOmega * begin) - std::cos(kOmega * end));
      sum += steps_[i].second * (end - begin + ripple);
    }
    return sum;
  }

 private:
  static constexpr double kRipple = 0.01;
  static constexpr double kOmega = 2 * 3.14159265358979323846 / 0.37;
  std::vector<std::pair<double, double>> steps_;
};

// The reading at `time` after the origin, J or W, of the sensor that the words describe.
inline double sensed(const Trace& trace, const std::vector<std::string>& words, double time) {
  const auto option = [&words](const std::string& name, double* second = nullptr) {
    for (const std::string& word : words) {
      if (word.rfind(name + "=", 0) != 0) continue;
      const std::string rest = word.substr(name.size() + 1);
      const std::size_t colon = rest.find(':');
      if (second != nullptr && colon != std::string::npos) *second = std::atof(rest.c_str() + colon + 1);
      return std::atof(rest.c_str());
    }
    return 0.0;
  };
  if (const double every = option("every"); every > 0) time = std::floor(time / every) * every;
  if (words[0] == "@power") {
    const double average = option("average"), seen = option("seen");
    if (average > 0) return trace.joules(time - average, time) / average;
    return seen > 0 ? trace.joules(time, time + seen) / seen : trace.watts(time);
  }
  double until = 0, by = 0;
  const double stuck = option("stuck", &until), reset = option("reset"), back = option("back", &by);
  double joules = 1000 + trace.joules(0, time);
  if (stuck > 0 && time > stuck) joules -= trace.joules(stuck, std::min(time, until));
  if (back > 0 && time > back) joules -= by;
  if (reset > 0 && time > reset) joules = trace.joules(reset, time);
  return joules;
}

}  // namespace fake
