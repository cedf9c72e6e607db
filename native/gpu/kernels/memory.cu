// The source of memory_ptx.inc. Nothing here is compiled when aibench is built: the driver makes machine code of the PTX for
// the GPU that it finds. To make the PTX again, with any nvcc:
//   node scripts/make-gpu-kernels.mjs
// HIP's runtime compiler takes the same source as it is (memory_source.inc). A block is 256 threads that move 1024 times 16 bytes, four loads of a thread in flight at once.
extern "C" __global__ void aibench_copy(uint4* __restrict__ to, const uint4* __restrict__ from, unsigned long long count) {
  unsigned long long i = blockIdx.x * 1024ull + threadIdx.x;
  if (i + 768 < count) {
    const uint4 x0 = from[i], x1 = from[i + 256], x2 = from[i + 512], x3 = from[i + 768];
    to[i] = x0;
    to[i + 256] = x1;
    to[i + 512] = x2;
    to[i + 768] = x3;
  } else {
    for (int part = 0; part < 4; ++part, i += 256) {
      if (i < count) to[i] = from[i];
    }
  }
}

__device__ static float4 multiply_add(float4 b, float s, float4 c) {
  return make_float4(fmaf(s, c.x, b.x), fmaf(s, c.y, b.y), fmaf(s, c.z, b.z), fmaf(s, c.w, b.w));
}

extern "C" __global__ void aibench_triad(float4* __restrict__ a, const float4* __restrict__ b, const float4* __restrict__ c, float s,
                                         unsigned long long count) {
  unsigned long long i = blockIdx.x * 1024ull + threadIdx.x;
  if (i + 768 < count) {
    const float4 b0 = b[i], b1 = b[i + 256], b2 = b[i + 512], b3 = b[i + 768];
    const float4 c0 = c[i], c1 = c[i + 256], c2 = c[i + 512], c3 = c[i + 768];
    a[i] = multiply_add(b0, s, c0);
    a[i + 256] = multiply_add(b1, s, c1);
    a[i + 512] = multiply_add(b2, s, c2);
    a[i + 768] = multiply_add(b3, s, c3);
  } else {
    for (int part = 0; part < 4; ++part, i += 256) {
      if (i < count) a[i] = multiply_add(b[i], s, c[i]);
    }
  }
}
