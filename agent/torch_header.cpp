// Carries the precompiled header agent/torch.h that all targets of agent/ share.
#include "agent/torch.h"
