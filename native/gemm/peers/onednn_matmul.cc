#include "gemm/peers/onednn_matmul.h"

#include <utility>

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
  int (*stream_create)(Handle*, Handle engine, unsigned flags);
  int (*primitive_create)(Handle*, Handle descriptor);
  int (*primitive_execute)(Handle, Handle stream, int count, const Argument*);
  int (*stream_wait)(Handle);
  int (*memory_create)(Handle*, const void* description, Handle engine, void* data);
  int (*set_data)(Handle memory, void* data);
  int (*memory_destroy)(Handle);
  int (*primitive_destroy)(Handle);
  int (*descriptor_destroy)(Handle);
  int (*reorder)(Handle*, const void* from, Handle engine, const void* to, Handle to_engine, Handle attributes);
  const void* (*query_description)(Handle, int what, int index);
  int (*query)(Handle, int what, int index, void* result);
  std::size_t (*description_bytes)(const void*);
  // Version 2: structures of the caller.
  int (*description_init)(void*, int dimensions, const std::int64_t*, int type, int layout);
  int (*matmul_init)(void*, const void* a, const void* b, const void* bias, const void* c);
  int (*descriptor_create)(Handle*, const void* operation, Handle attributes, Handle engine, Handle hint);
  // Version 3: handles.
  int (*description_create)(Handle*, int dimensions, const std::int64_t*, int type, int layout);
  int (*description_destroy)(Handle);
  int (*matmul_create)(Handle*, Handle engine, const void* a, const void* b, const void* bias, const void* c, Handle attributes);
};

}  // namespace

struct OnednnMatmul::State {
  State(const DynamicLibrary& library, int version) : major(version) {
    const auto load = [&](auto& call, const char* name) {
      call = library.function<std::remove_reference_t<decltype(call)>>(name);
      complete = complete && call != nullptr;
    };
    load(calls.engine_create, "dnnl_engine_create");
    load(calls.stream_create, "dnnl_stream_create");
    load(calls.primitive_create, "dnnl_primitive_create");
    load(calls.primitive_execute, "dnnl_primitive_execute");
    load(calls.stream_wait, "dnnl_stream_wait");
    load(calls.memory_create, "dnnl_memory_create");
    load(calls.set_data, "dnnl_memory_set_data_handle");
    load(calls.memory_destroy, "dnnl_memory_destroy");
    load(calls.primitive_destroy, "dnnl_primitive_destroy");
    load(calls.descriptor_destroy, "dnnl_primitive_desc_destroy");
    load(calls.reorder, "dnnl_reorder_primitive_desc_create");
    load(calls.query_description, "dnnl_primitive_desc_query_md");
    load(calls.query, "dnnl_primitive_desc_query");
    load(calls.description_bytes, "dnnl_memory_desc_get_size");
    if (major == 2) {
      load(calls.description_init, "dnnl_memory_desc_init_by_tag");
      load(calls.matmul_init, "dnnl_matmul_desc_init");
      load(calls.descriptor_create, "dnnl_primitive_desc_create");
    } else {
      load(calls.description_create, "dnnl_memory_desc_create_with_tag");
      load(calls.description_destroy, "dnnl_memory_desc_destroy");
      load(calls.matmul_create, "dnnl_matmul_primitive_desc_create");
    }
    complete = complete && (major == 2 || major == 3) && calls.engine_create(&engine, kCpu, 0) == 0 &&
               calls.stream_create(&stream, engine, kDefaultStream) == 0;
  }
  ~State() { drop(); }

  // A memory descriptor: a structure of 696 bytes in 2.6, for which there is room to grow, or a handle.
  class Description {
   public:
    Description(State& state, std::int64_t rows, std::int64_t columns, OnednnType type, int layout) : state_(state) {
      const std::int64_t sizes[12] = {rows, columns};
      const int number = static_cast<int>(type);
      good_ = state.major == 2 ? state.calls.description_init(room_, 2, sizes, number, layout) == 0
                               : state.calls.description_create(&handle_, 2, sizes, number, layout) == 0;
    }
    ~Description() {
      if (handle_ != nullptr) state_.calls.description_destroy(handle_);
    }
    Description(const Description&) = delete;
    Description& operator=(const Description&) = delete;
    bool good() const { return good_; }
    const void* get() const { return state_.major == 2 ? room_ : handle_; }

   private:
    State& state_;
    bool good_ = false;
    Handle handle_ = nullptr;
    alignas(64) unsigned char room_[4096] = {};
  };

  // The primitive's descriptor, nullptr where there is no implementation.
  Handle describe(const Description& a, const Description& b, const Description& c) {
    Handle descriptor = nullptr;
    if (!a.good() || !b.good() || !c.good()) return nullptr;
    if (major == 2) {
      alignas(64) unsigned char operation[16384] = {};  // 2,800 bytes in 2.6
      if (calls.matmul_init(operation, a.get(), b.get(), nullptr, c.get()) != 0) return nullptr;
      return calls.descriptor_create(&descriptor, operation, nullptr, engine, nullptr) == 0 ? descriptor : nullptr;
    }
    return calls.matmul_create(&descriptor, engine, a.get(), b.get(), nullptr, c.get(), nullptr) == 0 ? descriptor : nullptr;
  }

