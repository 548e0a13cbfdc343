"""The picture of results.json: how long every engine takes, in units of lamina's time."""

import pathlib

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

COLOURS = {
    "lamina": "#c1272d",
    "lamina clang": "#e8888c",
    "pytorch": "#b4c7dc",
    "pytorch channels_last": "#8fabc9",
    "pytorch torchscript": "#6a8fb5",
    "pytorch compile": "#456f9b",
    "onnxruntime": "#7a9a6d",
    "openvino": "#4d4d4d",
}


def plot(rows: dict, path: pathlib.Path) -> None:
    """One panel a number of threads; rows are {(net, batch, threads): {engine: result}}."""
    threads = list(dict.fromkeys(key[2] for key in rows))
    figure, panels = plt.subplots(len(threads), 1, figsize=(10, 3 * len(threads)), squeeze=False, layout="constrained")
    for number, panel in zip(threads, panels[:, 0]):
        draw(panel, {key: row for key, row in rows.items() if key[2] == number})
        panel.set_title(f"{number} thread" + ("s" if number > 1 else ""), loc="left", fontsize=10)
    handles = {label: bar for panel in panels[:, 0] for bar, label in zip(*panel.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, metadata={"Date": None})


def draw(panel, rows: dict) -> None:
    engines = [engine for engine in COLOURS if any(engine in row for row in rows.values())]
    width = 0.8 / len(engines)
    for i, engine in enumerate(engines):
        at = [place for place, row in enumerate(rows.values()) if engine in row]
        heights = [row[engine]["median_ms"] / unit(row) for row in rows.values() if engine in row]
        middles = [place + (i - (len(engines) - 1) / 2) * width for place in at]
        bars = panel.bar(middles, heights, width * 0.92, color=COLOURS[engine], label=engine)
        panel.bar_label(bars, fmt="%.1f", fontsize=6, padding=1)
    panel.axhline(1, color=COLOURS["lamina"], linewidth=0.8, zorder=0)
    panel.set_xticks(range(len(rows)), [f"{net}, N={batch}" for net, batch, _ in rows])
    panel.set_ylabel("time / lamina's time")
    panel.spines[["top", "right"]].set_visible(False)


def unit(row: dict) -> float:
    """The median of our first engine."""
    return next(result["median_ms"] for engine, result in row.items() if engine.startswith("lamina"))
