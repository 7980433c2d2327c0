from datetime import timedelta

import pytest

from fleetpulse.fleet.device import NO_READINGS, Device, DeviceStatus, KnownDevice, Readings
from fleetpulse.metrics.devices import ASPECTS, DeviceFamily, count_samples, device_piece, families
from metrics.fleets import T0

SEEN = T0 - timedelta(minutes=6)
TOLD = Readings(SEEN, 0.25, 0.5, 1024.0, 4096.0, updates_blocked=True, transferred_bytes=5e9, messages=7.0)
GATE = Device("d-1", "gate 17", "Lyon", ("door", "beta"), 'Pi "4"', "1.2.3", "10.0.0.7")
BY_NAME = {family.name: family for family in families(ASPECTS)}

GOLDEN = {
    "fleet_device_up": 'fleet_device_up{source="edge",device="d-1"} 1\n',
    "fleet_device_info": (
        'fleet_device_info{source="edge",vendor="jfrog-connect",device="d-1",name="gate 17",group="Lyon",'
        'model="Pi \\"4\\"",version="1.2.3",tags=",door,beta,"} 1\n'
    ),
    "fleet_device_last_seen_timestamp_seconds": (
        'fleet_device_last_seen_timestamp_seconds{source="edge",device="d-1"} 1772438040.0\n'
    ),
    "fleet_device_cpu_usage_ratio": 'fleet_device_cpu_usage_ratio{source="edge",device="d-1"} 0.25\n',
    "fleet_device_memory_usage_ratio": 'fleet_device_memory_usage_ratio{source="edge",device="d-1"} 0.5\n',
    "fleet_device_disk_used_bytes": 'fleet_device_disk_used_bytes{source="edge",device="d-1"} 1024.0\n',
    "fleet_device_disk_size_bytes": 'fleet_device_disk_size_bytes{source="edge",device="d-1"} 4096.0\n',
    "fleet_device_updates_blocked": 'fleet_device_updates_blocked{source="edge",device="d-1"} 1\n',
    "fleet_device_transferred_bytes": 'fleet_device_transferred_bytes{source="edge",device="d-1"} 5000000000.0\n',
    "fleet_device_messages": 'fleet_device_messages{source="edge",device="d-1"} 7.0\n',
}


def known(status: DeviceStatus, *, last_seen: bool = True) -> KnownDevice:
    return KnownDevice(GATE, status, T0, SEEN if last_seen else None)


def text(family: DeviceFamily, device: KnownDevice, readings: Readings = NO_READINGS) -> str:
    told = {} if readings is NO_READINGS else {GATE.id: readings}
    piece = device_piece(family, {GATE.id: device}, told, source="edge", vendor="jfrog-connect")

    assert piece.samples == len(piece.text.splitlines()) == count_samples(family, {GATE.id: device}, told)
    return piece.text.decode()


def test_every_family_has_its_golden_text() -> None:
    assert GOLDEN.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_device_reads_as_written_down_here(name: str) -> None:
    assert text(BY_NAME[name], known(DeviceStatus.ONLINE), TOLD) == GOLDEN[name]


@pytest.mark.parametrize(("status", "value"), [(DeviceStatus.ONLINE, "1"), (DeviceStatus.OFFLINE, "0")])
def test_up_tells_online_from_offline(status: DeviceStatus, value: str) -> None:
    assert text(BY_NAME["fleet_device_up"], known(status)).split() == [
        'fleet_device_up{source="edge",device="d-1"}',
        value,
    ]


@pytest.mark.parametrize("status", [DeviceStatus.UNKNOWN, DeviceStatus.MISSING])
def test_up_is_withheld_while_nobody_knows(status: DeviceStatus) -> None:
    assert text(BY_NAME["fleet_device_up"], known(status)) == ""


@pytest.mark.parametrize("name", sorted(set(GOLDEN) - {"fleet_device_up", "fleet_device_info"}))
def test_what_was_not_told_has_no_sample(name: str) -> None:
    assert text(BY_NAME[name], known(DeviceStatus.ONLINE, last_seen=False)) == ""


@pytest.mark.parametrize(
    "name", [name for name, family in BY_NAME.items() if family.aspect not in {"up", "info", "last_seen"}]
)
def test_a_missing_device_keeps_no_measurement(name: str) -> None:
    assert text(BY_NAME[name], known(DeviceStatus.MISSING), TOLD) == ""


@pytest.mark.parametrize(
    ("status", "told"), [(DeviceStatus.ONLINE, False), (DeviceStatus.OFFLINE, True), (DeviceStatus.MISSING, True)]
)
def test_a_remembered_last_seen_stands_in_unless_the_device_is_online(status: DeviceStatus, *, told: bool) -> None:
    assert bool(text(BY_NAME["fleet_device_last_seen_timestamp_seconds"], known(status))) is told


def test_no_tags_are_the_empty_text() -> None:
    bare = KnownDevice(Device("d-2"), DeviceStatus.ONLINE, T0)

    piece = device_piece(BY_NAME["fleet_device_info"], {"d-2": bare}, {}, source="edge", vendor="hologram")

    assert b'tags=""' in piece.text


def test_an_odd_id_is_escaped_in_every_family() -> None:
    odd = KnownDevice(Device('a"b\n'), DeviceStatus.ONLINE, T0)
    for family in BY_NAME.values():
        piece = device_piece(family, {'a"b\n': odd}, {'a"b\n': TOLD}, source='s"', vendor="v")

        assert b'source="s\\"' in piece.text
        assert b'device="a\\"b\\n"' in piece.text


def test_an_aspect_without_family_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'temperature'.*choose from up, info"):
        families(["up", "temperature"])
