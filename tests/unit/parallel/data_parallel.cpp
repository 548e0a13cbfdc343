/// DataParallel: the division of a batch, the files that several devices and one exchange, and what replicas share.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <lamina.hpp>
#include <thread>
#include <unistd.h>

using namespace lamina;
using parallel::host_devices;

namespace {
const std::string data = LAMINA_TEST_DATA;

// The net of the reference's data_parallel case.
using Net =
    Sequential<Conv2d<2, 4, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<4>, ReLU, Flatten<>, Linear<100, 3>>;

std::vector<std::string> values_of(const auto& net) {
  std::vector<std::string> values;
  for (const auto& tensor : stored_tensors(net))
    values.emplace_back(reinterpret_cast<const char*>(tensor.storage->data()), tensor.storage->bytes());
  return values;
}
Net single() {
  Net net;
  load(net, data + "/data_parallel/weights.safetensors");
  return net;
}
template <class X> void fill(X& x) {
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(i * 31 % 101) / 101.f - 0.5f;
}
template <class A, class B> bool close(const A& a, const B& b) {
  if (a.dims() != b.dims()) return false;
  for (idx i = 0; i < a.size(); ++i)
    if (!(std::abs(a.data()[i] - b.data()[i]) <= 1e-6f)) return false;
  return true;
}
/// A file that exists as long as this object.
struct File {
  std::string path = "/tmp/lamina_parallel_" + std::to_string(getpid()) + ".pt";
  ~File() { std::filesystem::remove(path); }
};
std::vector<std::pair<idx, idx>> pieces(idx batch, idx devices) {
  std::vector<std::pair<idx, idx>> result;
  for (const auto& chunk : parallel::chunks(batch, devices)) result.emplace_back(chunk.begin, chunk.end);
  return result;
}
}  // namespace

// torch.arange(batch).chunk(devices)
TEST_CASE("a batch is cut as torch.chunk cuts it") {
  using Pieces = std::vector<std::pair<idx, idx>>;
  CHECK(pieces(8, 2) == Pieces{{0, 4}, {4, 8}});
  CHECK(pieces(7, 3) == Pieces{{0, 3}, {3, 6}, {6, 7}});
  CHECK(pieces(6, 4) == Pieces{{0, 2}, {2, 4}, {4, 6}});  // three pieces, not four
  CHECK(pieces(2, 4) == Pieces{{0, 1}, {1, 2}});
  CHECK(pieces(1, 3) == Pieces{{0, 1}});
  CHECK(pieces(0, 3).empty());
}

TEST_CASE("every number of devices gives what one gives") {
  const Net net = single();
  Tensor<float, Shape<7, 2, 5, 5>> x;
  fill(x);
  const Tensor<float, Shape<7, 3>> expected = net(x);
  for (const int devices : {0, 1, 2, 3, 7, 12}) {
    INFO(devices);
    const DataParallel<Net> several(net, host_devices(devices));
    const auto y = several(x);
    static_assert(std::is_same_v<decltype(y), const Tensor<float, Shape<7, 3>>>);
    CHECK(close(y, expected));
  }
  static_assert(std::is_same_v<output_shape<DataParallel<Net>, Shape<7, 2, 5, 5>>, Shape<7, 3>>);
  const auto engine = compile<Shape<7, 2, 5, 5>>(DataParallel<Net>(net));
  CHECK(close(engine(x), expected));
}

TEST_CASE("a batch known at run time, of fewer items than devices, of none") {
  const DataParallel<Net> net(single(), host_devices(4));
  for (const idx batch : {1, 2, 3, 0}) {
    INFO(batch);
    Tensor<float, Shape<dyn, 2, 5, 5>> x(Dims{batch, 2, 5, 5});
    fill(x);
    const Tensor<float, Shape<dyn, 3>> y = net(x), expected = net.module()(x);
    CHECK(y.dims() == Dims{batch, 3});
    CHECK(close(y, expected));
  }
}

namespace {
/// Two inputs and a number in, two results out.
struct Mixed {
  Linear<3, 2> fc;
  constexpr auto operator()(auto x, auto y, float factor) const {
    auto sum = materialise(fc(x) + y);
    return std::tuple(materialise(sum * factor), sum);
  }
};
}  // namespace

