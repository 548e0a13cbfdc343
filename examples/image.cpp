#include "image.hpp"
#include <algorithm>
#include <memory>
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

Image read_image(const std::string& path, int channels) {
  int width = 0, height = 0, own = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> pixels(stbi_load(path.c_str(), &width, &height, &own, channels),
                                                               stbi_image_free);
  if (!pixels) throw lamina::error(path + ": " + stbi_failure_reason());
  Image image(width, height, channels);
  std::copy_n(pixels.get(), image.pixels.size(), image.pixels.begin());
  return image;
}

void write_png(const Image& image, const std::string& path) {
  if (!stbi_write_png(path.c_str(), image.width, image.height, image.channels, image.pixels.data(),
                      image.width * image.channels))
    throw lamina::error(path + " cannot be written");
}
