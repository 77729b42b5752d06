#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace bittern {

/// Writes a JSON value with a digest of its text, atomically: {"sha256": ..., "state": value}.
void write_state(const std::filesystem::path& path, const nlohmann::json& value);

/// The value of such a file. One without a digest, as earlier versions wrote them, is returned
/// whole. Throws Error "path: damaged ...; `mend`" when the text is no JSON or does not fit its
/// digest.
nlohmann::json read_state(const std::filesystem::path& path, const std::string& mend);

}  // namespace bittern
