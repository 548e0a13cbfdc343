/// Where the time of a compiled model goes: a table, and a picture in profile.svg.
///   profile [CALLS]
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <lamina.hpp>
#include <lamina/engine/profile.hpp>
#include <random>

using namespace lamina;

int main(int count, char** arguments) {
  const int calls = count > 1 ? std::atoi(arguments[1]) : 20;
  // Speed does not depend on what the weights are.
  models::ResNet18 net;
  std::mt19937 generator;
  std::uniform_real_distribution<float> draw(-0.05f, 0.05f);
  for_each_stored(net, [&](const Path& path, auto& parameter) {
    for (auto& value : parameter.span()) value = path.name == "running_var" ? 1 : draw(generator);
  });
  Tensor<float, Shape<1, 3, 224, 224>> x;
  for (float& value : x.span()) value = draw(generator);

  const auto engine = compile<Shape<1, 3, 224, 224>>(net);
  const Profile result = profile(engine, {.calls = calls}, x);
  std::cout << result;
  std::ofstream("profile.svg") << to_svg(result);
}
