#pragma once

#include <string>

namespace bittern {

/// The page of `bittern watch`: a table of runs that follows /events, and below it the charts of
/// the run that was picked, which it fetches from /run/N when they changed.
std::string live_page_html();

/// Its script, /watch.js.
std::string live_page_script();

}  // namespace bittern
