#include "full_size.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace lamina;
using Photo = Shape<1, 3, 224, 224>;

TEST_CASE("full_size/resnet18_224/eager") { full_size::check_eager<models::ResNet18, Photo>("resnet18_224"); }
TEST_CASE("full_size/resnet18_224/planned") { full_size::check_planned<models::ResNet18, Photo>("resnet18_224"); }
TEST_CASE("full_size/resnet18_224/bfloat16") { full_size::check_bfloat16<models::ResNet18, Photo>("resnet18_224"); }
TEST_CASE("full_size/resnet50_224/eager") { full_size::check_eager<models::ResNet50, Photo>("resnet50_224"); }
TEST_CASE("full_size/resnet50_224/planned") { full_size::check_planned<models::ResNet50, Photo>("resnet50_224"); }
TEST_CASE("full_size/resnet50_224/bfloat16") { full_size::check_bfloat16<models::ResNet50, Photo>("resnet50_224"); }
