// Bars of a few months. The table below the chart says the same in words.
(function () {
  "use strict";
  var place = document.getElementById("chart");
  if (!place || !window.uPlot) return;
  var data = JSON.parse(place.dataset.chart);
  var digits = Number(place.dataset.digits);
  var style = getComputedStyle(document.documentElement);
  var ink = style.getPropertyValue("--ink").trim();
  var line = style.getPropertyValue("--line").trim();
  var bars = uPlot.paths.bars({ size: [0.6, 60] });
  function scaled(values) { return values.map(function (value) { return value / digits; }); }
  function month(self, splits) {
    return splits.map(function (at) { return Number.isInteger(at) ? data.months[at] || "" : ""; });
  }
  new uPlot({
    width: place.clientWidth, height: 240, legend: { show: true },
    scales: { x: { time: false, range: [-0.5, data.months.length - 0.5] } },
    axes: [
      { values: month, stroke: ink, grid: { show: false }, splits: data.months.map(function (_, at) { return at; }) },
      { stroke: ink, size: 80, grid: { stroke: line }, values: function (self, splits) { return splits.map(function (at) { return at.toLocaleString("en"); }); } }
    ],
    series: [
      { label: "Month", value: function (self, at) { return at === null ? "" : data.months[at]; } },
      { label: "Charged", paths: bars, fill: style.getPropertyValue("--bar").trim(), points: { show: false } },
      { label: "Left to the school", paths: bars, fill: style.getPropertyValue("--bar-2").trim(), points: { show: false } }
    ]
  }, [data.months.map(function (_, at) { return at; }), scaled(data.charged), scaled(data.margin)], place);
})();
