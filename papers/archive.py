"""What a PDF says of itself: PDF/A-2a, so that an archive takes it, and PDF/UA-1 for readers who listen.

fpdf2 writes the metadata of PDF/A by itself, but with the clock's time in it and without the tags' level.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from fpdf import FPDF
from fpdf.enums import OutputIntentSubType
from fpdf.fonts import TTFFont
from fpdf.output import PDFICCProfile
from fpdf.util import builtin_srgb2014_bytes

PRODUCER = "Evergreen"

# The second description tells PDF/A what the property of PDF/UA is: it must know every one that is used.
_METADATA = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about=""
        xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
        xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
        xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"
        pdfaid:part="2" pdfaid:conformance="A" pdfuaid:part="1"
        pdf:Producer="{producer}" xmp:CreateDate="{at}" xmp:ModifyDate="{at}" xmp:MetadataDate="{at}">
      <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
      <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
      <dc:language><rdf:Bag><rdf:li>en</rdf:li></rdf:Bag></dc:language>
    </rdf:Description>
    <rdf:Description rdf:about=""
        xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
        xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
        xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
      <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
        <pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
        <pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
        <pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
        <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
          <pdfaProperty:name>part</pdfaProperty:name>
          <pdfaProperty:valueType>Integer</pdfaProperty:valueType>
          <pdfaProperty:category>internal</pdfaProperty:category>
          <pdfaProperty:description>Part of ISO 14289</pdfaProperty:description>
        </rdf:li></rdf:Seq></pdfaSchema:property>
      </rdf:li></rdf:Bag></pdfaExtension:schemas>
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>"""


def prepare(document: FPDF, title: str, author: str, at: datetime) -> None:
    """Add metadata and the color space; `at` is written as its date of creation and change."""
    document.set_producer(PRODUCER)
    document.set_xmp_metadata(
        _METADATA.format(
            producer=PRODUCER,
            title=escape(title),
            author=escape(author),
            at=at.astimezone(UTC).isoformat(timespec="seconds"),
        )
    )
    document.add_output_intent(
        OutputIntentSubType.PDFA,
        output_condition_identifier="sRGB",
        output_condition="IEC 61966-2-1:1999",
        registry_name="http://www.color.org",
        dest_output_profile=PDFICCProfile(builtin_srgb2014_bytes(), n=3, alternate="DeviceRGB"),
        info="sRGB2014 (v2)",
    )
    document.pdf_version = "1.7"
    for font in document.fonts.values():
        if isinstance(font, TTFFont) and (no_letter := font.subset.get_glyph(unicode=0)) is not None:
            no_letter.unicode = ()  # else fpdf2 says that it reads U+0000, which no letter may
