"""The price list of these tests: round prices that hold for ever, so that every penny can be reckoned by hand."""

from __future__ import annotations

from domain.messages import Channel

SNIFFER, SYNC, MAPI = "Message Sniffer", "Exchange ActiveSync", "MAPI & EWS"

TEXT = """
months = 12
loyalty_rate_bp = 1000
[tax_rates_bp]
GB = 2000
[products.SmarterMail]
counted_in = "mailboxes"
channel = "{channel}"
[products.SmarterMail.editions.Professional]
code = "SmarterMailPro"
sizes = ["250", "500"]
[[products.SmarterMail.editions.Professional.prices]]
valid_from = 2020-01-01
GBP = ["200.00", "300.00"]
[products.SmarterMail.editions.Enterprise]
code = "SmarterMailEnt"
sizes = ["250", "500"]
[[products.SmarterMail.editions.Enterprise.prices]]
valid_from = 2020-01-01
GBP = ["340.00", "480.00"]
[products.SmarterMail.addons."Message Sniffer"]
editions = ["Professional", "Enterprise"]
sizes = ["250", "500"]
[[products.SmarterMail.addons."Message Sniffer".prices]]
valid_from = 2020-01-01
GBP = ["80.00", "{sniffer}"]
[products.SmarterMail.addons."Exchange ActiveSync"]
editions = ["Enterprise"]
sizes = ["250", "500"]
[[products.SmarterMail.addons."Exchange ActiveSync".prices]]
valid_from = 2020-01-01
GBP = ["120.00", "180.00"]
[products.SmarterMail.addons."MAPI & EWS"]
editions = ["Professional", "Enterprise"]
sizes = ["250", "500"]
[[products.SmarterMail.addons."MAPI & EWS".prices]]
valid_from = 2020-01-01
GBP = ["150.00", "220.00"]
"""


def price_list(channel: Channel = "api", sniffer: str = "120.00") -> str:
    """The text of a catalogue: how updates reach the vendor, and what Message Sniffer costs for 500 mailboxes."""
    return TEXT.format(channel=channel, sniffer=sniffer)


def share(amount_minor: int, part: int, whole: int) -> int:
    """Half-up, in the tests' own words."""
    return (2 * amount_minor * part + whole) // (2 * whole)


def gross(*lines_minor: int) -> int:
    """What lines cost a loyal customer in the United Kingdom: less 10 %, plus 20 % (R13, R16)."""
    net_minor = sum(lines_minor) - share(sum(lines_minor), 10, 100)
    return net_minor + share(net_minor, 20, 100)
