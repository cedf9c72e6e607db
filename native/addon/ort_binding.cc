// createOrtSession and probeVulkan: ONNX Runtime's C API for JavaScript. Calls compute on the thread that makes them, which is a Worker's.
#include <memory>
#include <string>
#include <vector>

#include "addon/bindings.h"
#include "addon/options.h"
#include "ort/ort_session.h"
#include "ort/vulkan_adapters.h"

namespace aibench::addon {
namespace {

using SessionPointer = std::shared_ptr<ort::OrtSession>;

// What a bound run needs to live: the run, and the arrays whose memory it reads. Empty after release().
struct Bound {
  std::unique_ptr<ort::BoundRun> run;
  std::vector<Napi::ObjectReference> arrays;
};

// The session and its runs: release() frees them at once, not when the garbage collector comes by.
struct Owner {
  SessionPointer session;
  std::vector<std::weak_ptr<Bound>> runs;
};

Napi::Value fail(Napi::Env env, const Status& status) {
  to_error(env, status).ThrowAsJavaScriptException();
  return env.Undefined();
}

Status released() { return Status::failure("ORT_RELEASED", "the session is released"); }

const char* type_name(int type) {
  for (const ort::ElementType& row : ort::kElementTypes) {
    if (row.type == type) return row.name;
  }
  return type == 8 ? "string" : nullptr;
}

int type_number(const std::string& name) {
  for (const ort::ElementType& row : ort::kElementTypes) {
    if (name == row.name) return row.type;
  }
  return 0;
}

Napi::Value port_list(Napi::Env env, const std::vector<ort::PortInfo>& ports) {
  Napi::Array list = Napi::Array::New(env, ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const ort::PortInfo& port = ports[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", port.name);
    const char* type = type_name(port.type);
    object.Set("type", type == nullptr ? env.Null() : Napi::String::New(env, type).As<Napi::Value>());
    Napi::Array dims = Napi::Array::New(env, port.dims.size());
    for (std::size_t axis = 0; axis < port.dims.size(); ++axis) {
      if (port.dims[axis] >= 0) {
        dims.Set(axis, static_cast<double>(port.dims[axis]));
      } else {
        dims.Set(axis, port.dim_names[axis]);
      }
    }
    object.Set("dims", dims);
    list.Set(i, object);
  }
  return list;
}

// The output's own memory as a typed array: nothing is copied, and the memory lives as long as either side holds it.
Napi::Value output_array(Napi::Env env, const ort::OutputTensor& tensor) {
  auto* keep = new std::shared_ptr<void>(tensor.memory);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
      env, tensor.data, tensor.bytes, [](Napi::Env, void*, std::shared_ptr<void>* held) { delete held; }, keep);
  const auto view = [&]<typename T>(T, napi_typedarray_type type) -> Napi::Value {
    return Napi::TypedArrayOf<T>::New(env, tensor.bytes / sizeof(T), buffer, 0, type);
  };
  switch (tensor.type) {
    case 1: return view(float{}, napi_float32_array);
    case 3: return view(std::int8_t{}, napi_int8_array);
    case 4: case 10: return view(std::uint16_t{}, napi_uint16_array);
    case 5: return view(std::int16_t{}, napi_int16_array);
    case 6: return view(std::int32_t{}, napi_int32_array);
    case 7: return view(std::int64_t{}, napi_bigint64_array);
    case 11: return view(double{}, napi_float64_array);
    case 12: return view(std::uint32_t{}, napi_uint32_array);
    case 13: return view(std::uint64_t{}, napi_biguint64_array);
    default: return view(std::uint8_t{}, napi_uint8_array);
  }
}

Napi::Value output_list(Napi::Env env, const Bound& bound) {
  Napi::Object list = Napi::Object::New(env);
  for (const ort::OutputTensor& tensor : bound.run->outputs()) {
    // What shares an input's buffer is that input's array.
    if (tensor.memory == nullptr) continue;
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", type_name(tensor.type));
    Napi::Array dims = Napi::Array::New(env, tensor.dims.size());
    for (std::size_t axis = 0; axis < tensor.dims.size(); ++axis) dims.Set(axis, static_cast<double>(tensor.dims[axis]));
    object.Set("dims", dims);
    object.Set("data", output_array(env, tensor));
    list.Set(tensor.name, object);
  }
  return list;
}

// { name, type, dims, data } of an array; keeps the typed array alive.
Status read_inputs(const Napi::Array& list, std::vector<ort::InputTensor>* inputs, Bound* bound) {
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    OptionReader read(list.Get(i), "bind");
    ort::InputTensor input;
    input.name = read.text("name");
    const std::string type = read.text("type");
    if (!read.status().ok()) return read.status();
    const Napi::Object object = list.Get(i).As<Napi::Object>();
    const Napi::Value data = object.Get("data");
    input.type = type_number(type);
    if (input.type == 0 || !data.IsTypedArray() || !object.Get("dims").IsArray()) {
      return Status::failure("BAD_OPTION", "bind wants a typed array and dims for input " + input.name + " of type " + type);
    }
    const Napi::Array dims = object.Get("dims").As<Napi::Array>();
    std::size_t elements = 1;
    for (std::uint32_t axis = 0; axis < dims.Length(); ++axis) {
      input.dims.push_back(dims.Get(axis).ToNumber().Int64Value());
      elements *= static_cast<std::size_t>(input.dims.back());
    }
    const Napi::TypedArray array = data.As<Napi::TypedArray>();
    input.data = static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    input.bytes = array.ByteLength();
    if (elements * array.ElementSize() != input.bytes) {
      return Status::failure("BAD_OPTION", "the array of input " + input.name + " does not have the size of its dims");
    }
    bound->arrays.push_back(Napi::Persistent(data.As<Napi::Object>()));
    inputs->push_back(std::move(input));
  }
  return Status::success();
}

Napi::Value wrap_run(Napi::Env env, std::shared_ptr<Bound> bound) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("firstSeconds", Napi::Number::New(env, bound->run->first_seconds()));
  object.Set("run", Napi::Function::New(env, [bound](const Napi::CallbackInfo& info) {
    const Status status = bound->run == nullptr ? released() : bound->run->run();
    if (!status.ok()) fail(info.Env(), status);
  }, "run"));
  object.Set("time", Napi::Function::New(env, [bound](const Napi::CallbackInfo& info) -> Napi::Value {
    if (bound->run == nullptr) return fail(info.Env(), released());
    const double iterations = info.Length() > 0 ? info[0].ToNumber().DoubleValue() : 1;
    double seconds = 0;
    const Status status = bound->run->time(static_cast<std::uint64_t>(iterations), &seconds);
    return status.ok() ? Napi::Number::New(info.Env(), seconds) : fail(info.Env(), status);
  }, "time"));
  object.Set("outputs", Napi::Function::New(env, [bound](const Napi::CallbackInfo& info) {
    return bound->run == nullptr ? fail(info.Env(), released()) : output_list(info.Env(), *bound);
  }, "outputs"));
  return object;
}

