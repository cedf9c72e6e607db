#include "gemm/peers/onednn_matmul.h"

#include <type_traits>

namespace aibench {
namespace {

// Opaque handles, and numbers of dnnl_types.h that are the same in versions 2 and 3.
using Handle = void*;
constexpr int kCpu = 1, kDefaultStream = 1;
constexpr int kAnyLayout = 1, kRowMajor = 3;  // dnnl_format_tag_any, dnnl_ab
constexpr int kQueryImplementation = 8, kQueryWeights = 131;
constexpr int kSource = 1, kDestination = 17, kWeights = 33;  // DNNL_ARG_*
Handle allocated_by_library() { return reinterpret_cast<Handle>(~std::uintptr_t{0}); }  // DNNL_MEMORY_ALLOCATE

struct Argument {
  int what;
  Handle memory;
};

struct Calls {
  int (*engine_create)(Handle*, int kind, std::size_t index);
  int (*engine_destroy)(Handle);
  int (*stream_create)(Handle*, Handle engine, unsigned flags);
  int (*stream_destroy)(Handle);
  int (*primitive_create)(Handle*, Handle descriptor);
  int (*primitive_execute)(Handle, Handle stream, int count, const Argument*);
  int (*stream_wait)(Handle);
  int (*memory_create)(Handle*, const void* description, Handle engine, void* data);
  int (*set_data)(Handle memory, void* data);
  int (*get_data)(Handle memory, void** data);
  int (*memory_destroy)(Handle);
  int (*primitive_destroy)(Handle);
  int (*descriptor_destroy)(Handle);
  int (*reorder)(Handle*, const void* from, Handle engine, const void* to, Handle to_engine, Handle attributes);
  const void* (*query_description)(Handle, int what, int index);
  int (*query)(Handle, int what, int index, void* result);
  std::size_t (*description_bytes)(const void*);
  int (*memory_description)(Handle memory, const void** description);
  // Version 2: structures of the caller.
  int (*description_init)(void*, int dimensions, const std::int64_t*, int type, int layout);
  int (*matmul_init)(void*, const void* a, const void* b, const void* bias, const void* c);
  int (*descriptor_create)(Handle*, const void* operation, Handle attributes, Handle engine, Handle hint);
  // Version 3: handles.
  int (*description_create)(Handle*, int dimensions, const std::int64_t*, int type, int layout);
  int (*description_destroy)(Handle);
  int (*matmul_create)(Handle*, Handle engine, const void* a, const void* b, const void* bias, const void* c, Handle attributes);
};

class Library {
 public:
  Library(const DynamicLibrary& library, int major) : version_(major) {
    const auto load = [&](auto& call, const char* name) {
      call = library.function<std::remove_reference_t<decltype(call)>>(name);
      complete_ = complete_ && call != nullptr;
    };
    load(calls.engine_create, "dnnl_engine_create");
    load(calls.engine_destroy, "dnnl_engine_destroy");
    load(calls.stream_create, "dnnl_stream_create");
    load(calls.stream_destroy, "dnnl_stream_destroy");
    load(calls.stream_wait, "dnnl_stream_wait");
    load(calls.primitive_create, "dnnl_primitive_create");
    load(calls.primitive_execute, "dnnl_primitive_execute");
    load(calls.primitive_destroy, "dnnl_primitive_destroy");
    load(calls.memory_create, "dnnl_memory_create");
    load(calls.memory_destroy, "dnnl_memory_destroy");
    load(calls.set_data, "dnnl_memory_set_data_handle");
    load(calls.get_data, "dnnl_memory_get_data_handle");
    load(calls.memory_description, "dnnl_memory_get_memory_desc");
    load(calls.descriptor_destroy, "dnnl_primitive_desc_destroy");
    load(calls.reorder, "dnnl_reorder_primitive_desc_create");
    load(calls.query_description, "dnnl_primitive_desc_query_md");
    load(calls.query, "dnnl_primitive_desc_query");
    load(calls.description_bytes, "dnnl_memory_desc_get_size");
    if (version_ == 2) {
      load(calls.description_init, "dnnl_memory_desc_init_by_tag");
      load(calls.matmul_init, "dnnl_matmul_desc_init");
      load(calls.descriptor_create, "dnnl_primitive_desc_create");
    } else {
      load(calls.description_create, "dnnl_memory_desc_create_with_tag");
      load(calls.description_destroy, "dnnl_memory_desc_destroy");
      load(calls.matmul_create, "dnnl_matmul_primitive_desc_create");
    }
    complete_ = complete_ && (version_ == 2 || version_ == 3) && calls.engine_create(&engine, kCpu, 0) == 0 &&
                calls.stream_create(&stream, engine, kDefaultStream) == 0;
  }
  ~Library() {
    if (stream != nullptr) calls.stream_destroy(stream);
    if (engine != nullptr) calls.engine_destroy(engine);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool complete() const { return complete_; }
  bool structures() const { return version_ == 2; }

  // The primitive's descriptor, nullptr where there is no implementation.
  Handle describe(const void* a, const void* b, const void* c) const {
    Handle descriptor = nullptr;
    if (structures()) {
      alignas(64) unsigned char operation[16384] = {};  // 2,800 bytes in 2.6
      if (calls.matmul_init(operation, a, b, nullptr, c) != 0) return nullptr;
      return calls.descriptor_create(&descriptor, operation, nullptr, engine, nullptr) == 0 ? descriptor : nullptr;
    }
    return calls.matmul_create(&descriptor, engine, a, b, nullptr, c, nullptr) == 0 ? descriptor : nullptr;
  }
  bool execute(Handle primitive, int count, const Argument* arguments) const {
    return calls.primitive_execute(primitive, stream, count, arguments) == 0 && calls.stream_wait(stream) == 0;
  }

  Calls calls{};
  Handle engine = nullptr, stream = nullptr;

 private:
  const int version_;
  bool complete_ = true;
};

// A memory descriptor of a matrix: a structure of 696 bytes in 2.6, for which there is room to grow, or a handle.
class Description {
 public:
  Description(const Library& library, std::int64_t rows, std::int64_t columns, OnednnType type, int layout) : library_(library) {
    const std::int64_t sizes[12] = {rows, columns};
    const int number = static_cast<int>(type);
    good_ = library.structures() ? library.calls.description_init(room_, 2, sizes, number, layout) == 0
                                 : library.calls.description_create(&handle_, 2, sizes, number, layout) == 0;
  }
  ~Description() {
    if (handle_ != nullptr) library_.calls.description_destroy(handle_);
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  bool good() const { return good_; }
  const void* get() const { return library_.structures() ? room_ : handle_; }

 private:
  const Library& library_;
  bool good_ = false;
  Handle handle_ = nullptr;
  alignas(64) unsigned char room_[4096] = {};
};

class OnednnMatmul final : public PeerProduct {
 public:
  OnednnMatmul(const DynamicLibrary& library, int major, const OnednnProduct& p, bool packed)
      : library_(library, major), product_(p), packed_(packed) {
    good_ = library_.complete() && make();
  }
  ~OnednnMatmul() override {
    if (primitive_ != nullptr) library_.calls.primitive_destroy(primitive_);
    for (const Handle memory : {a_, b_, c_}) {
      if (memory != nullptr) library_.calls.memory_destroy(memory);
    }
  }

