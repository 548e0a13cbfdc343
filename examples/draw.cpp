/// Draws a model as a graph for Graphviz: resnet18, resnet50 or unet.
///   draw NAME > NAME.dot;  dot -Tsvg NAME.dot > NAME.svg
#include <cstring>
#include <iostream>
#include <lamina/meta/to_dot.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/models/unet.hpp>

using namespace lamina;

int main(int argc, char** argv) {
  const char* const name = argc > 1 ? argv[1] : "unet";
  if (!std::strcmp(name, "resnet18")) std::cout << to_dot(models::ResNet18{}, Shape<1, 3, 224, 224>{});
  else if (!std::strcmp(name, "resnet50"))
    std::cout << to_dot(models::ResNet50{}, Shape<1, 3, 224, 224>{}, {.layer_options = false});
  else if (!std::strcmp(name, "unet")) std::cout << to_dot(models::UNet<3, 2>{}, Shape<1, 3, 256, 256>{});
  else return std::cerr << "error: no model is named " << name << "; there are resnet18, resnet50 and unet\n", 2;
}
