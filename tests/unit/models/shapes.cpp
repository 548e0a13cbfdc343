// Models whose extents are known only at run time.
#include <catch2/catch_test_macros.hpp>
#include <lamina/meta/meta.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/models/unet.hpp>
#include <lamina/parallel/data_parallel.hpp>

using namespace lamina;

template <class... Spec, class Net> static Dims result(const Net& net, const Dims& x) {
  const Dims dims[] = {x};
  const Graph graph = record_graph<Spec...>(net, dims);
  return graph.nodes[std::size_t(graph.outputs.at(0))].dims;
}

TEST_CASE("a U-Net gives the height and width it got") {
  using Picture = Shape<dyn, 3, dyn, dyn>;
  const models::UNet<3, 2, true, 2> bilinear;
  const models::UNet<3, 2, false, 2> transposed;
  for (idx height : {16, 17, 31, 37, 64})
    for (idx width : {16, 19, 53}) {
      CHECK(result<Picture>(bilinear, {2, 3, height, width}) == Dims{2, 2, height, width});
      CHECK(result<Picture>(transposed, {2, 3, height, width}) == Dims{2, 2, height, width});
    }
}

TEST_CASE("a picture that is too small for a U-Net is an error with its layer") {
  const models::UNet<3, 2, true, 2> net;
  CHECK_THROWS_AS((result<Shape<dyn, 3, dyn, dyn>>(net, {1, 3, 15, 40})), shape_error);
  try {
    result<Shape<dyn, 3, dyn, dyn>>(net, {1, 3, 15, 40});
  } catch (const shape_error& e) {
    CHECK(std::string(e.what()).find("MaxPool2d") != std::string::npos);
    CHECK(std::string(e.what()).find("[1, 16, 1, 5]") != std::string::npos);
  }
}

TEST_CASE("a ResNet takes pictures of any size") {
  const models::ResNet18 net;
  CHECK(result<Shape<dyn, 3, dyn, dyn>>(net, {4, 3, 45, 61}) == Dims{4, 1000});
  CHECK(result<Shape<dyn, 3, dyn, dyn>>(net, {1, 3, 1, 1}) == Dims{1, 1000});
  CHECK(result<Shape<dyn, 3, dyn, dyn>>(DataParallel<models::ResNet18>{}, {4, 3, 45, 61}) == Dims{4, 1000});
}