  bool good() const { return good_; }
  std::string kernel() const override { return kernel_ + (packed_ ? ", packed weights" : ""); }

  bool take_weights(const void* b) override { return !packed_ || reorder(const_cast<void*>(b)); }
  std::size_t packed_bytes() const override { return packed_bytes_; }
  const void* packed_weights() const override {
    void* data = nullptr;
    if (packed_) library_.calls.get_data(b_, &data);
    return data;
  }

  bool multiply(const void* a, const void* b, void* c) override {
    const Calls& calls = library_.calls;
    if (calls.set_data(a_, const_cast<void*>(a)) != 0 || calls.set_data(c_, c) != 0) return false;
    if (!packed_ && calls.set_data(b_, const_cast<void*>(b)) != 0) return false;
    const Argument arguments[] = {{kSource, a_}, {kWeights, b_}, {kDestination, c_}};
    return library_.execute(primitive_, 3, arguments);
  }

 private:
  bool make() {
    const OnednnProduct& p = product_;
    const Calls& calls = library_.calls;
    const Description a(library_, p.m, p.k, p.a, kRowMajor), b(library_, p.k, p.n, p.b, packed_ ? kAnyLayout : kRowMajor);
    const Description c(library_, p.m, p.n, p.c, kRowMajor);
    if (!a.good() || !b.good() || !c.good()) return false;
    const Handle descriptor = library_.describe(a.get(), b.get(), c.get());
    if (descriptor == nullptr) return false;
    const char* name = nullptr;
    if (calls.query(descriptor, kQueryImplementation, 0, &name) == 0 && name != nullptr) kernel_ = name;
    const void* weights = calls.query_description(descriptor, kQueryWeights, 0);
    const bool good = weights != nullptr && calls.primitive_create(&primitive_, descriptor) == 0 &&
                      calls.memory_create(&a_, a.get(), library_.engine, nullptr) == 0 &&
                      calls.memory_create(&b_, weights, library_.engine, packed_ ? allocated_by_library() : nullptr) == 0 &&
                      calls.memory_create(&c_, c.get(), library_.engine, nullptr) == 0;
    if (good && packed_) packed_bytes_ = calls.description_bytes(weights);
    calls.descriptor_destroy(descriptor);
    return good;
  }

