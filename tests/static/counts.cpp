// Shapes, parameters and multiply-adds of small models, counted by hand.
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/conv_transpose2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

using Mlp = Sequential<Linear<784, 256>, ReLU, Linear<256, 10>>;
static_assert(parameter_count<Mlp> == 784 * 256 + 256 + 256 * 10 + 10);
static_assert(macs<Mlp, Shape<1, 784>> == 784 * 256 + 256 * 10);
static_assert(macs<Mlp, Shape<5, 784>> == 5 * macs<Mlp, Shape<1, 784>>);
static_assert(std::is_same_v<output_shape<Mlp, Shape<5, 3, 784>>, Shape<5, 3, 10>>);

// Linear(784, 256, bias=False) and its relatives leave the bias out.
static_assert(parameter_count<Linear<784, 256, false>> == 784 * 256);
static_assert(state_dict_keys<Linear<784, 256, false>>.size() == 1);

// 2 groups: each output channel sees half of the inputs. Kernel 3x2, 9x11 pixels, stride 2x1.
using Grouped = Conv2d<4, 6, conv{.kernel_size = {3, 2}, .stride = {2, 1}, .groups = 2}>;
static_assert(std::is_same_v<output_shape<Grouped, Shape<2, 4, 9, 11>>, Shape<2, 6, 4, 10>>);
static_assert(parameter_count<Grouped> == 6 * 2 * 3 * 2 + 6);
static_assert(macs<Grouped, Shape<2, 4, 9, 11>> == 2 * 6 * 4 * 10 * 2 * 3 * 2);

using Transposed = ConvTranspose2d<3, 5, conv_transpose{.kernel_size = 2, .stride = 2}>;
static_assert(std::is_same_v<output_shape<Transposed, Shape<1, 3, 4, 6>>, Shape<1, 5, 8, 12>>);

// Buffers are stored but no parameters; those without statistics have none.
static_assert(parameter_count<BatchNorm2d<8>> == 16 && state_dict_keys<BatchNorm2d<8>>.size() == 5);
static_assert(state_dict_keys<BatchNorm2d<8, batch_norm{.affine = false, .track_running_stats = false}>>.empty());

// Parameters of a module come first, then its buffers, then its children; a transient buffer is no key
// (torch.nn.Module.state_dict).
struct Mixed {
  Linear<8, 2> fc;
  Buffer<Shape<2>> shift;
  Parameter<Shape<>> scale;
  Buffer<Shape<3>, float, Persistence::transient> scratch;
  int attribute = 0;
  constexpr auto operator()(auto x) const { return fc(x) * scale + shift; }
};
static_assert(state_dict_keys<Mixed>.size() == 4);
static_assert(state_dict_keys<Mixed>[0] == "scale" && state_dict_keys<Mixed>[1] == "shift");
static_assert(state_dict_keys<Mixed>[2] == "fc.weight" && state_dict_keys<Mixed>[3] == "fc.bias");
static_assert(parameter_count<Mixed> == 1 + 8 * 2 + 2);
static_assert(std::is_same_v<output_shape<Mixed, Shape<4, 8>>, Shape<4, 2>>);

// Matrix products of functions count too; a forward may return several results.
struct Pair {
  Linear<4, 3> fc;
  constexpr auto operator()(auto a, auto b) const {
    auto h = fc(a);
    return std::tuple(h, matmul(h, b));
  }
};
static_assert(macs<Pair, Shape<2, 4>, Shape<3, 5>> == 2 * 4 * 3 + 2 * 3 * 5);
static_assert(std::is_same_v<output_shape<Pair, Shape<2, 4>, Shape<3, 5>>, std::tuple<Shape<2, 3>, Shape<2, 5>>>);

// Lists of more children than clang folds at once.
template <class Index> struct long_list;
template <std::size_t... I> struct long_list<std::index_sequence<I...>> {
  template <std::size_t> using layer = Linear<2, 2>;
  using chain = Sequential<layer<I>...>;
  using list = ModuleList<layer<I>...>;
};
using Long = long_list<std::make_index_sequence<300>>;
static_assert(parameter_count<Long::chain> == 300 * 6 && state_dict_keys<Long::list>[599] == "299.bias");
static_assert(macs<Long::chain, Shape<1, 2>> == 300 * 4);
