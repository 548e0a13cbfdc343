#include "expected.hpp"
#include <lamina/models/resnet.hpp>
#include <lamina/parallel/data_parallel.hpp>

using namespace lamina;
using namespace lamina::models;

TEST_CASE("ResNets print and name their children as torchvision's") {
  check_text("resnet18", ResNet18{});
  check_text("resnet50", ResNet50{});
  check_text("resnet152", ResNet152{});
}

TEST_CASE("a data-parallel net puts module. before every name") {
  check_text("resnet50_data_parallel", DataParallel<ResNet50>{});
}

TEST_CASE("the items of named_modules print as Python's pairs") {
  std::ostringstream one, several;
  print_named_modules(one, ResNet152{});
  CHECK(one.str() == expected("resnet152_named_modules.txt"));
  print_named_modules(several, DataParallel<ResNet152>{});
  CHECK(several.str() == expected("resnet152_data_parallel_named_modules.txt"));
}
