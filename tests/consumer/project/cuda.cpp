#include <iostream>
#include <lamina.hpp>
#include <lamina/cuda.hpp>

using namespace lamina;

int main() {
  try {
    const auto engine = compile_replicas<Shape<3, 8>>(DataParallel(ReLU(), {cuda{0}}));
    engine(Tensor<float, Shape<3, 8>>());
  } catch (const gpu::no_device& e) { std::cout << e.what() << '\n'; }
}
