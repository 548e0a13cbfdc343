/// What the emulated cuDNN computes beyond the library's graphs: products of matrices, and sums.
#include "graphs.hpp"
#include <memory>

using namespace emulation_test;

namespace {

Descriptor packed(std::int64_t uid, const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& strides) {
  Descriptor made(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims.data(), std::int64_t(dims.size()));
  made.set(CUDNN_ATTR_TENSOR_STRIDES, strides.data(), std::int64_t(strides.size()));
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid);
  made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t(16));
  made.finalize();
  return made;
}

/// What a graph of one operation makes of tensors 1, 2, ...; its result is the last, of `size` elements.
Floats run(Descriptor operation, const std::vector<Floats>& operands, std::size_t size) {
  operation.finalize();
  std::vector<Descriptor> operations;
  operations.push_back(std::move(operation));
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "a graph");
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  graph.finalize();
  const DeviceProperties device(0);
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "the heuristics");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device.descriptor());
  heuristics.finalize();
  const auto choices =
      heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "a choice");
  REQUIRE(!choices.empty());
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "a plan");
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, choices[0]);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor());
  plan.finalize();

  const Stream stream;
  const Handle handle(stream);
  std::vector<std::unique_ptr<Array<>>> arrays;
  for (const Floats& values : operands) arrays.push_back(std::make_unique<Array<>>(stream, values));
  arrays.push_back(std::make_unique<Array<>>(stream, size));
  std::vector<std::int64_t> uids;
  std::vector<void*> pointers;
  for (const auto& array : arrays) {
    uids.push_back(std::int64_t(uids.size()) + 1);
    pointers.push_back(array->data);
  }
  const auto workspace_bytes = plan.values<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 1)[0];
  const Array<char> workspace(stream, std::size_t(workspace_bytes) + 1);
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "arguments");
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids.data(), std::int64_t(uids.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers.data(), std::int64_t(pointers.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, static_cast<void*>(workspace.data));
  pack.finalize();
  REQUIRE(cudnnBackendExecute(handle, plan.get(), pack.get()) == CUDNN_STATUS_SUCCESS);
  return arrays.back()->values();
}

}  // namespace

TEST_CASE("products of matrices, one of them transposed in memory, the other common to the batch") {
  const Descriptor a = packed(1, {2, 2, 3}, {6, 1, 2}), b = packed(2, {1, 3, 2}, {6, 2, 1}),
                   c = packed(3, {2, 2, 2}, {4, 2, 1});
  Descriptor matmul(CUDNN_BACKEND_MATMUL_DESCRIPTOR, "a product");
  matmul.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT);
  matmul.finalize();
  Descriptor operation(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, "an operation");
  operation.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, matmul);
  operation.set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
  operation.set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
  operation.set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
  // [1 2 3; 4 5 6] and its double, by [1 10; 2 20; 3 30]
  const Floats expected{14, 140, 32, 320, 28, 280, 64, 640};
  CHECK(run(std::move(operation), {{1, 4, 2, 5, 3, 6, 2, 8, 4, 10, 6, 12}, {1, 10, 2, 20, 3, 30}}, 8) == expected);
}

TEST_CASE("sums over everything but the channels") {
  const Descriptor x = packed(1, {2, 3, 1, 2}, {6, 1, 6, 3}), y = packed(2, {1, 3, 1, 1}, {3, 1, 3, 3});
  Descriptor sum(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, "a sum");
  const int add = CUDNN_REDUCE_TENSOR_ADD;
  REQUIRE(cudnnBackendSetAttribute(sum.get(), CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1,
                                   &add) == CUDNN_STATUS_SUCCESS);
  sum.set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  sum.finalize();
  Descriptor operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, "an operation");
  operation.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, sum);
  operation.set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
  operation.set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
  CHECK(run(std::move(operation), {{1, 10, 100, 2, 20, 200, 3, 30, 300, 4, 40, 400}}, 3) == Floats{10, 100, 1000});
}
