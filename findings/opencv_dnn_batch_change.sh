#!/usr/bin/env bash
# OpenCV's dnn computes the sum of two branches of convolution and batch norm rightly for the batch that a network saw first, and something
# else, without a word, once the batch's size changes; with fusions switched off it is right. Residual networks have this shape.
# Seen with opencv-python-headless 4.10.0.84 (5.0.0.93 is right). Input: an ONNX network of two 1x1 convolutions, each with a batch norm, and
# their sum. Output: largest errors for batches of 1, 3 and 1. Exits 0 if it is still so, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==4.10.0.84 onnx==1.17.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder/sum.onnx" <<'EOF2'
import sys
import cv2, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
nodes, constants, branches = [], [], []
for i in range(2):
    weight = rng.normal(size=(4, 3, 1, 1))
    scale, bias, mean, variance = rng.uniform(.5, 2, 4), rng.normal(size=4), rng.normal(size=4), rng.uniform(.5, 2, 4)
    branches.append((weight[:, :, 0, 0], scale / np.sqrt(variance + 1e-5), bias, mean))
    names = [f'{name}{i}' for name in ('weight', 'scale', 'bias', 'mean', 'variance')]
    for name, values in zip(names, (weight, scale, bias, mean, variance)):
        constants.append(numpy_helper.from_array(values.astype(np.float32), name))
    nodes.append(helper.make_node('Conv', ['x', names[0]], [f'conv{i}'], kernel_shape=[1, 1]))
    nodes.append(helper.make_node('BatchNormalization', [f'conv{i}'] + names[1:], [f'norm{i}'], epsilon=1e-5))
nodes.append(helper.make_node('Add', ['norm0', 'norm1'], ['y']))
value = lambda name, channels: helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', channels, 4, 4])
graph = helper.make_graph(nodes, 'sum', [value('x', 3)], [value('y', 4)], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=7)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])


def right(x):
    result = 0
    for weight, factor, bias, mean in branches:
        y = np.einsum('oc,nchw->nohw', weight, x)
        result = result + (y - mean[:, None, None]) * factor[:, None, None] + bias[:, None, None]
    return result


def errors(fusion):
    network, found = cv2.dnn.readNetFromONNX(sys.argv[1]), []
    network.enableFusion(fusion)
    for batch in 1, 3, 1:
        x = rng.normal(size=(batch, 3, 4, 4)).astype(np.float32)
        network.setInput(x)
        found.append(float(np.abs(network.forward() - right(x)).max()))
    return found


joined, plain = errors(True), errors(False)
text = lambda found: ', '.join('wrong' if not error < .1 else 'right' for error in found)
print(f'OpenCV {cv2.__version__}, batches of 1, 3, 1: with fusions {text(joined)}; without {text(plain)}')
sys.exit(not (joined[0] < 1e-4 and not joined[1] < .1 and max(plain) < 1e-4))
EOF2
