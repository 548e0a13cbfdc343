/// Calls that kernels are tested with: every operation, with extents that do and do not divide evenly.
#pragma once
#include <lamina/backend/cuda/kernels/kernel_of.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kernel_test {
using namespace lamina;

/// An operation on operands of extents, as PyTorch writes them.
struct Case {
  std::string name;
  Operation operation;
  std::vector<Dims> operands;
  std::vector<std::optional<Dims>> parameters{};
  bool residual = false;
  ops::Activation activation{};
};

/// Layouts and types of a call's operands and its result.
struct Form {
  std::string name;
  Layout in, out;
  Dtype read, written;
  bool plain_second = false;  ///< all operands but the first are planar float32
};

inline const std::vector<Form>& forms() {
  using enum Layout;
  using enum Dtype;
  static const std::vector<Form> list{
      {"planar float32", planar, planar, float32, float32},
      {"channels_last float16", channels_last, channels_last, float16, float16},
      {"channels_last bfloat16", channels_last, channels_last, bfloat16, bfloat16},
      {"planar float32 to channels_last float16", planar, channels_last, float32, float16},
      {"channels_last bfloat16 to planar float32", channels_last, planar, bfloat16, float32},
      {"channels_last float16 beside planar float32", channels_last, channels_last, float16, float16, true},
  };
  return list;
}

/// Extents of an operation's result.
inline Dims result_dims(const Case& c) {
  return std::visit(
      [&]<class Op>(const Op& op) -> Dims {
        const std::vector<Dims>& x = c.operands;
        if constexpr (std::is_same_v<Op, ops::Cat>) {
          Dims y = x[0];
          for (std::size_t i = 1; i < x.size(); ++i) y = op.shape(y, x[i]);
          return y;
        } else if constexpr (requires { op.shape(x[0], x[1]); }) return op.shape(x[0], x[1]);
        else if constexpr (requires { op.shape(x[0]); }) return op.shape(x[0]);
        else return {};
      },
      c.operation);
}

/// A call, and the tensors that it refers to.
struct Call {
  std::vector<gpu::KernelTensor> tensors;  ///< operands, then the residual
  gpu::KernelCall call{};

  Call(const Case& c, const Form& form) {
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      gpu::KernelTensor x{c.operands[i], form.read, form.in};
      if (i > 0 && form.plain_second) x = {c.operands[i]};
      if (i == 1 && is<ops::CrossEntropy>(c.operation)) x = {c.operands[i], Dtype::int64};
      tensors.push_back(x);
    }
    const gpu::KernelTensor out{result_dims(c), form.written, form.out};
    if (c.residual) tensors.push_back({out.dims, form.written, form.plain_second ? Layout::planar : form.out});
    call = {.operation = c.operation,
            .operands = tensors.data(),
            .operand_count = int(tensors.size()),
            .has_residual = c.residual,
            .activation = c.activation,
            .weights = form.read,
            .out = out};
    for (std::size_t i = 0; i < c.parameters.size(); ++i) call.parameters[i] = c.parameters[i].has_value();
  }
  Call(const Call&) = delete;
};

inline void add_elementwise(std::vector<Case>& list) {
  using Kind = ops::Activation::Kind;
  const std::vector<std::pair<const char*, ops::Activation>> activations{{"identity", {}},
                                                                         {"relu", {Kind::relu}},
                                                                         {"leaky_relu", {Kind::leaky_relu, 0.2f}},
                                                                         {"tanh", {Kind::tanh}},
                                                                         {"sigmoid", {Kind::sigmoid}},
                                                                         {"gelu", {Kind::gelu}},
                                                                         {"silu", {Kind::silu}},
                                                                         {"gelu_tanh", {Kind::gelu_tanh}},
                                                                         {"scale", {Kind::scale, -0.3f}},
                                                                         {"shift", {Kind::shift, 1e-3f}}};
  for (const auto& [name, op] : activations) list.push_back({name, op, {{2, 24, 5, 7}}});
  const ops::Activation relu{Kind::relu};
  list.push_back({"relu of one element", relu, {{}}});
  list.push_back({"relu of an odd number of channels", relu, {{3, 5, 3, 1}}});
  list.push_back({"silu of a vector, added and activated", ops::Activation{Kind::silu}, {{1037}}, {}, true, relu});
  for (const auto kind :
       {ops::Binary::Kind::add, ops::Binary::Kind::subtract, ops::Binary::Kind::multiply, ops::Binary::Kind::divide})
    list.push_back({"equal extents", ops::Binary{kind}, {{2, 16, 3, 5}, {2, 16, 3, 5}}});
  list.push_back({"a bias of channels", ops::Binary{}, {{2, 16, 4, 4}, {1, 16, 1, 1}}});
  list.push_back({"a bias of odd channels", ops::Binary{}, {{2, 7, 4, 4}, {7, 1, 1}}});
  list.push_back({"both stretched", ops::Binary{ops::Binary::Kind::multiply}, {{3, 1, 4, 8}, {5, 1, 1}}});
  list.push_back({"images and a row", ops::Binary{ops::Binary::Kind::subtract}, {{2, 3, 4, 8}, {8}}});
  list.push_back({"a scalar", ops::Binary{ops::Binary::Kind::divide}, {{2, 9, 7}, {1}}, {}, true});
  list.push_back({"tokens and positions", ops::Binary{}, {{2, 5, 32}, {5, 32}}});
}

