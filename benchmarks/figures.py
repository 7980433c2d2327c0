"""What is measured of each contender, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import quantiles

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One contender's results.

    `sweep_devices_per_s`: devices of a whole sweep by its time, the median of the sweeps after the first.
    `peak_rss_bytes`: the most memory its process held.
    `scrape_s`: a GET of `/metrics` until the last byte, the median.
    `page_to_webhook_s`: per changed device, from the vendor being asked for the page that shows the change until the
    receiver had the whole POST about it.
    """

    sweep_devices_per_s: float
    peak_rss_bytes: int
    scrape_s: float
    page_to_webhook_s: tuple[float, ...]

    def page_to_webhook_percentile_s(self, percent: int) -> float:
        """The time that `percent` of the changes took at most."""
        return quantiles(self.page_to_webhook_s, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class Row:
    """One line of the table: what it is, its value, how it reads, and whether more is better."""

    name: str
    value: float
    text: str
    more_is_better: bool = False


def show(results: Mapping[str, Figures], console: Console) -> None:
    """Print the contenders side by side, each against the first; a ratio above 1 is better than the first."""
    table = Table("", *results, *(f"{name} / {next(iter(results))}" for name in list(results)[1:]))
    for column in table.columns[1:]:
        column.justify = "right"
    for first, *others in zip(*(_rows(figures) for figures in results.values()), strict=True):
        ratios = [_ratio(first, other) for other in others]
        table.add_row(first.name, first.text, *(other.text for other in others), *(f"{r:.1f} x" for r in ratios))
    console.print(table)


def _ratio(first: Row, other: Row) -> float:
    return other.value / first.value if first.more_is_better else first.value / other.value


def _rows(figures: Figures) -> list[Row]:
    speed, scrape_ms = figures.sweep_devices_per_s, 1000 * figures.scrape_s
    p50_ms, p99_ms = (1000 * figures.page_to_webhook_percentile_s(percent) for percent in (50, 99))
    return [
        Row("sweep, devices/s", speed, f"{speed:,.0f}", more_is_better=True),
        Row("peak memory, MiB", figures.peak_rss_bytes, f"{figures.peak_rss_bytes / 2**20:,.0f}"),
        Row("scrape, ms", scrape_ms, f"{scrape_ms:,.1f}"),
        Row("page to webhook p50, ms", p50_ms, f"{p50_ms:,.1f}"),
        Row("page to webhook p99, ms", p99_ms, f"{p99_ms:,.1f}"),
    ]
