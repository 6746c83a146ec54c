"""The mail sandbox's pages: the list of mails, and one mail. Plain HTML; what a mail contains cannot do anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from sandbox.mail_book import Mail

SAFE: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""For our own pages: no script, nothing from elsewhere."""

SANDBOXED: Final = SAFE | {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
}
"""For the HTML of a mail: as in a mail program that trusts nobody."""

PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{% block title %}{% endblock %}</title>
<style>
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8888; padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8888; padding: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid #8888; background: Canvas; }
</style>
</head>
<body>
<main>
{% block body %}{% endblock %}
</main>
</body>
</html>
"""

LIST: Final = """\
{% extends "page" %}
{% block title %}Mails in the sandbox{% endblock %}
{% block body %}
<h1>Mails in the sandbox</h1>
{% if mails %}
<p>{{ count }} in all{% if to %}; these are to {{ to }}{% endif %}, newest first.</p>
<table>
<thead><tr>
<th scope="col">No.</th><th scope="col">Subject</th><th scope="col">To</th><th scope="col">Received, UTC</th>
</tr></thead>
<tbody>
{% for mail in mails %}
<tr>
<td>{{ mail.id }}</td>
<td><a href="/mails/{{ mail.id }}">{{ mail.message["Subject"] or "(no subject)" }}</a></td>
<td>{% for to in mail.recipients %}<a href="/?to={{ to|urlencode }}">{{ to }}</a> {% endfor %}</td>
<td>{{ mail.received_at[:19].replace("T", " ") }}</td>
</tr>
{% endfor %}
</tbody>
</table>
{% if older %}
<p><a href="/?before={{ mails[-1].id }}{% if to %}&amp;to={{ to|urlencode }}{% endif %}">Older</a></p>
{% endif %}
{% else %}
<p>There are none{% if to %} to {{ to }}{% endif %}. Reload the page to look again.</p>
{% endif %}
{% endblock %}
"""

ONE: Final = """\
{% extends "page" %}
{% block title %}{{ mail.message["Subject"] or "(no subject)" }}{% endblock %}
{% block body %}
<p><a href="/">All mails</a></p>
<h1>{{ mail.message["Subject"] or "(no subject)" }}</h1>
<table>
{% for name, value in mail.message.items() %}
<tr><th scope="row">{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}
<tr><th scope="row">Handed over for</th><td>{{ mail.recipients|join(", ") }}</td></tr>
</table>
<h2>As text</h2>
<pre>{{ mail.part("plain")|linked }}</pre>
<h2>As HTML</h2>
<p>
<a href="/mails/{{ mail.id }}.html">On a page of its own</a> ·
<a href="/mails/{{ mail.id }}.eml">The mail as it came</a>
</p>
<iframe sandbox src="/mails/{{ mail.id }}.html" title="The mail as HTML"></iframe>
{% endblock %}
"""

WEB_ADDRESS: Final = re.compile(r"https?://[^\s<>()]+")


def list_page(mails: Sequence[Mail], count: int, to: str | None, older: bool) -> str:
    """The list; `older` says whether there are more."""
    return _PAGES.get_template("list").render(mails=mails, count=count, to=to, older=older)


def one_page(mail: Mail) -> str:
    """One mail."""
    return _PAGES.get_template("one").render(mail=mail)


def linked(text: str) -> Markup:
    """The text with its addresses of the web as links, as mail programs show it."""
    pieces = []
    end = 0
    for found in WEB_ADDRESS.finditer(text):
        url = escape(found[0])
        pieces += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])


_PAGES: Final = Environment(
    loader=DictLoader({"page": PAGE, "list": LIST, "one": ONE}), autoescape=True, undefined=StrictUndefined
)
_PAGES.filters["linked"] = linked
