// Carries the precompiled header of <torch/torch.h> that all targets of agent/ share.
