/// The compiled model as an object: memory, allocations, options, changed parameters, sizes.
#include "allocations.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <lamina.hpp>
#include <random>

using namespace lamina;

namespace {
using Net = Sequential<Conv2d<3, 40, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<40>, ReLU,
                       Conv2d<40, 64, conv{.kernel_size = 3, .padding = 1}>, ReLU,
                       MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<64, 64, conv{.kernel_size = 3, .padding = 1}>,
                       ReLU, AdaptiveAvgPool2d<1>, Flatten<>, Linear<64, 10>>;
using Image = Shape<1, 3, 32, 32>;

template <class T> void fill(T&& values, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> draw(-1, 1);
  for (auto& v : values) v = draw(generator) * 0.2f;
}
Net make_net(unsigned seed = 1) {
  Net net;
  for (const auto& tensor : stored_tensors(net)) {
    if (tensor.dtype != Dtype::float32) {
      *tensor.storage = Storage(sizeof(std::int64_t));
      continue;
    }
    *tensor.storage = Storage(std::size_t(count(tensor.dims)) * sizeof(float));
    tensor.storage->written();
    fill(std::span(reinterpret_cast<float*>(tensor.storage->data()), std::size_t(count(tensor.dims))), ++seed);
  }
  for (float& v : get<1>(net).running_var.span()) v = 1.5f + v;
  return net;
}
Tensor<float, Image> make_image(unsigned seed = 7) {
  Tensor<float, Image> x;
  fill(x.span(), seed);
  return x;
}
template <class A, class B> bool same(const A& a, const B& b) {
  return std::equal(a.span().begin(), a.span().end(), b.span().begin(), b.span().end());
}
}  // namespace

TEST_CASE("a call allocates nothing after the first", "[engine]") {
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const auto engine = compile<Image>(make_net());
    const auto x = make_image();
    const float first = engine(x)(0, 3);
    const long before = allocations();
    float sum = 0;
    for (int i = 0; i < 5; ++i) sum += engine(x)(0, 3);
    CHECK(allocations() == before);
    CHECK(sum == first + first + first + first + first);
  }
  set_num_threads(1);
}

TEST_CASE("a result that is kept is not written over", "[engine]") {
  const auto engine = compile<Image>(make_net());
  const auto one = engine(make_image(1));
  const std::vector<float> values(one.span().begin(), one.span().end());
  const auto two = engine(make_image(2));
  CHECK(std::equal(values.begin(), values.end(), one.span().begin()));
  CHECK_FALSE(same(one, two));
}

TEST_CASE("a first call takes from the allocator what the plan says, and its result", "[engine]") {
  const Net net = make_net();
  const auto x = make_image();
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    compile<Image>(net)(x);  // threads that are new have allocated
    const auto engine = compile<Image>(net);
    const long before = allocated_bytes();
    const auto y = engine(x);
    const long taken = allocated_bytes() - before,
               planned = long(engine.memory_bytes(threads)) + long(y.size()) * long(sizeof(float));
    CAPTURE(threads, taken, planned);
    CHECK(taken >= planned);
    CHECK(taken <= planned + 2048);  // heads of blocks, and room for what steps are called with
  }
  set_num_threads(1);
}

TEST_CASE("the arena is as large as the plan says, and may be the caller's", "[engine]") {
  const Net net = make_net();
  const auto engine = compile<Image>(net);
  using Compiled = decltype(compile<Image>(net));
  STATIC_CHECK(Compiled::memory_bytes(1) == std::size_t(peak_memory<Net, Image>));
  set_num_threads(1);
  const auto x = make_image();
  const auto expected = engine(x);
  Tensor<float, Shape<1, 10>> y;
  const void* const in[] = {x.data()};
  void* const out[] = {y.data()};
  const Storage memory = Storage::uninitialized(Compiled::memory_bytes(1) + 64);
  // What lies behind the memory that was asked for stays as it is.
  std::memset(memory.data(), 0x5a, memory.bytes());
  engine.run(in, out, {memory.data(), Compiled::memory_bytes(1)});
  CHECK(same(y, expected));
  for (std::size_t i = Compiled::memory_bytes(1); i < memory.bytes(); ++i) REQUIRE(memory.data()[i] == std::byte(0x5a));
  CHECK_THROWS_AS(engine.run(in, out, {memory.data(), Compiled::memory_bytes(1) - 1}), parameter_error);
  CHECK_THROWS_AS(engine.run(in, out, {memory.data() + 4, Compiled::memory_bytes(1)}), parameter_error);
}

