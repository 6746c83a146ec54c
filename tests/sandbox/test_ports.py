from __future__ import annotations

import socket

from sandbox import ports


def listener(address: str) -> socket.socket:
    made = socket.socket()
    made.bind((address, 0))
    made.listen()
    return made


def test_a_usual_port_is_used_when_nobody_else_does():
    usual = ports.free()

    assert ports.choose({"port": usual}) == {"port": usual}


def test_a_free_port_stands_in_for_a_usual_one_that_is_taken():
    with listener("127.0.0.1") as other:
        usual = other.getsockname()[1]

        chosen = ports.choose({"port": usual})["port"]

    assert chosen != usual
    assert not ports.taken(chosen)


def test_a_port_is_taken_also_by_who_listens_on_every_address():
    with listener("0.0.0.0") as other:
        assert ports.taken(other.getsockname()[1])


def test_a_usual_port_of_zero_means_any_free_one():
    assert ports.choose({"port": 0})["port"] in ports.FREE_RANGE
