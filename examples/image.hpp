/// Pictures for the examples, through stb.
#pragma once
#include <lamina/core/error.hpp>
#include <string>
#include <vector>

/// Rows of pixels of `channels` bytes.
struct Image {
  int width = 0, height = 0, channels = 0;
  std::vector<unsigned char> pixels{};

  Image() = default;
  Image(int width, int height, int channels)
      : width(width), height(height), channels(channels),
        pixels(std::size_t(width) * std::size_t(height) * std::size_t(channels)) {}
};

/// Reads a picture as `channels` bytes a pixel: 1 is grey, 3 is red, green, blue.
Image read_image(const std::string& path, int channels);

/// Writes a PNG file.
void write_png(const Image& image, const std::string& path);