  // B from rows into the layout of b_.
  bool reorder(void* b) {
    const Calls& calls = library_.calls;
    const Description plain(library_, product_.k, product_.n, product_.b, kRowMajor);
    const void* wanted = nullptr;
    if (!plain.good() || calls.memory_description(b_, &wanted) != 0) return false;
    Handle from = nullptr, descriptor = nullptr, primitive = nullptr;
    bool good = calls.memory_create(&from, plain.get(), library_.engine, b) == 0 &&
                calls.reorder(&descriptor, plain.get(), library_.engine, wanted, library_.engine, nullptr) == 0 &&
                calls.primitive_create(&primitive, descriptor) == 0;
    const Argument arguments[] = {{kSource, from}, {kDestination, b_}};
    good = good && library_.execute(primitive, 2, arguments);
    if (primitive != nullptr) calls.primitive_destroy(primitive);
    if (descriptor != nullptr) calls.descriptor_destroy(descriptor);
    if (from != nullptr) calls.memory_destroy(from);
    return good;
  }

  const Library library_;
  const OnednnProduct product_;
  const bool packed_;
  bool good_ = false;
  std::string kernel_ = "unknown";
  std::size_t packed_bytes_ = 0;
  Handle primitive_ = nullptr, a_ = nullptr, b_ = nullptr, c_ = nullptr;
};

}  // namespace

OnednnProduct onednn_product(const std::string& dtype, std::size_t m, std::size_t n, std::size_t k) {
  OnednnProduct p;
  p.m = static_cast<std::int64_t>(m), p.n = static_cast<std::int64_t>(n), p.k = static_cast<std::int64_t>(k);
  if (dtype == "f32") p.a = p.b = p.c = OnednnType::kF32;
  if (dtype == "bf16") p.a = p.b = OnednnType::kBf16, p.c = OnednnType::kF32;
  if (dtype == "s8") p.a = p.b = OnednnType::kS8, p.c = OnednnType::kS32;
  if (dtype == "u8") p.a = OnednnType::kU8, p.b = OnednnType::kS8, p.c = OnednnType::kS32;
  return p;
}

std::unique_ptr<PeerProduct> make_onednn_product(const DynamicLibrary& library, int major, const OnednnProduct& product, bool packed) {
  if (product.a == OnednnType::kUnknown) return nullptr;
  auto made = std::make_unique<OnednnMatmul>(library, major, product, packed);
  if (!made->good()) return nullptr;
  return made;
}

}  // namespace aibench