  bool make(const OnednnProduct& p, bool packs, const void* b, std::size_t* bytes) {
    drop();
    const Description da(*this, p.m, p.k, p.a, kRowMajor), db(*this, p.k, p.n, p.b, packs ? kAnyLayout : kRowMajor);
    const Description dc(*this, p.m, p.n, p.c, kRowMajor), plain(*this, p.k, p.n, p.b, kRowMajor);
    const Handle descriptor = describe(da, db, dc);
    if (descriptor == nullptr) return false;
    bool good = calls.primitive_create(&primitive, descriptor) == 0 && calls.memory_create(&memory_a, da.get(), engine, nullptr) == 0 &&
                calls.memory_create(&memory_c, dc.get(), engine, nullptr) == 0;
    if (good && packs) {
      const void* wanted = calls.query_description(descriptor, kQueryWeights, 0);
      good = wanted != nullptr && calls.memory_create(&memory_b, wanted, engine, allocated_by_library()) == 0 &&
             reorder(plain.get(), wanted, const_cast<void*>(b));
      if (good) *bytes = calls.description_bytes(wanted);
    } else if (good) {
      good = calls.memory_create(&memory_b, plain.get(), engine, nullptr) == 0;
    }
    calls.descriptor_destroy(descriptor);
    if (!good) drop();
    made_for = p;
    packed_from = packs ? b : nullptr;
    return good;
  }

  // B from the plain layout into memory_b.
  bool reorder(const void* plain, const void* wanted, void* b) {
    Handle from = nullptr, descriptor = nullptr, primitive_of_reorder = nullptr;
    bool good = calls.memory_create(&from, plain, engine, b) == 0 &&
                calls.reorder(&descriptor, plain, engine, wanted, engine, nullptr) == 0 &&
                calls.primitive_create(&primitive_of_reorder, descriptor) == 0;
    const Argument arguments[] = {{kSource, from}, {kDestination, memory_b}};
    good = good && calls.primitive_execute(primitive_of_reorder, stream, 2, arguments) == 0 && calls.stream_wait(stream) == 0;
    if (primitive_of_reorder != nullptr) calls.primitive_destroy(primitive_of_reorder);
    if (descriptor != nullptr) calls.descriptor_destroy(descriptor);
    if (from != nullptr) calls.memory_destroy(from);
    return good;
  }

  void drop() {
    if (primitive != nullptr) calls.primitive_destroy(primitive);
    for (Handle* memory : {&memory_a, &memory_b, &memory_c}) {
      if (*memory != nullptr) calls.memory_destroy(*memory);
      *memory = nullptr;
    }
    primitive = nullptr;
    packed_from = nullptr;
  }

  const int major;
  bool complete = true;
  Calls calls{};
  Handle engine = nullptr, stream = nullptr;
  Handle primitive = nullptr, memory_a = nullptr, memory_b = nullptr, memory_c = nullptr;
  OnednnProduct made_for{};
  const void* packed_from = nullptr;  // B, where memory_b is a packed copy of it
};

OnednnMatmul::OnednnMatmul(const DynamicLibrary& library, int major) : state_(std::make_unique<State>(library, major)) {}
OnednnMatmul::~OnednnMatmul() = default;

bool OnednnMatmul::ready() const { return state_->complete; }

bool OnednnMatmul::implements(const OnednnProduct& p, std::string* name) {
  if (!ready()) return false;
  const State::Description a(*state_, p.m, p.k, p.a, kRowMajor), b(*state_, p.k, p.n, p.b, kRowMajor), c(*state_, p.m, p.n, p.c, kRowMajor);
  const Handle descriptor = state_->describe(a, b, c);
  if (descriptor == nullptr) return false;
  const char* text = nullptr;
  if (state_->calls.query(descriptor, kQueryImplementation, 0, &text) == 0 && text != nullptr) *name = text;
  state_->calls.descriptor_destroy(descriptor);
  return true;
}

bool OnednnMatmul::multiply(const OnednnProduct& p, const void* a, const void* b, void* c) {
  State& s = *state_;
  if (!ready()) return false;
  const bool usable = s.primitive != nullptr && s.made_for == p && (s.packed_from == nullptr || s.packed_from == b);
  if (!usable && !s.make(p, false, nullptr, nullptr)) return false;
  bool good = s.calls.set_data(s.memory_a, const_cast<void*>(a)) == 0 && s.calls.set_data(s.memory_c, c) == 0;
  if (s.packed_from == nullptr) good = good && s.calls.set_data(s.memory_b, const_cast<void*>(b)) == 0;
  const Argument arguments[] = {{kSource, s.memory_a}, {kWeights, s.memory_b}, {kDestination, s.memory_c}};
  return good && s.calls.primitive_execute(s.primitive, s.stream, 3, arguments) == 0 && s.calls.stream_wait(s.stream) == 0;
}

bool OnednnMatmul::pack(const OnednnProduct& p, const void* b, std::size_t* bytes) { return ready() && state_->make(p, true, b, bytes); }

void OnednnMatmul::forget() { state_->drop(); }

}  // namespace aibench
