"""What the public site offers to other people's programs, read by those: `python readers.py HUB`.

News as Atom by feedparser and by feedparser-rs, as JSON Feed by the latter; the linked data of record pages
by PyLD, without a network; profiles as documents by python-docx, beside the same as data. Output: a line for
each; exit code 1 at a failure.
"""

import io
import json
import pathlib
import re
import sys

import docx
import feedparser
import feedparser_rs
from lxml import etree, html
from pyld import jsonld

from served import Refused, check, get, need

VOCABULARIES = pathlib.Path(__file__).parents[2] / "crates/practice/vocab"
TITLES = (("fields.json", "fields"), ("gateway-sections.json", "sections"))
ELSEWHERE = b"https://hub.example/"
SCHEMA_ORG = "https://schema.org/"
LANGUAGES = ("ar", "en", "es", "fr", "pt", "ru", "zh")
# Searches whose news are read, besides the news of everything in each language.
NEWS = ("q=%D8%A7%D9%84%D8%AA%D9%88%D8%B5%D9%8A%D8%A7%D8%AA", "kind=good-practice", "state=PY&lang=es", "language=fr",
        "q=nothing-at-all-xyzzy", "withdrawn=only", "q=%3Cb%3E%26%E2%80%AE")
RECORDS = 60


def news(base):
    """Atom and JSON Feed: readable for others, the same entries in each, every link on this server."""
    entries = 0
    for query in (*NEWS, *(f"lang={code}" for code in LANGUAGES)):
        # feedparser-rs drops links to the machine it runs on.
        atom = need(f"{base}search.atom?{query}").replace(base.encode(), ELSEWHERE)
        one, other = feedparser.parse(atom), feedparser_rs.parse(atom)
        third = feedparser_rs.parse(need(f"{base}search.json-feed?{query}").replace(base.encode(), ELSEWHERE))
        check(not one.bozo, f"feedparser on {query}: {one.get('bozo_exception')}")
        for name, read in (("Atom", other), ("JSON Feed", third)):
            check(not read.bozo, f"feedparser-rs on {name} of {query}: {read.bozo_exception}")
        check(one.version == "atom10" and third.version.startswith("json"), f"{one.version}, {third.version}")
        told = [[(entry.id, entry.title, entry.link) for entry in read.entries] for read in (one, other, third)]
        check(told[0] == told[1] == told[2], f"the parsers read {query} differently: {told}")
        check(len({entry.id for entry in one.entries}) == len(one.entries), f"an identifier twice in {query}")
        for entry in one.entries:
            check(entry.link.startswith(ELSEWHERE.decode()) and entry.title.strip(), f"{entry.link} “{entry.title}”")
            check(entry.updated_parsed and entry.author, f"{entry.id} has no time or no author")
        entries += len(one.entries)
    print(f"ok    news: feedparser and feedparser-rs agree on {entries} entries of {len(NEWS) + len(LANGUAGES)} searches")


def no_network(address, _options=None):
    raise Refused(f"the linked data asks for {address}")


def linked_data(base):
    """Each record page has one block; it expands without asking anybody, to terms of schema.org alone."""
    jsonld.set_document_loader(no_network)
    records = json.loads(need(f"{base}api/v1/records?limit={RECORDS}"))["records"]
    check(records, "no records")
    for record in records:
        path = f"records/{record['origin']}/{record['id'].removeprefix('urn:uuid:')}"
        page = html.fromstring(need(base + path))
        blocks = page.xpath('//script[@type="application/ld+json"]/text()')
        check(len(blocks) == 1, f"{path} has {len(blocks)} blocks")
        expanded = jsonld.expand(json.loads(blocks[0]))
        check(len(expanded) == 1 and expanded[0]["@id"] == base + path, f"{path} is {expanded[0].get('@id')}")
        for node in nodes(expanded):
            foreign = [key for key in node if not key.startswith(("@", SCHEMA_ORG))]
            foreign += [kind for kind in node.get("@type", []) if not kind.startswith(SCHEMA_ORG)]
            check(not foreign, f"{path}: {foreign}")
        names = {name["@language"].lower(): name["@value"] for name in expanded[0][f"{SCHEMA_ORG}name"]}
        shown = page.xpath("//h1")[0]
        check(names[shown.get("lang").lower()] == shown.text_content(), f"{path}: another title than the page has")
        triples = jsonld.to_rdf(expanded)["@default"]
        check(len(triples) > 10, f"{path}: {len(triples)} triples")
    print(f"ok    linked data: PyLD expands {len(records)} record pages, to terms of schema.org alone")


def nodes(value):
    """Every node object of expanded linked data."""
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, dict) and "@value" not in value:
        yield value
        for member in value.values():
            yield from nodes(member)


def documents(base):
    """A profile as a document and as data: the same sections in the same order, under the same titles."""
    page = html.fromstring(need(f"{base}states?lang=en"))
    terms = [term for name, part in TITLES for term in json.loads((VOCABULARIES / name).read_text())[part]]
    titles = {term["code"]: term["label"] for term in terms}
    codes = sorted({match for href in page.xpath("//a/@href") for match in re.findall(r"/states/([A-Z]{2})\b", href)})
    read = 0
    for code in codes:
        for language in LANGUAGES:
            data = get(f"{base}states/{code}/profile.json?lang={language}")
            if data is None:
                continue
            data = json.loads(data)
            document = docx.Document(io.BytesIO(need(f"{base}states/{code}/profile.docx?lang={language}")))
            headings = [paragraph for paragraph in document.paragraphs if paragraph.style.name.startswith("Heading")]
            told = []
            for profile in data["profiles"]:
                sections = ["summary", *(section["section"] for section in profile["sections"]), "record"]
                told += [titles[section][language] for section in sections]
            shown = [paragraph.text for paragraph in headings if paragraph.style.name == "Heading 2"]
            check(told and shown == told, f"{code} in {language}: sections {shown} and {told}")
            check(document.core_properties.title, f"{code} in {language}: no title")
            read += 1
    check(read, "no profile was read")
    print(f"ok    documents: python-docx reads {read} profiles, with the sections of the data in their order")


def maps(base):
    """The map of the site is XML, and what it names is there."""
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    parts = etree.fromstring(need(f"{base}sitemap.xml")).xpath("//s:sitemap/s:loc/text()", namespaces=space)
    places = [place for part in parts for place in etree.fromstring(need(part)).xpath("//s:url/s:loc/text()", namespaces=space)]
    for place in places[:: max(1, len(places) // 40)]:
        check(place.startswith(base), f"the map names {place}")
        need(place)
    print(f"ok    map of the site: {len(places)} addresses in {len(parts)} parts")


def main():
    base = sys.argv[1].rstrip("/") + "/"
    failed = 0
    for part in (news, linked_data, documents, maps):
        try:
            part(base)
        except (Refused, ValueError, KeyError, AttributeError, etree.LxmlError, jsonld.JsonLdError) as error:
            failed += 1
            print(f"FAIL  {part.__name__}: {error!r}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