TEST_CASE("results do not depend on the number of threads", "[engine]") {
  const auto engine = compile<Image>(make_net());
  const auto x = make_image();
  set_num_threads(1);
  const auto one = engine(x);
  for (const int threads : {2, 3, 5}) {
    set_num_threads(threads);
    CHECK(same(engine(x), one));
  }
  set_num_threads(1);
}

TEST_CASE("bfloat16 halves weights and activations, and no result depends on the number of threads", "[engine]") {
  constexpr CompileOptions exact{.accuracy = Accuracy::exact},
      half{.accuracy = Accuracy::exact, .precision = Precision::bfloat16};
  const Net net = make_net();
  const auto x = make_image();
  set_num_threads(1);
  const auto engine = compile<half, Image>(net);
  const auto full = compile<exact, Image>(net);
  CHECK(double(engine.plan().packed) < 0.55 * double(full.plan().packed));
  CHECK(double(engine.memory_bytes(1)) < 0.6 * double(full.memory_bytes(1)));
  const auto y = engine(x), expected = full(x);
  double largest = 0, error = 0;
  for (idx i = 0; i < y.size(); ++i) {
    largest = std::max(largest, std::abs(double(expected(0, i))));
    error = std::max(error, std::abs(double(y(0, i)) - double(expected(0, i))));
  }
  CHECK(error < 0.02 * largest);
  CHECK(error > 1e-5 * largest);
  set_num_threads(3);
  CHECK(same(engine(x), y));
  CHECK(same(compile<half, Shape<1, 3, dyn, dyn>>(net)(x), y));
  set_num_threads(1);
}

TEST_CASE("refresh packs what was written since", "[engine]") {
  Net net = make_net();
  auto engine = compile<Image>(net);
  auto varied = compile<Shape<1, 3, dyn, dyn>>(net);
  const auto x = make_image();
  const auto before = engine(x);
  for (float& v : get<3>(net).weight.span()) v *= 1.5f;
  get<10>(net).bias.data()[2] += 1;
  CHECK(same(engine(x), before));
  engine.refresh(net);
  const auto fresh = compile<Image>(net);
  CHECK_FALSE(same(engine(x), before));
  CHECK(same(engine(x), fresh(x)));
  CHECK(same(varied(x), before));
  varied.refresh(net);
  CHECK(same(varied(x), fresh(x)));
}

TEST_CASE("a frozen net computes the same and has no values left", "[engine]") {
  const auto x = make_image();
  Net net = make_net(), other = make_net();
  const auto expected = compile<Image>(net)(x);
  auto engine = freeze<Image>(std::move(net));
  CHECK(same(engine(x), expected));
  for (const auto& tensor : stored_tensors(net)) CHECK_FALSE(bool(*tensor.storage));
  CHECK_THROWS_WITH(engine.refresh(net),
                    "0.weight [40, 3, 3, 3] has no values yet: load a checkpoint or write its data");
  engine.refresh(other);
  CHECK(same(engine(x), expected));

  const auto varied = freeze<Shape<1, 3, dyn, dyn>>(std::move(other));
  CHECK(same(varied(x), expected));
  for (const auto& tensor : stored_tensors(other)) CHECK_FALSE(bool(*tensor.storage));
}

TEST_CASE("a net that cannot be frozen loses nothing", "[engine]") {
  Net net = make_net();
  get<10>(net).bias = {};
  CHECK_THROWS_AS(freeze<Image>(std::move(net)), parameter_error);
  CHECK(get<0>(net).weight.has_values());
  CHECK(get<10>(net).weight.has_values());
}

TEST_CASE("accuracy chooses the algorithms, a budget limits the packed weights", "[engine]") {
  const Net net = make_net();
  constexpr CompileOptions exact{.accuracy = Accuracy::exact}, strict{.accuracy = Accuracy::strict};
  constexpr idx least = StaticPlan<Net, exact, Image>::table.packed * 4;
  STATIC_CHECK(least < packed_bytes<Net, Image>);
  constexpr CompileOptions tight{.weight_budget = least};
  STATIC_CHECK(StaticPlan<Net, tight, Image>::table.packed == StaticPlan<Net, exact, Image>::table.packed);
  const auto x = make_image();
  const auto reference = compile<exact, Image>(net)(x);
  CHECK(same(compile<tight, Image>(net)(x), reference));
  const auto fast = compile<Image>(net)(x), two = compile<strict, Image>(net)(x);
  for (idx i = 0; i < reference.size(); ++i) {
    CHECK(std::abs(fast.data()[i] - reference.data()[i]) < 1e-5f);
    CHECK(std::abs(two.data()[i] - reference.data()[i]) < 2e-6f);
  }
  CHECK_FALSE(same(fast, reference));
}

