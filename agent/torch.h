#pragma once

// The parts of LibTorch that Bittern uses, precompiled once for all of agent/ (see
// agent/CMakeLists.txt). A source file that needs LibTorch includes this header itself: that line
// is how CMake knows to give it the precompiled header. All of <torch/torch.h> would take twice the
// time and space.
#include <torch/autograd.h>
#include <torch/cuda.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>
