// Reads one field of an options object. What is wrong becomes a Status that names the field.
#pragma once
#include <napi.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench::addon {

constexpr double kMaxInteger = 9007199254740991.0;  // Number.MAX_SAFE_INTEGER
constexpr double kMaxDimension = 1 << 24;           // of a matrix
constexpr double kMaxDevices = 4096;

class OptionReader {
 public:
  // `what` names the object in messages: "createGemm".
  OptionReader(const Napi::CallbackInfo& info, const char* what) : what_(what) {
    if (info.Length() > 0 && info[0].IsObject()) {
      object_ = info[0].As<Napi::Object>();
    } else {
      fail("an options object");
    }
  }

  OptionReader(const Napi::Value& value, const char* what) : what_(what) {
    if (value.IsObject()) {
      object_ = value.As<Napi::Object>();
    } else {
      fail("an options object");
    }
  }

  // A whole number in [low, high].
  double integer(const char* name, double low, double high) {
    const double value = number(name, low, high);
    if (status_.ok() && value != std::floor(value)) fail(std::string(name) + " as a whole number");
    return value;
  }

  double number(const char* name, double low, double high) {
    if (!status_.ok()) return low;
    const Napi::Value value = object_.Get(name);
    if (!value.IsNumber()) {
      fail(std::string(name) + " as a number");
      return low;
    }
    const double result = value.As<Napi::Number>().DoubleValue();
    if (!(result >= low && result <= high)) {  // also catches NaN
      fail(std::string(name) + " between " + Napi::Number::New(value.Env(), low).ToString().Utf8Value() + " and " +
           Napi::Number::New(value.Env(), high).ToString().Utf8Value());
      return low;
    }
    return result;
  }

  std::string text(const char* name) {
    if (!status_.ok()) return {};
    const Napi::Value value = object_.Get(name);
    if (!value.IsString()) {
      fail(std::string(name) + " as a string");
      return {};
    }
    return value.As<Napi::String>().Utf8Value();
  }

  // Empty when it is left out.
  std::string optional_text(const char* name) {
    if (!status_.ok() || object_.Get(name).IsUndefined()) return {};
    return text(name);
  }

  // An array of strings.
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> list;
    if (!status_.ok()) return list;
    const Napi::Value value = object_.Get(name);
    const std::uint32_t length = value.IsArray() ? value.As<Napi::Array>().Length() : 0;
    for (std::uint32_t i = 0; i < length; ++i) {
      const Napi::Value item = value.As<Napi::Array>().Get(i);
      if (item.IsString()) list.push_back(item.As<Napi::String>().Utf8Value());
    }
    if (!value.IsArray() || list.size() != length) fail(std::string(name) + " as an array of strings");
    return list;
  }

  // False when it is left out.
  bool optional_flag(const char* name) {
    if (!status_.ok() || object_.Get(name).IsUndefined()) return false;
    const Napi::Value value = object_.Get(name);
    if (!value.IsBoolean()) {
      fail(std::string(name) + " as true or false");
      return false;
    }
    return value.As<Napi::Boolean>().Value();
  }

  // `otherwise` when it is left out.
  double optional_number(const char* name, double low, double high, double otherwise) {
    if (!status_.ok() || object_.Get(name).IsUndefined()) return otherwise;
    return number(name, low, high);
  }

  const Status& status() const { return status_; }

 private:
  void fail(const std::string& wanted) {
    status_ = Status::failure("BAD_OPTION", std::string(what_) + " wants " + wanted, "See src/native/types.ts.");
  }

  const char* what_;
  Napi::Object object_;
  Status status_;
};

}  // namespace aibench::addon
