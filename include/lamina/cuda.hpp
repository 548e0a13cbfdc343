/// lamina on NVIDIA GPUs: to(net, cuda{0}), compile<Shape<...>>(net, cuda{0}), DataParallel over several. A program
/// that includes this links cudart, cudnn, nvrtc and nccl; it needs no nvcc. Everything else is in lamina.hpp.
#pragma once
#include "lamina/cuda/compile.hpp"
#include "lamina/cuda/memory_pool.hpp"
#include "lamina/cuda/nccl.hpp"
#include "lamina/cuda/to.hpp"