inline void add_norms(std::vector<Case>& list) {
  const Dims c24{24}, c7{7};
  list.push_back({"running statistics", ops::BatchNorm{.num_features = 24}, {{2, 24, 3, 5}}, {c24, c24, c24, c24}});
  list.push_back({"running statistics, not affine",
                  ops::BatchNorm{.num_features = 7, .affine = false},
                  {{3, 7}},
                  {std::nullopt, std::nullopt, c7, c7},
                  true});
  list.push_back(
      {"statistics of the batch", ops::BatchNorm{.num_features = 24, .tracked = false}, {{3, 24, 5, 9}}, {c24, c24}});
  list.push_back({"statistics of the batch, not affine",
                  ops::BatchNorm{.num_features = 7, .affine = false, .tracked = false},
                  {{40, 7, 11}},
                  {}});
  list.push_back({"layer norm of tokens", ops::LayerNorm{.normalized = {96}}, {{3, 5, 96}}, {Dims{96}, Dims{96}}});
  list.push_back(
      {"layer norm of long tokens", ops::LayerNorm{.normalized = {2600}}, {{3, 2600}}, {Dims{2600}, std::nullopt}});
  list.push_back({"layer norm of images",
                  ops::LayerNorm{.normalized = {8, 3, 5}},
                  {{2, 8, 3, 5}},
                  {Dims{8, 3, 5}, Dims{8, 3, 5}}});
  list.push_back(
      {"layer norm of rows", ops::LayerNorm{.normalized = {9}}, {{2, 16, 33, 9}}, {std::nullopt, std::nullopt}});
  list.push_back({"group norm", ops::GroupNorm{.groups = 3, .num_channels = 24}, {{2, 24, 5, 3}}, {c24, c24}});
  list.push_back(
      {"group norm of odd groups", ops::GroupNorm{.groups = 7, .num_channels = 7}, {{2, 7, 70, 31}}, {c7, c7}, true});
}

inline void add_reductions(std::vector<Case>& list) {
  using Kind = ops::PairLoss::Kind;
  using ops::Reduction;
  list.push_back({"softmax of classes", ops::Softmax{.dim = -1}, {{5, 40}}});
  list.push_back({"softmax of many classes", ops::Softmax{.dim = 1, .log = true}, {{3, 3001}}});
  list.push_back({"softmax of channels", ops::Softmax{.dim = 1}, {{2, 8, 24, 25}}});
  list.push_back({"softmax of odd channels", ops::Softmax{.dim = 1, .log = true}, {{2, 5, 3, 4}}});
  list.push_back({"softmax of rows", ops::Softmax{.dim = 2}, {{2, 16, 6, 4}}, {}, true});
  list.push_back({"softmax of images", ops::Softmax{.dim = 0}, {{3, 2, 3, 7}}});
  for (const auto reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    list.push_back({"mse", ops::PairLoss{Kind::mse, reduction}, {{3, 8, 5, 6}, {3, 8, 5, 6}}});
    list.push_back({"l1", ops::PairLoss{Kind::l1, reduction}, {{1111}, {1111}}});
    list.push_back({"bce", ops::PairLoss{Kind::bce_with_logits, reduction}, {{5, 7}, {5, 7}}});
    list.push_back({"cross entropy", ops::CrossEntropy{.reduction = reduction, .ignore_index = 2}, {{9, 5}, {9}}});
    list.push_back({"cross entropy of pixels",
                    ops::CrossEntropy{.reduction = reduction, .label_smoothing = 0.1},
                    {{2, 6, 24, 25}, {2, 24, 25}}});
  }
  list.push_back({"cross entropy of many classes", ops::CrossEntropy{}, {{3, 2100}, {3}}});
}

