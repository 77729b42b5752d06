#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "apps/bittern/train_options.h"

namespace bittern {

/// Fills in what a recipe (a name in configs/recipes, or a .yaml file) says and the command line
/// does not. Throws Error with file and line for what a recipe cannot say.
void apply_recipe(const std::string& name_or_path, const CLI::App& command, TrainArguments& into);

}  // namespace bittern