TEST_CASE("sizes of dyn extents are kept, and equal the engines compiled for them", "[engine]") {
  const Net net = make_net();
  const auto varied = compile<Shape<dyn, 3, dyn, dyn>>(net);
  const auto x = make_image();
  CHECK(same(varied(x), compile<Image>(net)(x)));
  Tensor<float, Shape<2, 3, 20, 28>> other;
  fill(other.span(), 3);
  CHECK(same(varied(other), compile<Shape<2, 3, 20, 28>>(net)(other)));
  const planning::Plan* const plan = &varied.plan({Image::dims});
  CHECK(same(varied(x), compile<Image>(net)(x)));
  CHECK(&varied.plan({Image::dims}) == plan);
  const long before = allocations();
  for (int i = 0; i < 3; ++i) (void)varied(x), (void)varied(other);
  CHECK(allocations() == before);
  CHECK_THROWS_AS(varied(Tensor<float, Shape<dyn, 3, dyn, dyn>>(Dims{1, 3, 1, 1})), shape_error);
  CHECK(same(varied(x), compile<Image>(net)(x)));
}

TEST_CASE("an engine may be moved", "[engine]") {
  auto engine = compile<Image>(make_net());
  const auto x = make_image();
  const auto y = engine(x);
  const auto moved = std::move(engine);
  CHECK(same(moved(x), y));
}

TEST_CASE("a large batch runs in micro-batches", "[engine]") {
  using Wide =
      Sequential<Conv2d<1, 32, conv{.kernel_size = 3, .padding = 1}>, ReLU, MaxPool2d<max_pool{.kernel_size = 8}>>;
  using Batch = Shape<4, 1, 256, 320>;
  using One = Shape<1, 1, 256, 320>;
  Wide net;
  fill(get<0>(net).weight.span(), 3);
  fill(get<0>(net).bias.span(), 4);
  Tensor<float, Batch> x;
  fill(x.span(), 5);
  const auto engine = compile<Batch>(net);
  STATIC_CHECK(engine.plan().memory.micro_batches == 4);
  STATIC_CHECK(engine.memory_bytes(2) == 2 * engine.memory_bytes(1));
  STATIC_CHECK(peak_memory<Wide, Batch> < 3 * peak_memory<Wide, One>);
  const auto sizes = compile<Shape<dyn, 1, 256, 320>>(net);
  const auto alone = compile<One>(net);
  for (const int threads : {1, 2, 3, 5}) {
    set_num_threads(threads);
    const auto y = engine(x);
    CHECK(same(sizes(x), y));
    for (idx n = 0; n < 4; ++n) {
      Tensor<float, One> image;
      std::copy_n(x.data() + n * image.size(), image.size(), image.data());
      const auto expected = alone(image);
      CHECK(std::equal(expected.span().begin(), expected.span().end(), y.data() + n * expected.size()));
    }
  }
  set_num_threads(1);
}

namespace {
struct AlongBatch {
  constexpr auto operator()(const auto& x) const { return softmax<0>(x); }
};
struct JoinedBatch {
  constexpr auto operator()(const auto& x) const { return cat<0>(x, x); }
};
}  // namespace

TEST_CASE("a batch stays whole where operations mix its items", "[engine]") {
  using Batch = Shape<4, 64, 256, 320>;
  STATIC_CHECK(StaticPlan<ReLU, CompileOptions{}, Batch>::table.memory.micro_batches == 4);
  STATIC_CHECK(StaticPlan<AlongBatch, CompileOptions{}, Batch>::table.memory.micro_batches == 1);
  STATIC_CHECK(StaticPlan<JoinedBatch, CompileOptions{}, Batch>::table.memory.micro_batches == 1);
  STATIC_CHECK(StaticPlan<ReLU, CompileOptions{}, Shape<4, 8, 32, 32>>::table.memory.micro_batches == 1);
}