inline void add_images(std::vector<Case>& list) {
  using Mode = ops::Upsample::Mode;
  const ops::Window w3s2{.kernel = 3, .stride = 2, .before = 1, .after = 1}, w2{.kernel = 2, .stride = 2},
      dilated{.kernel = 3, .dilation = 2};
  const ops::Activation relu{ops::Activation::Kind::relu};
  list.push_back({"max pool", ops::MaxPool2d{.window = {w3s2, w3s2}}, {{2, 16, 9, 7}}});
  list.push_back(
      {"max pool, odd and dilated", ops::MaxPool2d{.window = {dilated, w2}, .ceil_mode = true}, {{2, 3, 9, 7}}});
  list.push_back({"average pool", ops::AvgPool2d{.window = {w3s2, w3s2}}, {{2, 8, 9, 8}}, {}, true, relu});
  list.push_back({"average pool without padding",
                  ops::AvgPool2d{.window = {w3s2, w2}, .ceil_mode = true, .count_include_pad = false},
                  {{2, 12, 8, 7}}});
  list.push_back({"average pool with a divisor", ops::AvgPool2d{.window = {w2, w2}, .divisor = 3}, {{1, 5, 6, 6}}});
  list.push_back({"adaptive", ops::AdaptiveAvgPool2d{.height = 3, .width = 4}, {{2, 16, 7, 9}}});
  list.push_back({"global", ops::AdaptiveAvgPool2d{}, {{2, 24, 7, 7}}});
  list.push_back({"nearest", ops::Upsample{.scale_height = 2, .scale_width = 2}, {{2, 16, 5, 3}}});
  list.push_back({"nearest to a size", ops::Upsample{.height = 131, .width = 5}, {{1, 3, 7, 9}}});
  list.push_back(
      {"bilinear", ops::Upsample{.scale_height = 2, .scale_width = 1.5, .mode = Mode::bilinear}, {{2, 8, 5, 6}}});
  list.push_back({"bilinear, aligned",
                  ops::Upsample{.height = 9, .width = 7, .mode = Mode::bilinear, .align_corners = true},
                  {{2, 5, 4, 7}}});
  list.push_back({"pad", ops::Pad{.pairs = 2, .amounts = {1, 2, 3, -1}, .value = 0.5f}, {{2, 8, 5, 6}}});
  list.push_back({"pad channels",
                  ops::Pad{.pairs = 3, .amounts = {0, 0, 0, 0, 1, 2}, .value = -__builtin_inff()},
                  {{2, 5, 3, 4}}});
  list.push_back({"pad a vector", ops::Pad{.pairs = 1, .amounts = {-3, 2}}, {{11}}, {}, true});
  list.push_back({"pad to", ops::PadTo{}, {{2, 16, 5, 6}, {1, 1, 8, 7}}});
  list.push_back({"cut to", ops::PadTo{}, {{2, 3, 5, 6}, {1, 1, 2, 3}}});
  list.push_back({"channels joined", ops::Cat{1}, {{2, 16, 3, 4}, {2, 8, 3, 4}, {2, 24, 3, 4}}});
  list.push_back({"odd channels joined", ops::Cat{1}, {{2, 3, 3, 4}, {2, 8, 3, 4}}, {}, true, relu});
  list.push_back({"rows joined", ops::Cat{2}, {{2, 8, 3, 4}, {2, 8, 1, 4}}});
  list.push_back({"tokens joined", ops::Cat{-1}, {{3, 5, 8}, {3, 5, 3}}});
}

inline void add_copies(std::vector<Case>& list) {
  list.push_back({"copy of an image", ops::Copy{}, {{2, 3, 9, 7}}});
  list.push_back({"copy of many channels", ops::Copy{}, {{2, 40, 9, 7}}});
  list.push_back({"copy of a matrix", ops::Copy{}, {{33, 5}}});
  list.push_back({"copy, added and activated", ops::Copy{}, {{2, 33, 5, 7}}, {}, true, {ops::Activation::Kind::relu}});
  list.push_back({"identity", ops::Identity{}, {{2, 8, 3, 3}}});
  list.push_back({"flatten", ops::Flatten{}, {{2, 24, 3, 4}}});
  list.push_back({"unsqueeze", ops::Unsqueeze{.dim = 1}, {{4, 6, 5}}});
  list.push_back({"reshape", ops::Reshape{.to = {2, 6, 4, 15}}, {{2, 24, 3, 5}}});
  list.push_back({"reshape, added", ops::Reshape{.to = {6, 4, -1}}, {{2, 24, 3, 5}}, {}, true});
}