Napi::Value bind(const Napi::CallbackInfo& info, Owner& owner) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsArray() || !info[1].IsArray()) {
    return fail(env, Status::failure("BAD_OPTION", "bind wants inputs and names of outputs", "See src/native/types.ts."));
  }
  auto bound = std::make_shared<Bound>();
  std::vector<ort::InputTensor> inputs;
  Status status = read_inputs(info[0].As<Napi::Array>(), &inputs, bound.get());
  if (!status.ok()) return fail(env, status);
  std::vector<std::string> outputs;
  const Napi::Array names = info[1].As<Napi::Array>();
  for (std::uint32_t i = 0; i < names.Length(); ++i) outputs.push_back(names.Get(i).ToString().Utf8Value());
  std::vector<std::pair<std::string, std::string>> shared;
  if (info.Length() > 2 && info[2].IsObject()) {
    const Napi::Object pairs = info[2].As<Napi::Object>();
    const Napi::Array keys = pairs.GetPropertyNames();
    for (std::uint32_t i = 0; i < keys.Length(); ++i) {
      shared.emplace_back(keys.Get(i).ToString().Utf8Value(), pairs.Get(keys.Get(i)).ToString().Utf8Value());
    }
  }
  status = owner.session->bind(inputs, outputs, shared, &bound->run);
  owner.runs.push_back(bound);
  return status.ok() ? wrap_run(env, bound) : fail(env, status);
}

Napi::Value create_session(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  OptionReader read(info, "createOrtSession");
  const std::string path = read.text("library");
  ort::OpenOptions options;
  options.model = read.text("model");
  options.threads = static_cast<int>(read.integer("threads", 1, 4096));
  options.spinning = read.integer("spinning", 0, 1) != 0;
  options.optimise = read.integer("optimise", 0, 1) != 0;
  options.provider = read.optional_text("provider");
  options.profile_prefix = read.optional_text("profilePrefix");
  if (!read.status().ok()) return fail(env, read.status());
  std::shared_ptr<ort::Library> library;
  Status status = ort::Library::open(path, &library);
  if (!status.ok()) return fail(env, status);
  auto owner = std::make_shared<Owner>();
  status = ort::OrtSession::open(library, options, &owner->session);
  if (!status.ok()) return fail(env, status);
  Napi::Object object = Napi::Object::New(env);
  object.Set("version", library->version());
  object.Set("inputs", port_list(env, owner->session->inputs()));
  object.Set("outputs", port_list(env, owner->session->outputs()));
  object.Set("bind", Napi::Function::New(env, [owner](const Napi::CallbackInfo& call) -> Napi::Value {
    return owner->session == nullptr ? fail(call.Env(), released()) : bind(call, *owner);
  }, "bind"));
  object.Set("endProfiling", Napi::Function::New(env, [owner](const Napi::CallbackInfo& call) -> Napi::Value {
    std::string file;
    const Status ended = owner->session == nullptr ? released() : owner->session->end_profiling(&file);
    return ended.ok() ? Napi::String::New(call.Env(), file).As<Napi::Value>() : fail(call.Env(), ended);
  }, "endProfiling"));
  object.Set("release", Napi::Function::New(env, [owner](const Napi::CallbackInfo&) {
    for (const std::weak_ptr<Bound>& run : owner->runs) {
      if (const std::shared_ptr<Bound> bound = run.lock()) {
        bound->run.reset();
        bound->arrays.clear();
      }
    }
    owner->runs.clear();
    owner->session.reset();
  }, "release"));
  return object;
}

Napi::Value probe_vulkan(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<ort::VulkanAdapter> adapters;
  const std::string library = info.Length() > 0 && info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  const Status status = ort::list_vulkan_adapters(library, &adapters);
  if (!status.ok()) return fail(env, status);
  constexpr const char* kKinds[] = {"other", "integrated", "discrete", "virtual", "cpu"};
  Napi::Array list = Napi::Array::New(env, adapters.size());
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", adapters[i].name);
    object.Set("kind", kKinds[adapters[i].type >= 0 && adapters[i].type <= 4 ? adapters[i].type : 0]);
    list.Set(i, object);
  }
  return list;
}

}  // namespace

void export_ort(Napi::Env env, Napi::Object exports) {
  exports.Set("createOrtSession", Napi::Function::New(env, create_session, "createOrtSession"));
  exports.Set("probeVulkan", Napi::Function::New(env, probe_vulkan, "probeVulkan"));
}

}  // namespace aibench::addon
