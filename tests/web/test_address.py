import socket

import pytest

from fleetpulse.web.address import Address, ListenError, bind, parse_listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9720", Address("127.0.0.1", 9720)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:9720", Address("::1", 9720)),
        ("[fe80::1%eth0]:9720", Address("fe80::1%eth0", 9720)),
        ("monitor.example.com:80", Address("monitor.example.com", 80)),
        (" :9720 ", Address("", 9720)),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    "text", ["", "9720", "::1:9720", "host:", "host:65536", "host:-1", "http://host:80", "[host:1"]
)
def test_what_is_no_address_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be an address and a port, like 127\.0\.0\.1:9720"):
        parse_listen(text)


def test_a_taken_port_is_named() -> None:
    with bind(Address("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]

        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port} is taken by another process"):
            bind(Address("127.0.0.1", port))


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:0 is no address of this machine"):
        bind(Address("192.0.2.1", 0))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["", "::"])
def test_every_address_is_both_ipv4_and_ipv6(host: str) -> None:
    with bind(Address(host, 0)) as listener:
        port = listener.getsockname()[1]

        for loopback in ("127.0.0.1", "::1"):
            socket.create_connection((loopback, port), timeout=5).close()


def test_localhost_is_reached_over_ipv4() -> None:
    with bind(Address("localhost", 0)) as listener:
        assert listener.family is socket.AF_INET


def test_an_address_is_written_as_in_a_url() -> None:
    assert [str(Address("::1", 80)), str(Address("a", 80))] == ["[::1]:80", "a:80"]
