/// Kernels against the CPU: the same operation on the same values, which lie in every layout and type.
#include "../unit/backend/operands.hpp"
#include "kernel_calls.hpp"
#include <cstring>
#include <lamina/cuda/nvrtc.hpp>
#include <random>

using namespace kernel_test;
using backend_test::Operand;

namespace {
using Bytes = std::vector<unsigned char>;

template <class T> Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}
template <class T> std::vector<T> values_of(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

/// Where the element that is number i in row-major order lies.
std::size_t place(const gpu::KernelTensor& x, idx i) {
  const gpu::Strides strides = gpu::strides_of(x);
  idx at = 0;
  for (int d = x.dims.rank - 1; d >= 0; i /= x.dims[d--]) at += i % x.dims[d] * strides[d];
  return std::size_t(at);
}

/// Memory of the first device with these contents, from its stream.
class DeviceBytes {
  void* memory_ = nullptr;
  std::size_t size_;
  cudaStream_t stream_;

 public:
  DeviceBytes(const Bytes& contents, cudaStream_t stream) : size_(contents.size()), stream_(stream) {
    gpu::check(cudaMallocAsync(&memory_, size_ + (size_ == 0), stream), "cudaMallocAsync");
    gpu::check(cudaMemcpyAsync(memory_, contents.data(), size_, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
  }
  DeviceBytes(const DeviceBytes&) = delete;
  ~DeviceBytes() { static_cast<void>(cudaFreeAsync(memory_, stream_)); }
  void* get() const { return memory_; }
  Bytes contents() const {
    Bytes bytes(size_);
    gpu::check(cudaMemcpyAsync(bytes.data(), memory_, size_, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    gpu::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return bytes;
  }
};

struct Stream {
  cudaStream_t stream = nullptr;
  Stream() { gpu::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
  Stream(const Stream&) = delete;
  ~Stream() { static_cast<void>(cudaStreamDestroy(stream)); }
};

/// Runs kernel number `i` on the contents of its operands and parameters; the result is `bytes` long. `in_place` is the
/// number of an operand whose memory is the result's, or -1.
Bytes run(const gpu::Module& module, int i, const std::vector<Bytes>& in, std::size_t bytes, int in_place = -1) {
  const Stream stream;
  std::vector<std::unique_ptr<DeviceBytes>> memory;
  std::vector<void*> pointers;
  for (const Bytes& contents : in) {
    memory.push_back(std::make_unique<DeviceBytes>(contents, stream.stream));
    pointers.push_back(memory.back()->get());
  }
  const DeviceBytes result(Bytes(bytes, 0xcd), stream.stream);
  pointers.push_back(in_place < 0 ? result.get() : pointers[std::size_t(in_place)]);
  module.launch(i, pointers.data(), stream.stream);
  return (in_place < 0 ? result : *memory[std::size_t(in_place)]).contents();
}

/// A tensor's elements in its layout and type. The operand becomes what was stored.
Bytes store(Operand& x, const gpu::KernelTensor& tensor) {
  const std::size_t n = x.memory.size();
  std::vector<float> floats(n);
  std::vector<float16> halves(n);
  std::vector<bfloat16> brains(n);
  for (std::size_t i = 0; i < n; ++i) {
    float& v = x.memory[i];
    const std::size_t at = place(tensor, idx(i));
    halves[at] = float16(v), brains[at] = bfloat16(v);
    if (tensor.dtype == Dtype::float16) v = float(halves[at]);
    if (tensor.dtype == Dtype::bfloat16) v = float(brains[at]);
    floats[at] = v;
  }
  return tensor.dtype == Dtype::float16    ? bytes_of(halves)
         : tensor.dtype == Dtype::bfloat16 ? bytes_of(brains)
                                           : bytes_of(floats);
}
Operand restore(const Bytes& bytes, const gpu::KernelTensor& tensor) {
  Operand x(tensor.dims);
  const auto floats = values_of<float>(bytes);
  const auto halves = values_of<float16>(bytes);
  const auto brains = values_of<bfloat16>(bytes);
  for (std::size_t i = 0; i < x.memory.size(); ++i) {
    const std::size_t at = place(tensor, idx(i));
    x.memory[i] = tensor.dtype == Dtype::float16    ? float(halves[at])
                  : tensor.dtype == Dtype::bfloat16 ? float(brains[at])
                                                    : floats[at];
  }
  return x;
}

/// What rounding a result to its type may change of it, and the sums before.
double tolerance_of(Dtype type) {
  const double sums = 3e-6;
  return type == Dtype::float16 ? 0x1p-11 + sums : type == Dtype::bfloat16 ? 0x1p-8 + sums : sums;
}

/// Values for a case: what the kernel gets, and what the CPU makes of the same.
struct Sample {
  std::vector<Bytes> in{};
  Operand expected{};

  Sample(const Case& c, const Form& form, const Call& call, unsigned seed) {
    std::vector<Operand> operands, parameters;
    backend_test::Targets targets{};
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      operands.push_back(Operand::random(c.operands[i], ++seed, 0, i == 0 ? -2.f : 0.5f, 1.5f));
      if (call.tensors[i].dtype != Dtype::int64) in.push_back(store(operands[i], call.tensors[i]));
      else in.push_back(bytes_of((targets = classes(c, ++seed)).memory));
    }
    Operand residual = Operand::random(call.call.out.dims, ++seed);
    if (c.residual) in.push_back(store(residual, call.tensors.back()));
    for (std::size_t i = 0; i < c.parameters.size(); ++i) {
      parameters.push_back(Operand::random(c.parameters[i].value_or(Dims{}), ++seed, 0, 0.25f, 1));
      if (c.parameters[i]) in.push_back(store(parameters[i], parameter_tensor(c, form, i)));
    }
    std::vector<host::Input> inputs;
    for (const Operand& x : operands) inputs.push_back(x.in());
    if (is<ops::CrossEntropy>(c.operation)) inputs[1] = targets.in();
    std::vector<const Operand*> given;
    for (std::size_t i = 0; i < parameters.size(); ++i) given.push_back(c.parameters[i] ? &parameters[i] : nullptr);
    expected = computed(c, inputs, given);
    if (c.residual)
      for (std::size_t i = 0; i < expected.memory.size(); ++i) expected.memory[i] += residual.memory[i];
    const Operand sum = expected;
    backend_test::Run({sum.in()}).into(c.activation, expected);
  }

 private:
  static backend_test::Targets classes(const Case& c, unsigned seed) {
    backend_test::Targets targets{c.operands[1], {}};
    std::mt19937 generator(seed);
    for (idx i = 0; i < count(targets.dims); ++i)
      targets.memory.push_back(std::int64_t(generator() % std::uint64_t(c.operands[0][1])));
    return targets;
  }
  /// Filters are channels last and in the type of the image; all other parameters are float32.
  static gpu::KernelTensor parameter_tensor(const Case& c, const Form& form, std::size_t i) {
    const bool filter = i == 0 && role_of(c.operation) == ops::Role::producer;
    return filter ? gpu::KernelTensor{*c.parameters[i], form.read, Layout::channels_last}
                  : gpu::KernelTensor{*c.parameters[i]};
  }
  /// Aliases are copies of their elements to a CPU.
  static Operand computed(const Case& c, const std::vector<host::Input>& inputs,
                          const std::vector<const Operand*>& given) {
    Operand y(result_dims(c));
    if (role_of(c.operation) != ops::Role::alias) backend_test::Run(inputs, given).into(c.operation, y);
    else std::memcpy(y.memory.data(), inputs[0].data, y.memory.size() * sizeof(float));
    return y;
  }
};
}  // namespace

TEST_CASE("kernels give the CPU's numbers") {
  const std::vector<Case> list = cases();
  for (const Form& form : forms()) {
    std::vector<gpu::Kernel> kernels;
    for (const Case& c : list) kernels.push_back(gpu::kernel_of(Call(c, form).call));
    const gpu::Module module(kernels);
    for (std::size_t i = 0; i < list.size(); ++i) {
      INFO(title(list[i], form));
      const Call call(list[i], form);
      const Sample sample(list[i], form, call, unsigned(100 * i));
      const gpu::KernelTensor& out = call.call.out;
      const Bytes result = run(module, int(i), sample.in, std::size_t(count(out.dims)) * item_size(out.dtype));
      const Operand y = restore(result, out);
      CHECK(backend_test::error_of(y, sample.expected.memory) <= tolerance_of(out.dtype));
    }
  }
}

TEST_CASE("a result may lie over an operand of its extents") {
  const Form& form = forms()[1];
  const std::vector<Case> list{{"relu", ops::Activation{ops::Activation::Kind::relu}, {{2, 24, 5, 7}}},
                               {"add", ops::Binary{}, {{2, 5, 3, 3}, {2, 5, 3, 3}}},
                               {"bias", ops::Binary{}, {{1, 16, 1, 1}, {2, 16, 3, 3}}}};
  const int over[] = {0, 1, 1};
  std::vector<gpu::Kernel> kernels;
  for (const Case& c : list) kernels.push_back(gpu::kernel_of(Call(c, form).call));
  const gpu::Module module(kernels);
  for (std::size_t i = 0; i < list.size(); ++i) {
    INFO(list[i].name);
    const Call call(list[i], form);
    const Sample sample(list[i], form, call, 7);
    const Operand y = restore(run(module, int(i), sample.in, 0, over[i]), call.call.out);
    CHECK(backend_test::error_of(y, sample.expected.memory) <= tolerance_of(Dtype::float16));
  }
}

namespace {
/// The kernel of a call of one operand, run.
Bytes run_one(const Operation& op, const gpu::KernelTensor& x, const gpu::KernelTensor& y, const Bytes& contents) {
  const gpu::Module module({gpu::kernel_of({.operation = op, .operands = &x, .operand_count = 1, .out = y})});
  return run(module, 0, {contents}, std::size_t(count(y.dims)) * item_size(y.dtype));
}
template <class To, class From> std::vector<To> converted(const std::vector<From>& values) {
  const Dims dims{idx(values.size())};
  return values_of<To>(run_one(ops::Copy{}, {dims, dtype_of<From>}, {dims, dtype_of<To>}, bytes_of(values)));
}
/// Equal, or both NaN.
bool same(float a, float b) { return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b); }
template <class Half> int faults_of_half() {
  std::vector<Half> all;
  for (int bits = 0; bits < 65536; ++bits) all.push_back(Half::from_bits(std::uint16_t(bits)));
  std::vector<float> near;  // between, at and around all values, where rounding changes
  for (const Half h : all)
    for (const std::uint32_t off : {0u, 1u, 0xfffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u})
      near.push_back(std::bit_cast<float>(std::bit_cast<std::uint32_t>(float(h)) + off));
  int faults = 0;
  const std::vector<float> floats = converted<float>(all);
  for (std::size_t i = 0; i < all.size(); ++i) faults += !same(floats[i], float(all[i]));
  const std::vector<Half> rounded = converted<Half>(near);
  for (std::size_t i = 0; i < near.size(); ++i) faults += !same(float(rounded[i]), float(Half(near[i])));
  return faults;
}
}  // namespace

TEST_CASE("16-bit numbers are rounded as everywhere else") {
  CHECK(faults_of_half<float16>() == 0);
  CHECK(faults_of_half<bfloat16>() == 0);
}

TEST_CASE("copies between types keep what both can hold") {
  const std::vector<std::int64_t> large{0, -1, 255, std::int64_t(1) << 62, -(std::int64_t(1) << 53) - 1};
  CHECK(converted<std::int64_t>(large) == large);
  CHECK(converted<std::int32_t>(std::vector<std::int64_t>{0, -7, 2'000'000'001}) ==
        std::vector<std::int32_t>{0, -7, 2'000'000'001});
  CHECK(converted<std::int64_t>(std::vector<std::uint8_t>{0, 200, 255}) == std::vector<std::int64_t>{0, 200, 255});
  CHECK(converted<std::uint8_t>(std::vector<float>{0, 1.75f, 255}) == std::vector<std::uint8_t>{0, 1, 255});
  CHECK(converted<std::int32_t>(std::vector<float>{-1.75f, 16'777'216}) == std::vector<std::int32_t>{-1, 16'777'216});
  CHECK(converted<float>(std::vector<std::int32_t>{-3, 1 << 20}) == std::vector<float>{-3, 1 << 20});
  CHECK(converted<float>(std::vector<std::uint8_t>{0, 255}) == std::vector<float>{0, 255});
  const Dims three{3};
  const Bytes truth =
      run_one(ops::Copy{}, {three}, {three, Dtype::boolean}, bytes_of(std::vector<float>{0, 0.25f, -1}));
  CHECK(truth == Bytes{0, 1, 1});
  CHECK(values_of<float>(run_one(ops::Copy{}, {three, Dtype::boolean}, {three}, truth)) == std::vector<float>{0, 1, 1});
}

TEST_CASE("NaN passes through") {
  const float nan = backend_test::not_a_number;
  const gpu::KernelTensor x{{1, 1, 2, 2}};
  const Bytes values = bytes_of(std::vector<float>{-1, nan, 3, 2});
  using Kind = ops::Activation::Kind;
  for (const Kind kind :
       {Kind::relu, Kind::leaky_relu, Kind::sigmoid, Kind::tanh, Kind::gelu, Kind::gelu_tanh, Kind::silu})
    CHECK(std::isnan(values_of<float>(run_one(ops::Activation{kind, 0.1f}, x, x, values))[1]));
  const ops::Window two{.kernel = 2};
  CHECK(std::isnan(values_of<float>(run_one(ops::MaxPool2d{.window = {two, two}}, x, {{1, 1, 1, 1}}, values))[0]));
  for (const float v : values_of<float>(run_one(ops::Softmax{.dim = -1}, {{1, 4}}, {{1, 4}}, values)))
    CHECK(std::isnan(v));
}

TEST_CASE("a target that is no class makes the cross entropy NaN") {
  const gpu::KernelTensor tensors[] = {{{2, 3}}, {{2}, Dtype::int64}};
  const gpu::Module module(
      {gpu::kernel_of({.operation = ops::CrossEntropy{}, .operands = tensors, .operand_count = 2})});
  const auto loss = [&](std::int64_t target) {
    const Bytes x = bytes_of(std::vector<float>{1, 1, 1, 2, 2, 2}), t = bytes_of(std::vector<std::int64_t>{0, target});
    return values_of<float>(run(module, 0, {x, t}, sizeof(float)))[0];
  };
  CHECK(std::fabs(loss(2) - std::log(3.f)) < 1e-6f);
  CHECK(std::isnan(loss(3)));
  CHECK(std::isnan(loss(-1)));
  CHECK(std::fabs(loss(-100) - std::log(3.f)) < 1e-6f);
}