inline void add_products(std::vector<Case>& list) {
  const ops::Window one{}, w3{.kernel = 3, .before = 1, .after = 1},
      stride2{.kernel = 3, .stride = 2, .before = 1, .after = 0},
      dilated{.kernel = 3, .before = 2, .after = 2, .dilation = 2}, up{.kernel = 2, .stride = 2},
      up3{.kernel = 3, .stride = 2, .before = 1, .after = 1};
  const ops::Activation relu{ops::Activation::Kind::relu}, scale{ops::Activation::Kind::scale, 0.5f};
  const auto conv = [](int in, int out, ops::Window2d window, int groups = 1) {
    return ops::Conv2d{.in_channels = in, .out_channels = out, .groups = groups, .window = window};
  };
  list.push_back({"1x1", conv(16, 24, {one, one}), {{2, 16, 5, 7}}, {Dims{24, 16, 1, 1}, Dims{24}}});
  list.push_back({"3x3", conv(5, 70, {w3, w3}), {{2, 5, 9, 8}}, {Dims{70, 5, 3, 3}, Dims{70}}, true, relu});
  list.push_back({"asymmetric", conv(8, 16, {stride2, w3}), {{2, 8, 9, 8}}, {Dims{16, 8, 3, 3}, std::nullopt}});
  list.push_back({"dilated, grouped",
                  conv(12, 18, {dilated, w3}, 2),
                  {{1, 12, 7, 6}},
                  {Dims{18, 6, 3, 3}, Dims{18}},
                  false,
                  scale});
  list.push_back({"depthwise", conv(24, 24, {w3, w3}, 24), {{2, 24, 5, 6}}, {Dims{24, 1, 3, 3}, Dims{24}}, true, relu});
  list.push_back(
      {"depthwise, twice as many", conv(5, 10, {stride2, w3}, 5), {{2, 5, 6, 6}}, {Dims{10, 1, 3, 3}, std::nullopt}});
  const auto transposed = [](int in, int out, ops::Window2d window, int groups = 1, int more = 0) {
    return ops::ConvTranspose2d{.in_channels = in,
                                .out_channels = out,
                                .groups = groups,
                                .window = window,
                                .output_padding_height = more,
                                .output_padding_width = more};
  };
  list.push_back(
      {"transposed", transposed(16, 8, {up, up}), {{2, 16, 3, 4}}, {Dims{16, 8, 2, 2}, Dims{8}}, false, relu});
  list.push_back(
      {"transposed, padded", transposed(6, 9, {up3, up3}, 1, 1), {{2, 6, 4, 3}}, {Dims{6, 9, 3, 3}, std::nullopt}});
  list.push_back({"transposed, grouped",
                  transposed(12, 6, {up3, dilated}, 3),
                  {{1, 12, 4, 3}},
                  {Dims{12, 2, 3, 3}, Dims{6}},
                  true});
  list.push_back(
      {"linear", ops::Linear{.in_features = 70, .out_features = 33}, {{5, 70}}, {Dims{33, 70}, Dims{33}}, true, relu});
  list.push_back({"linear of few features",
                  ops::Linear{.in_features = 16, .out_features = 3},
                  {{2, 3, 16}},
                  {Dims{3, 16}, std::nullopt}});
  list.push_back(
      {"linear of images", ops::Linear{.in_features = 6, .out_features = 16}, {{2, 8, 5, 6}}, {Dims{16, 6}, Dims{16}}});
  list.push_back({"matrices", ops::Matmul{}, {{65, 17}, {17, 66}}});
  list.push_back({"matrices of a batch", ops::Matmul{}, {{3, 1, 9, 16}, {1, 2, 16, 12}}, {}, false, relu});
  list.push_back({"matrices, one for all", ops::Matmul{}, {{2, 2, 5, 8}, {8, 5}}, {}, true});
}

inline std::vector<Case> cases() {
  std::vector<Case> list;
  for (const auto add : {add_elementwise, add_norms, add_reductions, add_images, add_copies, add_products}) add(list);
  return list;
}

/// "add: a bias of channels, planar float32"
inline std::string title(const Case& c, const Form& form) {
  return std::string(name_of(c.operation)) + ": " + c.name + ", " + form.name;
}

}  // namespace kernel_test
