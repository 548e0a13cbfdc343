/// Prints a model of the tutorial as PyTorch prints it.
///   print NAME
#include "around_a_net.hpp"
#include <cstring>
#include <iostream>
#include <lamina.hpp>

using namespace lamina;
using models::ResNet152, models::ResNet18, models::ResNet50, models::UNet;

void sequential() { std::cout << Sequential<Linear<784, 256>, ReLU, Linear<256, 10>>{} << '\n'; }

void sequential_named() {
  std::cout << Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>{}
            << '\n';
}

void module_list() {
  ModuleList<Linear<784, 256>, ReLU> list;
  std::cout << append(std::move(list), Linear<256, 10>{}) << '\n';
}

void module_list_repeated() {
  ModuleList<Linear<10, 10>, Linear<10, 10>, Linear<10, 10>, Linear<10, 10>, Linear<10, 10>> five, more;
  std::cout << extend(std::move(five), std::move(more)) << '\n';
}

void module_dict() {
  ModuleDict<named<"linear", Linear<784, 256>>, named<"act", ReLU>> dict;
  std::cout << append<"output">(std::move(dict), Linear<256, 10>{}) << '\n';
}

void resnet50_new_head() { std::cout << replace<"fc">(ResNet50{}, Head{}) << '\n'; }

constexpr struct {
  const char* name;
  void (*print)();
} models_by_name[] = {
    {"sequential", sequential},
    {"sequential_named", sequential_named},
    {"module_list", module_list},
    {"module_list_repeated", module_list_repeated},
    {"module_dict", module_dict},
    {"unet_3_1_bilinear", [] { std::cout << UNet<3, 1>{} << '\n'; }},
    {"unet_3_1_transposed", [] { std::cout << UNet<3, 1, false>{} << '\n'; }},
    {"resnet18", [] { std::cout << ResNet18{} << '\n'; }},
    {"resnet50", [] { std::cout << ResNet50{} << '\n'; }},
    {"resnet152", [] { std::cout << ResNet152{} << '\n'; }},
    {"resnet50_new_head", resnet50_new_head},
    {"resnet50_extra_input", [] { std::cout << ExtraInput<ResNet50>{} << '\n'; }},
    {"resnet50_extra_output", [] { std::cout << ExtraOutput<ResNet50>{} << '\n'; }},
    {"resnet50_data_parallel", [] { std::cout << DataParallel<ResNet50>{} << '\n'; }},
    {"resnet152_named_modules", [] { print_named_modules(std::cout, ResNet152{}); }},
    {"resnet152_data_parallel_named_modules", [] { print_named_modules(std::cout, DataParallel<ResNet152>{}); }},
};

int main(int count, char** arguments) {
  const char* wanted = count == 2 ? arguments[1] : "";
  for (const auto& model : models_by_name)
    if (std::strcmp(model.name, wanted) == 0) return model.print(), 0;
  std::cerr << (count == 2 ? std::string("no model is named '") + wanted + "'; " : "usage: print NAME; ")
            << "the names are:";
  for (const auto& model : models_by_name) std::cerr << ' ' << model.name;
  std::cerr << '\n';
  return 2;
}