TEST_CASE("several inputs and results, and inputs that are no tensors") {
  DataParallel<Mixed> net(host_devices(2));
  for (float& w : net.module().fc.weight.span()) w = 0.5f;
  for (float& b : net.module().fc.bias.span()) b = 1;
  Tensor<float, Shape<5, 3>> x;
  Tensor<float, Shape<5, 2>> y;
  fill(x), fill(y);
  const auto [scaled, sum] = net(x, y, 3.f);
  const auto [expected_scaled, expected_sum] = net.module()(x, y, 3.f);
  CHECK(close(sum, expected_sum));
  CHECK(close(scaled, expected_scaled));
  Tensor<float, Shape<dyn, 3>> items(Dims{5, 3});
  Tensor<float, Shape<dyn, 2>> fewer(Dims{4, 2});
  CHECK_THROWS_AS(net(items, fewer, 3.f), shape_error);
}

namespace {
/// Notes in a buffer, as a batch norm does in training, how many items it saw.
struct Counting {
  Buffer<Shape<>> items;
  Parameter<Shape<1>> weight;
  template <class X> auto operator()(X x) const {
    const_cast<Counting*>(this)->items.data()[0] += float(x.dims()[0]);
    if (x(0, 0) > 100) throw shape_error("item " + std::to_string(int(x(0, 0))));
    return x;
  }
};
}  // namespace

// torch.nn.DataParallel: "In each forward, module is replicated on each device, so any updates to the running module in
// forward will be lost .. the replica on device[0] shares its parameters and buffers with the base parallelized
// module."
TEST_CASE("of what replicas note in buffers, the first one's is kept") {
  DataParallel<Counting> net(host_devices(3));
  net.module().items.data()[0] = 10;
  net.module().weight.data()[0] = 1;
  Tensor<float, Shape<8, 1>> x;
  static_cast<void>(net(x));
  CHECK(std::as_const(net).module().items.span()[0] == 13);
  static_cast<void>(net(x));
  CHECK(std::as_const(net).module().items.span()[0] == 16);
}

namespace {
std::atomic<int> inside, met;
/// Waits for another replica, ten seconds at most.
struct Meeting {
  Parameter<Shape<1>> weight;
  template <class X> auto operator()(X x) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (++inside; inside < 2 && std::chrono::steady_clock::now() < deadline;) std::this_thread::yield();
    if (inside >= 2) ++met;
    return x;
  }
};
}  // namespace

TEST_CASE("replicas run at the same time") {
  const int threads = num_threads();
  set_num_threads(2);
  DataParallel<Meeting> net(host_devices(2));
  static_cast<void>(net.module().weight.data());
  Tensor<float, Shape<2, 1>> x;
  static_cast<void>(net(x));
  set_num_threads(threads);
  CHECK(met == 2);
}

TEST_CASE("an error on a device is thrown by the forward, the first device's first") {
  DataParallel<Counting> net(host_devices(4));
  static_cast<void>(net.module().items.data());
  static_cast<void>(net.module().weight.data());
  Tensor<float, Shape<8, 1>> x;
  x(2, 0) = 102;
  x(6, 0) = 106;
  try {
    static_cast<void>(net(x));
    FAIL("no error");
  } catch (const shape_error& e) { CHECK(std::string(e.what()) == "item 102"); }
}

TEST_CASE("replicas share the parameters' memory") {
  const Net net = single();
  Net replica;
  parallel::replicate(stored_tensors(net), stored_tensors(replica));
  CHECK(std::as_const(replica)[4_c].weight.data() == net[4_c].weight.data());
  CHECK(std::as_const(replica)[1_c].running_mean.data() != net[1_c].running_mean.data());
  CHECK(values_of(replica) == values_of(net));
}

TEST_CASE("a forward on devices that the host is not says where those are") {
  const DataParallel<Net> net(single(), {cuda{1}});
  try {
    static_cast<void>(net(Tensor<float, Shape<2, 2, 5, 5>>()));
    FAIL("no error");
  } catch (const device_error& e) {
    CHECK(std::string(e.what()) ==
          "DataParallel: on cuda:1 replicas are compiled: include lamina/cuda/data_parallel.hpp");
  }
}

