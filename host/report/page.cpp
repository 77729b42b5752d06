#include "host/report/page.h"

#include <fmt/format.h>

#include <array>

#include "host/report/chart.h"

namespace bittern::page {
namespace {

constexpr const char* kStyle = R"css(
:root{--ink:#1e293b;--muted:#64748b;--line:#e2e8f0;--page:#f8fafc;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--muted:#94a3b8;--line:#334155;--page:#0f172a;--card:#1e293b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0}
main{max-width:1320px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:28px 0 8px}p.sub{color:var(--muted);margin:4px 0 16px}
.tiles{display:flex;flex-wrap:wrap;gap:12px}.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 16px;min-width:150px}
.tile b{display:block;font-size:21px}.tile span{color:var(--muted);font-size:13px}
.ok{color:#16a34a}.bad{color:#ef4444}
.warning{border:1px solid #ef4444;border-left-width:6px;border-radius:8px;background:var(--card);padding:8px 12px;margin:8px 0}
p.note{color:var(--muted);font-size:13px;line-height:1.4;margin:4px 8px 6px}ul{margin:4px 0;padding-left:20px}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px;margin:8px 0;overflow-x:auto;font-size:13px;line-height:1.4}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(480px,100%),1fr));gap:12px;margin-bottom:12px}
.charts.small{grid-template-columns:repeat(auto-fill,minmax(min(380px,100%),1fr))}
.charts.wide{grid-template-columns:1fr}
.charts>div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px}
svg.chart{width:100%;height:auto;display:block}
svg text{fill:var(--ink);font-family:system-ui,sans-serif}svg .title{font-size:14px;font-weight:600}
svg .tick{font-size:11px;fill:var(--muted)}svg .axis{font-size:12px;fill:var(--muted)}
svg .grid{stroke:var(--line)}svg .guide{stroke:#dc2626;stroke-dasharray:5 4}
table{border-collapse:collapse;background:var(--card);border:1px solid var(--line);font-size:14px}
th,td{padding:5px 12px;border-bottom:1px solid var(--line);text-align:right}th:first-child,td:first-child,.text{text-align:left}
th{color:var(--muted);font-weight:600}td{white-space:nowrap}table.facts td+td{white-space:normal}
.scroll{overflow-x:auto;margin-bottom:12px}
table.facts td{text-align:left}
a{color:inherit}
details{margin:12px 0}summary{cursor:pointer;color:var(--muted);margin-bottom:8px}
)css";

}  // namespace

std::string color(std::size_t n) {
  // Told apart on light and dark pages.
  constexpr std::array<const char*, 12> kColors = {"#3b82f6", "#ea580c", "#0d9488", "#a855f7",
                                                   "#ca8a04", "#db2777", "#65a30d", "#64748b",
                                                   "#06b6d4", "#b91c1c", "#f9a8d4", "#9a5b2f"};
  return kColors[n % kColors.size()];
}

std::string document(const std::string& title, const std::string& subtitle,
                     const std::string& body_html) {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0} - "
      "Bittern</title><style>{1}</style></head><body><main><h1>{0}</h1>"
      "<p class=\"sub\">{2}</p>{3}</main></body></html>\n",
      escape_html(title), kStyle, escape_html(subtitle), body_html);
}

std::string tile(const std::string& value, const std::string& label, const char* css) {
  return fmt::format("<div class=\"tile\"><b class=\"{}\">{}</b><span>{}</span></div>", css,
                     escape_html(value), escape_html(label));
}

std::string tiles(const std::vector<std::string>& tiles_html) {
  std::string out = "<div class=\"tiles\">";
  for (const std::string& html : tiles_html) out += html;
  return out + "</div>";
}

std::string charts(const std::vector<std::string>& svgs, bool wide) {
  std::string out = wide ? "<div class=\"charts wide\">" : "<div class=\"charts\">";
  for (const std::string& svg : svgs) {
    if (!svg.empty()) out += "<div>" + svg + "</div>";
  }
  return out + "</div>";
}

std::string figures(const std::vector<Figure>& figures, bool small) {
  std::string out = small ? "<div class=\"charts small\">" : "<div class=\"charts\">";
  for (const Figure& figure : figures) {
    if (figure.svg.empty()) continue;
    out += "<div>" + figure.svg;
    if (!figure.note.empty()) out += "<p class=\"note\">" + escape_html(figure.note) + "</p>";
    out += "</div>";
  }
  return out + "</div>";
}

std::string note(const std::string& text) {
  return "<p class=\"sub\">" + escape_html(text) + "</p>";
}

std::string list(const std::vector<std::string>& sentences) {
  std::string out = "<ul>";
  for (const std::string& sentence : sentences) out += "<li>" + escape_html(sentence) + "</li>";
  return out + "</ul>";
}

std::string warnings(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    out += "<p class=\"warning\"><b>Warning:</b> " + escape_html(text) + "</p>";
  }
  return out;
}

std::string verbatim(const std::string& text) { return "<pre>" + escape_html(text) + "</pre>"; }

std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<Cell>>& rows, std::size_t text_columns) {
  // The first column is text in any case.
  const auto is_text = [text_columns](std::size_t i) { return i > 0 && i < text_columns; };
  std::string out = "<div class=\"scroll\"><table><tr>";
  for (std::size_t i = 0; i < heading.size(); ++i) {
    out += (is_text(i) ? "<th class=\"text\">" : "<th>") + escape_html(heading[i]) + "</th>";
  }
  out += "</tr>";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = row[i];
      out += is_text(i) ? "<td class=\"text\"" : "<td";
      out += cell.style.empty() ? ">" : " style=\"" + escape_html(cell.style) + "\">";
      const std::string text = escape_html(cell.text);
      out +=
          cell.link.empty() ? text : "<a href=\"" + escape_html(cell.link) + "\">" + text + "</a>";
      out += "</td>";
    }
    out += "</tr>";
  }
  return out + "</table></div>";
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::string out = "<div class=\"scroll\"><table class=\"facts\">";
  for (const auto& [name, text] : lines) {
    out += "<tr><td>" + escape_html(name) + "</td><td>" + escape_html(text) + "</td></tr>";
  }
  return out + "</table></div>";
}

}  // namespace bittern::page
