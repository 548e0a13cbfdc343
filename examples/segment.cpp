/// The main job: networks trained in PyTorch, run from C++ on real input.
///   segment [IMAGE [OVERLAY]]
/// A U-Net finds the coins on a photograph and a PNG shows them; an MLP reads handwritten digits. Inputs are prepared
/// as in training: grey / 255 for the photograph; digits / 16, every pixel three times each way, in a border of 2.
#include "image.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

const std::string data = LAMINA_EXAMPLE_DATA;

/// All elements of a tensor in a weight file.
template <class T> std::vector<T> elements(const io::StateDict& file, const char* name) {
  const io::TensorRecord* tensor = file.find(name);
  if (!tensor) throw error(std::string(file.path()) + " has no tensor " + name);
  std::vector<T> values(static_cast<std::size_t>(tensor->numel()));
  io::copy_elements(*tensor, dtype_of<T>, values.data());
  return values;
}

/// Largest difference between a result and what PyTorch computed, in units of PyTorch's largest element.
template <class Result> double difference(const Result& result, const std::vector<float>& expected) {
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(double(result.data()[i]) - double(expected[i])));
    scale = std::max(scale, std::abs(double(expected[i])));
  }
  return worst / scale;
}

/// Intersection over union of the coins in the columns that training did not see.
double segment_coins(const std::string& photograph, const std::string& overlay, bool reference) {
  models::UNet<1, 2, true, 8> net;
  load(net, data + "/coins_unet.pth");
  std::cout << net << "\n\n" << summary<Shape<1, 1, 303, 384>>(net) << '\n';

  const Image image = read_image(photograph, 1);
  Tensor<float, Shape<1, 1, dyn, dyn>> x({1, 1, image.height, image.width});
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(image.pixels[std::size_t(i)]) / 255;

  auto engine = compile<Shape<1, 1, dyn, dyn>>(net);  // one engine for photographs of any size
  const auto logits = engine(x);

  Image shown(image.width, image.height, 3);
  std::vector<bool> coin(std::size_t(image.width * image.height));
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column) {
      const std::size_t at = std::size_t(row * image.width + column);
      coin[at] = logits(0, 1, row, column) > logits(0, 0, row, column);
      const int grey = image.pixels[at];
      shown.pixels[3 * at] = static_cast<unsigned char>(coin[at] ? (grey + 255) / 2 : grey);
      shown.pixels[3 * at + 1] = static_cast<unsigned char>(coin[at] ? (grey + 120) / 2 : grey);
      shown.pixels[3 * at + 2] = static_cast<unsigned char>(coin[at] ? grey / 2 : grey);
    }
  write_png(shown, overlay);
  std::cout << "overlay written to " << overlay << '\n';
  if (!reference) return 0;

  std::printf(
      "logits of the photograph differ from PyTorch's by at most %.1e of the largest (the reference is stored as "
      "float16)\n",
      difference(logits, elements<float>(io::read_state_dict(data + "/coins_unet_logits_f16.safetensors"), "output")));
  const Image mask = read_image(data + "/coins_mask.png", 1);
  const int first = image.width * 2 / 3;
  int both = 0, either = 0;
  for (int row = 0; row < image.height; ++row)
    for (int column = first; column < image.width; ++column) {
      const std::size_t at = std::size_t(row * image.width + column);
      const bool truth = mask.pixels[at] > 127;
      both += coin[at] && truth;
      either += coin[at] || truth;
    }
  return double(both) / either;
}

/// Share of the test digits that are read correctly.
double read_digits() {
  Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>> net;
  load(net, data + "/digits_mlp.pth");
  std::cout << '\n' << net << "\n\n" << summary<Shape<1, 784>>(net) << '\n';

  const io::StateDict digits = io::read_state_dict(data + "/digits.safetensors");
  const auto images = elements<float>(digits, "images");  // [rows, 8, 8], 0 to 16
  const auto labels = elements<std::int64_t>(digits, "labels");
  const idx first = 1437, rows = idx(labels.size()) - first;
  Tensor<float, Shape<dyn, 784>> x({rows, 784});
  for (idx n = 0; n < rows; ++n)
    for (idx r = 0; r < 24; ++r)
      for (idx c = 0; c < 24; ++c)
        x(n, (r + 2) * 28 + c + 2) = images[std::size_t((first + n) * 64 + r / 3 * 8 + c / 3)] / 16;

  const Tensor<float, Shape<dyn, 10>> logits = net(x);
  std::printf(
      "logits of the digits differ from PyTorch's by at most %.1e of the largest\n",
      difference(logits, elements<float>(io::read_state_dict(data + "/digits_mlp_test_logits.safetensors"), "output")));
  idx correct = 0;
  for (idx n = 0; n < rows; ++n) {
    idx best = 0;
    for (idx c = 1; c < 10; ++c)
      if (logits(n, c) > logits(n, best)) best = c;
    correct += best == labels[std::size_t(first + n)];
  }
  return double(correct) / double(rows);
}

int main(int count, char** arguments) {
  try {
    const std::string photograph = count > 1 ? arguments[1] : data + "/coins.png";
    const double iou = segment_coins(photograph, count > 2 ? arguments[2] : "overlay.png", count < 2);
    const double accuracy = read_digits();
    if (count < 2) std::printf("coins_iou=%.4f\n", iou);
    std::printf("digits_accuracy=%.4f\n", accuracy);
  } catch (const error& e) {
    std::cerr << "error: " << e.what() << '\n';
    return 1;
  }
}
