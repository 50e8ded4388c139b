"""Which addresses may be called, and what is said of a host when a configuration is read."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhooks.delivery.targets import Policy, check_target
from streamhooks.errors import RequestError

PUBLIC = ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "2001:4860:4860::8888", "2620:fe::fe", "::ffff:8.8.8.8"]

SOFT = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
    *("192.0.0.1", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "::1", "fc00::1", "fd12::1", "fec0::1", "2001:2::1", "2001:db8::1"),
    *("2620:4f:8000::1", "3fff::1", "100::1", "5f00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
]

HARD = [
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
    *("0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("fd00:ec2::254", "fd20:ce::254", "fe80::1", "ff02::1", "::", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001:0:1::1", "::ffff:0:7f00:1", "::ffff:169.254.169.254"),
]

UNREADABLE = ["", "localhost", "fe80::1%eth0", "::1%lo", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "1.2.3.4.5"]

EVERYTHING = ("0.0.0.0/0", "::/0")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert Policy().verdict(address) == ""


@pytest.mark.parametrize("address", [*SOFT, *HARD, *UNREADABLE])
def test_any_other_address_is_denied_with_a_reason(address: str) -> None:
    assert Policy().verdict(address) != ""


@pytest.mark.parametrize("address", SOFT)
def test_a_soft_range_is_opened_by_any_network_that_covers_it(address: str) -> None:
    assert Policy(EVERYTHING).verdict(address) == ""


@pytest.mark.parametrize("address", HARD)
def test_a_hard_address_is_opened_by_its_own_name_only(address: str) -> None:
    own = address.removeprefix("::ffff:") if "." in address else address
    assert Policy(EVERYTHING).verdict(address) != ""
    assert Policy((f"{own}/32" if "." in own else f"{own}/128",)).verdict(address) == ""


@pytest.mark.parametrize("address", UNREADABLE)
def test_what_cannot_be_read_is_opened_by_nothing(address: str) -> None:
    assert Policy(EVERYTHING).verdict(address) == f"{address!r} is no address that can be checked"


def test_a_network_opens_nothing_beside_itself() -> None:
    policy = Policy(("10.1.0.0/16",))
    assert policy.verdict("10.1.2.3") == ""
    assert policy.verdict("10.2.0.1") == "10.2.0.1 is not allowed: private (10.0.0.0/8)"


METADATA = [address for address in HARD if address.startswith(("169.254.", "168.", "100.", "192.", "fd"))]


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_stays_closed_under_every_network_around_it(address: str) -> None:
    whole = ip_network(address).max_prefixlen
    around = tuple(str(ip_network(f"{address}/{length}", strict=False)) for length in range(whole))
    assert Policy(around).verdict(address) != ""
    assert Policy((*around, f"{address}/{whole}")).verdict(address) == ""


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_that_is_opened_opens_no_neighbour(address: str) -> None:
    one = ip_address(address)
    policy = Policy((f"{one}/{one.max_prefixlen}",))
    assert [near for near in (one - 1, one + 1) if not Policy().verdict(str(near))] == [
        near for near in (one - 1, one + 1) if not policy.verdict(str(near))
    ]


SOFT_V4 = [int(IPv4Address(address)) for address in SOFT if "." in address and ":" not in address]
V4 = st.integers(0, 2**32 - 1)
NEAR = st.sampled_from([0, 1, 255, 256, 65536, 2**24]) | st.integers(0, 2**32 - 1)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(base=st.sampled_from(SOFT_V4) | V4, length=st.integers(0, 32), near=NEAR)
def test_a_network_changes_the_verdict_on_soft_addresses_inside_it_and_on_no_other(
    base: int, length: int, near: int
) -> None:
    """Inside is told by the bits alone, and not by the module that the policy uses."""
    address = IPv4Address((base + near) % 2**32)
    policy = Policy((f"{IPv4Address(base >> (32 - length) << (32 - length))}/{length}",))
    inside = int(address) >> (32 - length) == base >> (32 - length)
    hard = Policy(EVERYTHING).verdict(str(address)) != ""
    opened = inside and (length == 32 or not hard)
    assert policy.verdict(str(address)) == ("" if opened else Policy().verdict(str(address)))


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        Policy(("10.0.0.0/33",))
    assert (caught.value.kind, caught.value.message) == (
        "cidr",
        '\'10.0.0.0/33\' is no network; write one such as "10.0.0.0/8" or "fd00::/8"',
    )


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("hooks.example.com", ""),
        ("8.8.8.8", ""),
        ("2001:4860:4860::8888", ""),
        ("face.example", ""),
        (
            "10.0.0.9",
            (
                "is 10.0.0.9, which is not public (private); "
                'if that is meant, give this handler `allow_cidrs: ["10.0.0.9/32"]`'
            ),
        ),
        (
            "::ffff:127.0.0.1",
            (
                "is 127.0.0.1, which is not public (loopback); "
                'if that is meant, give this handler `allow_cidrs: ["127.0.0.1/32"]`'
            ),
        ),
        (
            "LOCALHOST.",
            (
                "is localhost, which is not public (loopback); "
                'if that is meant, give this handler `allow_cidrs: ["127.0.0.0/8", "::1/128"]`'
            ),
        ),
        ("0x7f.1", "is '0x7f.1', a number that resolvers take for an IP address; write the address in full"),
        ("127.1", "is '127.1', a number that resolvers take for an IP address; write the address in full"),
        ("2130706433", "is '2130706433', a number that resolvers take for an IP address; write the address in full"),
        ("0177.0.0.1", "is '0177.0.0.1', a number that resolvers take for an IP address; write the address in full"),
        ("fe80::1%lo", "is 'fe80::1%lo', a number that resolvers take for an IP address; write the address in full"),
    ],
)
def test_a_configured_host_is_told_what_would_open_it(host: str, said: str) -> None:
    assert check_target(host, ()) == said


@pytest.mark.parametrize(
    ("host", "cidrs"),
    [
        ("localhost", ("127.0.0.0/8",)),
        ("localhost", ("::1/128",)),
        ("10.0.0.9", ("10.0.0.0/8",)),
        ("169.254.169.254", ("169.254.169.254/32",)),
    ],
)
def test_a_configured_host_that_was_opened_has_no_fault(host: str, cidrs: tuple[str, ...]) -> None:
    assert check_target(host, cidrs) == ""
