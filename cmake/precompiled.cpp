// Carries precompiled headers (cmake/BitternTargets.cmake).