// --- chapter 4: who saves, who loads

TEST_CASE("saved on one device, loaded on one and for several") {
  const File file;
  const Net net = single();
  save(net, file.path);
  Net one;
  load(one, file.path);
  CHECK(values_of(one) == values_of(net));

  // fill the net inside; or load it and wrap it; or add the prefix
  DataParallel<Net> inner(host_devices(2));
  load(inner.module(), file.path);
  CHECK(values_of(inner) == values_of(net));
  const DataParallel<Net> wrapped(one, host_devices(3));
  CHECK(values_of(wrapped) == values_of(net));
  DataParallel<Net> prefixed(host_devices(2));
  load(prefixed, file.path, {.add_prefix = "module."});
  CHECK(values_of(prefixed) == values_of(net));
  // Without that, names differ, and nothing is loaded.
  DataParallel<Net> strict(host_devices(2));
  CHECK_THROWS_AS(load(strict, file.path), load_error);
  CHECK(!strict.module()[0_c].weight.has_values());
}

TEST_CASE("saved on several devices, loaded on one") {
  const File file;
  const DataParallel<Net> net(single(), host_devices(3));
  const auto one_has = [&](const auto& load_it) {
    Net one;
    load_it(one);
    return values_of(one) == values_of(net);
  };
  // take the net inside when saving
  save(net.module(), file.path);
  CHECK(one_has([&](Net& one) { load(one, file.path); }));
  // or wrap first; or drop the prefix; or load what is below it
  save(net, file.path);
  CHECK(io::read_state_dict(file.path)[0].name == "module.0.weight");
  CHECK(one_has([&](Net& one) {
    DataParallel<Net> wrapped;
    load(wrapped, file.path);
    one = std::move(wrapped.module());
  }));
  CHECK(one_has([&](Net& one) { load(one, file.path, {.drop_prefix = "module."}); }));
  CHECK(one_has([&](Net& one) { load(one, file.path, {.subtree = "module"}); }));
  Net one;
  CHECK_THROWS_AS(load(one, file.path), load_error);
}

TEST_CASE("saved on several devices, loaded on others") {
  const File file;
  const DataParallel<Net> net(single(), {{Device::Kind::cpu, 0}, {Device::Kind::cpu, 1}});
  save(net, file.path);
  DataParallel<Net> others({{Device::Kind::cpu, 5}, {Device::Kind::cpu, 2}, {Device::Kind::cpu, 3}});
  load(others, file.path);
  CHECK(values_of(others) == values_of(net));
  CHECK(others.devices()[0].index == 5);
}

// Tensors tagged cuda:0, cuda:1 and both, and models that PyTorch saved whole with two devices and with none.
TEST_CASE("PyTorch's files of several devices load anywhere") {
  const Net net = single();
  for (const std::string name : {"state_dict.pt", "state_dict_gpu1.pt", "model_cpu.pth", "model_2gpu.pth"}) {
    INFO(name);
    const std::string path = data + "/data_parallel/" + name;
    DataParallel<Net> several(host_devices(2));
    load(several, path);
    CHECK(values_of(several) == values_of(net));
    Net one;
    load(one, path, {.drop_prefix = "module."});
    CHECK(values_of(one) == values_of(net));
  }
  Net split;
  load(split, data + "/data_parallel/split_over_cards.pt");
  CHECK(values_of(split) == values_of(net));
}

TEST_CASE("whole-model files of a wrapped net") {
  const File file;
  const DataParallel<Net> net(single(), host_devices(2));
  save_model(net, file.path);
  DataParallel<Net> again(host_devices(3));
  load_model(again, file.path);
  CHECK(values_of(again) == values_of(net));
  Net one;
  load_model(one, file.path, "module");
  CHECK(values_of(one) == values_of(net));
  CHECK_THROWS_AS(load_model(one, file.path), load_error);
}

TEST_CASE("the devices stay when a layer is replaced") {
  DataParallel<Net> net(single(), host_devices(2));
  const auto changed = replace<"module.4">(std::move(net), Linear<100, 5>{});
  CHECK(changed.devices().size() == 2);
}
