#include "host/watch/live_page.h"

#include "host/report/page.h"

namespace bittern {
namespace {

// Text of runs only ever becomes textContent; the charts come escaped from the server.
constexpr const char* kScript = R"js('use strict';
(() => {
  const $ = id => document.getElementById(id);
  let picked = null, shown = '', overview = '', busy = false, latest = null;
  const text = (value, digits) => value === null ? '-' : Number(value).toFixed(digits);

  function drawTable(runs) {
    const body = $('runs');
    while (body.rows.length > runs.length) body.deleteRow(-1);
    runs.forEach((run, n) => {
      let row = body.rows[n];
      if (!row) {
        row = body.insertRow();
        for (let i = 0; i < 6; ++i) row.insertCell();
        const button = document.createElement('button');
        button.type = 'button';
        button.addEventListener('click', () => { picked = n; shown = ''; update(); });
        row.cells[0].append(button);
      }
      row.cells[0].firstChild.textContent = run.name;
      row.className = n === picked ? 'picked' : '';
      const values = [run.episodes, text(run.accuracy, 2), text(run.best_accuracy, 2), text(run.best_reward, 4),
                      run.note ? run.note : run.state];
      values.forEach((value, i) => { row.cells[i + 1].textContent = value; });
    });
  }

  // One fetch at a time: a slow server is never asked for more than it can draw.
  async function update() {
    if (latest === null || busy) return;
    const {runs, note} = latest;
    $('note').textContent = runs.length ? note : 'No search has begun yet.';
    if (picked === null || picked >= runs.length) {
      const going = runs.findIndex(run => run.state !== 'finished');
      picked = runs.length ? Math.max(going, 0) : null;
    }
    drawTable(runs);
    busy = true;
    try {
      const all = runs.map(run => run.version).join();
      if (runs.length > 1 && all !== overview) {
        $('overview').innerHTML = await (await fetch('/overview')).text();
        overview = all;
      }
      const wanted = picked === null ? '' : picked + ':' + runs[picked].version;
      if (wanted && wanted !== shown) {
        const answer = await fetch('/run/' + picked);
        if (answer.ok) {
          $('charts').innerHTML = await answer.text();
          shown = wanted;
        }
      }
    } catch (problem) {
      // The stream says below when the connection is gone.
    }
    busy = false;
    if (latest.runs !== runs) update();
  }

  const stream = new EventSource('/events');
  stream.addEventListener('runs', event => { latest = JSON.parse(event.data); $('state').textContent = 'live'; update(); });
  stream.addEventListener('error', () => { $('state').textContent = 'bittern watch does not answer; the page goes on when it does'; });
})();
)js";

}  // namespace

std::string live_page_html() {
  const std::string body =
      "<p class=\"sub\" id=\"state\">connecting</p><div class=\"scroll\"><table class=\"runs\">"
      "<thead><tr><th>run</th><th>evaluations</th><th>accuracy (%)</th><th>best (%)</th>"
      "<th>best reward</th><th>state</th></tr></thead><tbody id=\"runs\"></tbody></table></div>"
      "<p class=\"sub\" id=\"note\"></p><div id=\"overview\"></div><div id=\"charts\"></div>"
      "<style>#overview{max-width:720px}table.runs "
      "button{font:inherit;color:inherit;background:none;border:0;padding:0;"
      "text-decoration:underline;cursor:pointer}tr.picked td{font-weight:600}</style>"
      "<script src=\"/watch.js\"></script>";
  return page::document(
      "bittern watch",
      "Searches as they go on. Accuracies are those that the searches see; click a run for its "
      "charts.",
      body);
}

std::string live_page_script() { return kScript; }

}  // namespace bittern
