/// Maps between tensors and Eigen, without copies. Not part of the umbrella: include it where Eigen is at hand.
#pragma once
#include "tensor.hpp"
#include <Eigen/Core>

namespace lamina {

namespace detail {
template <class T> using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Rows: all dimensions but the last; columns: the last.
inline std::pair<Eigen::Index, Eigen::Index> matrix_extents(const Dims& dims) {
  if (dims.rank == 0) return {1, 1};
  return {product(dims, 0, dims.rank - 1), dims[dims.rank - 1]};
}
}  // namespace detail

/// The tensor as a row-major Eigen matrix: its last dimension along the columns, all others along the rows.
template <class T, shape S> auto as_matrix(Tensor<T, S>& tensor) {
  const auto [rows, columns] = detail::matrix_extents(tensor.dims());
  return Eigen::Map<detail::RowMajorMatrix<T>>(tensor.data(), rows, columns);
}
template <class T, shape S> auto as_matrix(const Tensor<T, S>& tensor) {
  const auto [rows, columns] = detail::matrix_extents(tensor.dims());
  return Eigen::Map<const detail::RowMajorMatrix<T>>(tensor.data(), rows, columns);
}
/// A map of a tensor that is about to go would dangle.
template <class T, shape S> auto as_matrix(Tensor<T, S>&&) = delete;

/// A read-only view of a row-major Eigen matrix as a tensor [rows, columns].
template <shape S, class T, int Rows, int Columns>
TensorView<const T, S> as_tensor_view(const Eigen::Matrix<T, Rows, Columns, Eigen::RowMajor>& matrix) {
  return {matrix.data(), Dims{matrix.rows(), matrix.cols()}};
}

}  // namespace lamina
