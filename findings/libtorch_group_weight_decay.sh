#!/usr/bin/env bash
# LibTorch (PyTorch 2.15.0, C++): a parameter group with weight_decay(0) decays with the optimizer's own weight decay.
#
# The usual way to leave batch norms and biases without decay: one torch::optim::SGD with a decay of 0.5, and a group whose options
# say 0. The gradient is 0, so what a step does to a weight of 1 at a rate of 0.1 is its decay: 0.95, as if the group had said 0.5. A group
# that says 0.25 gets that (0.975). LibTorch 1.13.1 leaves the first weight at 1. A group's value that equals the option's default counts as
# not given; giving the groups their decay and the optimizer none works in both.
# Fails if that changes. Installs torch==2.15.0 into a temporary folder (4 GB); needs g++.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${TORCH_PYTHON:-} # of an environment that has torch 2.15.0 already
if [ -z "$python" ]; then
  python3 -m venv venv
  venv/bin/pip install --quiet torch==2.15.0
  python=venv/bin/python
fi
[[ $("$python" -c 'import torch; print(torch.__version__)') == 2.15.0* ]] || { echo "not torch 2.15.0"; exit 1; }
torch=$("$python" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
cat >decay.cc <<'END'
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include <iostream>
#include <memory>
#include <vector>

using torch::optim::SGDOptions;

float after_a_step(double of_group, double of_optimizer) {
  const torch::Tensor w = torch::ones({1}).requires_grad_();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<torch::Tensor>{w},
                      std::make_unique<SGDOptions>(SGDOptions(0.1).weight_decay(of_group)));
  torch::optim::SGD optimizer(groups, SGDOptions(0.1).weight_decay(of_optimizer));
  w.mutable_grad() = torch::zeros({1});
  optimizer.step();
  return w.item<float>();
}

int main() {
  std::cout << after_a_step(0, 0.5) << ' ' << after_a_step(0.25, 0.5) << ' ' << after_a_step(0.25, 0) << '\n';
}
END
g++ -std=c++20 -w -I"$torch/include" -I"$torch/include/torch/csrc/api/include" decay.cc -o decay -L"$torch/lib" -ltorch -ltorch_cpu -lc10 \
  -Wl,-rpath,"$torch/lib" -Wl,--disable-new-dtags
seen=$(./decay)
echo "weights of 1 after a step, the group's decay 0, 0.25, 0.25, the optimizer's 0.5, 0.5, 0: $seen"
[ "$seen" = "0.95 0.975 0.975" ] || exit 1
echo "as seen: in LibTorch 2.15.0 a group's weight_decay(0) is the optimizer's"
