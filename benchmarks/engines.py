"""The engines: each takes a net and an input, and gives a function that runs the one on the other.

All of them compute in fp32 on the given number of threads, read the same elements, and may keep memory for their
results from call to call.
"""

import copy
import ctypes
import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import onnxruntime
import openvino
import torch
from torch import nn
from torch._inductor import config as inductor_config

from cases import Case
from timing import Engine


class Task(NamedTuple):
    """What an engine is to run. Weights and ONNX files are in the folder."""

    case: Case
    threads: int
    folder: pathlib.Path
    net: nn.Module
    x: torch.Tensor
    reference: np.ndarray  # net(x)


def pytorch_engine(name: str, net: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> Engine:
    return Engine(name, functools.partial(net, x), lambda y: y.numpy())


def pytorch(task: Task) -> Engine:
    return pytorch_engine("pytorch", task.net, task.x)


def pytorch_channels_last(task: Task) -> Engine | None:
    if task.x.dim() != 4:
        return None
    layout = torch.channels_last
    net = copy.deepcopy(task.net).to(memory_format=layout)
    return pytorch_engine("pytorch channels_last", net, task.x.to(memory_format=layout))


def pytorch_torchscript(task: Task) -> Engine:
    frozen = torch.jit.freeze(torch.jit.trace(task.net, task.x))
    return pytorch_engine("pytorch torchscript", torch.jit.optimize_for_inference(frozen), task.x)


def pytorch_compile(task: Task) -> Engine:
    """Freezing makes constants of the weights, so that Inductor folds batch norms and packs what oneDNN will read."""
    torch.compiler.reset()  # nothing that was learnt from the cases before
    inductor_config.freezing = True
    return pytorch_engine("pytorch compile", torch.compile(copy.deepcopy(task.net), dynamic=False), task.x)


def onnx_runtime(task: Task) -> Engine:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        task.folder / f"{task.case.name}.onnx", options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_ortvalue_input(
        session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(task.x.numpy())
    )
    output = session.get_outputs()[0]
    y = onnxruntime.OrtValue.ortvalue_from_shape_and_type(output.shape, np.float32)
    binding.bind_ortvalue_output(output.name, y)
    return Engine("onnxruntime", functools.partial(session.run_with_iobinding, binding), lambda _: y.numpy())


def open_vino(task: Task) -> Engine:
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": task.threads,
    }
    compiled = openvino.Core().compile_model(task.folder / f"{task.case.name}.onnx", "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(task.x.numpy(), shared_memory=True))
    return Engine(
        "openvino", functools.partial(request.infer, share_outputs=True), lambda _: request.get_output_tensor().data
    )


def lamina(name: str, folder: pathlib.Path, variant: str, task: Task) -> Engine:
    """The variant (meson.build) of the library that is in a folder of build.sh."""
    library = ctypes.CDLL(str(folder / f"{variant}_{task.case.name}.so"))
    library.lamina_load.restype = ctypes.c_void_p
    compiled = library.lamina_load(str(task.folder / f"{task.case.net}.pth").encode(), task.threads)
    x, y = task.x.numpy(), np.empty_like(task.reference)
    call = functools.partial(
        library.lamina_run, ctypes.c_void_p(compiled), ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data)
    )
    return Engine(name, call, lambda _: y)


PEERS = [pytorch, pytorch_channels_last, pytorch_torchscript, pytorch_compile, onnx_runtime, open_vino]
