"""The script an SRE writes around a vendor's API, in good faith: requests, dicts and prometheus_client.

It keeps one session, asks for pages of 1,000, looks devices up by id, touches a gauge per reading and removes the
series of deleted devices. Like every such script it compares whole sweeps: a change is known when the last page is in.

    echo | python benchmarks/naive.py --url URL --project KEY --token TOKEN --webhook URL

Each line on standard input is one sweep, told as one line of JSON on standard output; the first line tells the port
of `/metrics`.
"""

import argparse
import json
import sys
import time
from datetime import datetime
from typing import Any

import requests
from prometheus_client import CollectorRegistry, Gauge, generate_latest, start_http_server

PAGE = 1000  # the most this vendor gives at once
MEGABYTE = 1_000_000
TIMEOUT_S = 30

Row = dict[str, Any]


class Monitor:
    """Sweeps one JFrog Connect account; `previous` is the fleet as it was last seen, by device id."""

    def __init__(self, *, url: str, project: str, token: str, webhook: str) -> None:
        self.devices_url = f"{url}/api/v2/{project}/devices"
        self.webhook = webhook
        self.vendor = requests.Session()
        self.vendor.headers["Authorization"] = f"Bearer {token}"
        self.receiver = requests.Session()
        self.previous: dict[str, Row] = {}
        self.registry = CollectorRegistry()
        self.info = self._gauge("info", "name", "group", "version", "tags")
        self.readings = {
            "up": self._gauge("up"),
            "last_seen": self._gauge("last_seen_timestamp_seconds"),
            "cpu": self._gauge("cpu_usage_ratio"),
            "memory": self._gauge("memory_usage_ratio"),
            "disk_used": self._gauge("disk_used_bytes"),
            "disk_size": self._gauge("disk_size_bytes"),
            "updates_blocked": self._gauge("updates_blocked"),
        }

    def sweep(self) -> int:
        """Read all devices, update the gauges, tell what went offline; gives the number of devices."""
        current = {row["device_uuid"]: row for row in self.fetch()}
        for device, row in current.items():
            self.update(device, row, self.previous.get(device))
        for device in self.previous.keys() - current.keys():
            self.remove(device, self.previous[device])
        went_offline = [
            row
            for device, row in current.items()
            if row["device_status"] == "offline"
            and device in self.previous
            and self.previous[device]["device_status"] == "online"
        ]
        self.previous = current
        for row in went_offline:
            self.notify(row)
        return len(current)

    def fetch(self) -> list[Row]:
        """All rows of the device list, page by page."""
        rows: list[Row] = []
        after = None
        while True:
            parameters: dict[str, Any] = {"limit": PAGE, "enrich_info": "true"}
            if after:
                parameters["after"] = after
            answer = self.vendor.get(self.devices_url, params=parameters, timeout=TIMEOUT_S)
            answer.raise_for_status()
            page = answer.json()
            rows += page["devices"]
            after = page["pagination_info"]["after"]
            # a token comes with the last page too, so it alone says nothing
            if not page["devices"] or not after or len(rows) >= page["pagination_info"]["total"]:
                return rows

    def update(self, device: str, row: Row, before: Row | None) -> None:
        """Set one device's series."""
        labels = info_labels(device, row)
        if before is not None and (stale := info_labels(device, before)) != labels:
            self.info.remove(*stale)
        self.info.labels(*labels).set(1)
        for name, value in readings(row).items():
            if value is not None:
                self.readings[name].labels(device).set(value)

    def remove(self, device: str, row: Row) -> None:
        """Drop the series of a device that is no longer listed."""
        self.info.remove(*info_labels(device, row))
        for name, value in readings(row).items():
            if value is not None:
                self.readings[name].remove(device)

    def notify(self, row: Row) -> None:
        """Tell the webhook that a device went offline."""
        body = {
            "text": f"{row['device_name']} ({row['device_uuid']}) of {row['group_name']} is offline",
            "device": row["device_uuid"],
            "last_seen": row["last_keepalive"],
        }
        self.receiver.post(self.webhook, json=body, timeout=TIMEOUT_S).raise_for_status()

    def scrape(self) -> bytes:
        """The page of `/metrics`."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, *more: str) -> Gauge:
        return Gauge(f"fleet_device_{name}", name, ["device", *more], registry=self.registry)


def info_labels(device: str, row: Row) -> tuple[str, ...]:
    """The label values of a device's info series."""
    tags = row["tags"]["names"] if row["tags"] else []
    return device, row["device_name"], row["group_name"], row["agent_version"], f",{','.join(tags)},"


def readings(row: Row) -> dict[str, float | None]:
    """A row's values in base units; None where the vendor says nothing."""
    cpu, memory = row["cpu_usage"], row["ram_usage"]
    return {
        "up": float(row["device_status"] == "online"),
        "last_seen": datetime.fromisoformat(row["last_keepalive"]).timestamp(),
        "cpu": cpu / 100 if cpu is not None else None,
        "memory": memory / 100 if memory is not None else None,
        "disk_used": row["current_disk_usage"] * MEGABYTE,
        "disk_size": row["disk_size"] * MEGABYTE,
        "updates_blocked": float(row["is_update_trigger_set"]),
    }


def main() -> None:
    """Serve `/metrics` and sweep once per line of standard input."""
    parser = argparse.ArgumentParser()
    for option in ("url", "project", "token", "webhook"):
        parser.add_argument(f"--{option}", required=True)
    monitor = Monitor(**vars(parser.parse_args()))
    server, _ = start_http_server(0, addr="127.0.0.1", registry=monitor.registry)
    print(json.dumps({"port": server.server_port}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        devices = monitor.sweep()
        print(json.dumps({"devices": devices, "seconds": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
