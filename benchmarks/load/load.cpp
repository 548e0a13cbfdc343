/// Loading and saving a ResNet-50 behind a C interface, which load.py calls.
#include <lamina/io/load.hpp>
#include <lamina/io/save.hpp>
#include <lamina/models/resnet.hpp>

// An exception ends the program with its message: there is nobody to catch it on the other side.
#define LAMINA_EXPORT extern "C" __attribute__((visibility("default")))

namespace {
lamina::models::ResNet50 net;
}

LAMINA_EXPORT void lamina_load(const char* path) noexcept { lamina::load(net, path); }
LAMINA_EXPORT void lamina_save(const char* path) noexcept { lamina::save(net, path); }
