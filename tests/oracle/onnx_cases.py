"""The specification's own cases of operators, as files in which everything is a constant.

Cases with float16 are left out: nothing is rounded to it here.
python3 onnx_cases.py FOLDER OPERATOR…: for each case of the onnx package whose operators are all among the named
ones, FOLDER/<case>.onnx: its inputs as constants, and its expected outputs as constants "expected.<i>".
"""
import os
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

warnings.simplefilter("ignore")
for name, kind in {"float": float, "int": int, "bool": bool, "object": object}.items():
    if name not in np.__dict__:  # onnx 1.12 is older than NumPy 1.24, which took these names away
        setattr(np, name, kind)
folder, known = sys.argv[1], set(sys.argv[2:])


def usable(array):
    return isinstance(array, np.ndarray) and array.dtype in (
        np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8, np.bool_)


def cases():
    from onnx.backend.test.case.node import collect_testcases
    try:
        return collect_testcases(None)
    except TypeError:
        return collect_testcases()


written = 0
for case in cases():
    model = case.model
    if not all(node.op_type in known and not node.domain for node in model.graph.node):
        continue
    inputs, outputs = case.data_sets[0]
    if not all(map(usable, list(inputs) + list(outputs))):
        continue
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    for value, array in zip(list(graph.input), inputs):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), value.name))
    del graph.input[:]
    for i, array in enumerate(outputs):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), "expected.%d" % i))
    with open(os.path.join(folder, case.name + ".onnx"), "wb") as out:
        out.write(model.SerializeToString())
    written += 1
print(written)
