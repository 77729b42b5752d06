#pragma once

#include <memory>
#include <string>

#include "host/cores/core.h"
#include "host/variant/variant.h"

namespace bittern {

/// Reads a variant by the rules of its core; see read_variant().
Variant load_variant(const std::string& name_or_path);

/// Core for a variant; throws Error (exit status 2) when the core is unknown or the variant does
/// not fit its rules.
std::unique_ptr<Core> make_core(const Variant& variant);

}  // namespace bittern
