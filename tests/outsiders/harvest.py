"""Two OAI-PMH harvesters that are not ours, of different authors, keep a copy of what a node serves:
`python harvest.py URL DIR SCHEMAS`. What they hold stays in DIR, so that the next call goes on from there, as
a library does every night. Every answer is checked against the XML Schemas: our own from the node, those of
the protocol from the directory SCHEMAS, if they are there. Output: a line, and the number of records by state.
"""

import base64
import hashlib
import json
import pathlib
import sys

import oaipmh.client
import oaipmh.metadata
import requests
from lxml import etree
from oaipmh import error
from oaipmh.datestamp import datestamp_to_datetime, datetime_to_datestamp
from oaipmh.metadata import MetadataReader, MetadataRegistry, oai_dc_reader
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch

from served import Refused, check, need

OAI = "{http://www.openarchives.org/OAI/2.0/}"
PRACTICE = "https://w3id.org/jopoi/oai/v1"
PREFIXES = ("oai_dc", "practice")
# The schemas of the protocol refer to each other by these addresses.
PLACES = {"oai_dc.xsd": "http://www.openarchives.org/OAI/2.0/oai_dc/", "OAI-PMH.xsd": OAI.strip("{}")}

COMBINED = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{}</xs:schema>"""
XML_NAMESPACE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.w3.org/XML/1998/namespace"><xs:attribute name="lang" type="xs:language"/></xs:schema>"""


class Local(etree.Resolver):
    """The schemas of the directory, whatever address they are asked for by."""

    def __init__(self, places):
        self.places = places

    def resolve(self, address, _public, context):
        name = address.rsplit("/", 1)[-1]
        if name in self.places:
            return self.resolve_string(self.places[name], context)
        raise Refused(f"the schema {address} is not here")


def schema(texts, imports):
    """One schema that imports the others, without asking the outside."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local(texts | {"xml.xsd": XML_NAMESPACE}))
    lines = [f'<xs:import namespace="{space}" schemaLocation="local/{name}"/>' for name, space in imports.items()]
    return etree.XMLSchema(etree.fromstring(COMBINED.format("".join(lines)), parser))


class Schemas:
    def __init__(self, base, directory):
        texts = {path.name: path.read_text() for path in pathlib.Path(directory).glob("*.xsd")}
        texts["practice.xsd"] = need(f"{base}oai/practice.xsd").decode()
        self.parts = schema(texts, {"practice.xsd": PRACTICE})
        self.whole, self.answers = None, 0
        if set(PLACES) <= set(texts):
            self.whole = schema(texts, PLACES | {"practice.xsd": PRACTICE})

    def judge(self, text):
        """Refuses an answer that is not as its schemas say."""
        tree = etree.fromstring(text)
        self.answers += 1
        if self.whole:
            check(self.whole.validate(tree), f"not valid: {self.whole.error_log.last_error}")
        for part in tree.iter(f"{{{PRACTICE}}}practice"):
            check(self.parts.validate(part), f"not valid: {self.parts.error_log.last_error}")


class Elements:
    """What pyoai takes from lxml, which later versions name otherwise."""

    XML = staticmethod(etree.XML)

    class XPathEvaluator:
        def __init__(self, node, namespaces):
            self.evaluate = etree.XPathEvaluator(node, namespaces=namespaces)


oaipmh.client.etree = oaipmh.metadata.etree = Elements


class Judged(oaipmh.client.Client):
    """pyoai, whose answers are seen on their way."""

    def __init__(self, address, registry, schemas):
        super().__init__(address, registry)
        self.schemas = schemas

    def parse(self, xml):
        self.schemas.judge(xml if isinstance(xml, bytes) else xml.encode())
        return super().parse(xml)


def sickle_changes(address, prefix, since, schemas):
    """What Sickle finds: (identifier, datestamp, gone, sets, metadata)."""
    session = Sickle(address, max_retries=3)
    harvest = session.harvest

    def seen(**arguments):
        answer = harvest(**arguments)
        schemas.judge(answer.http_response.content)
        return answer

    session.harvest = seen
    now = session.harvest(verb="Identify").xml.findtext(f"{OAI}responseDate")
    changed = []
    try:
        for record in session.ListRecords(metadataPrefix=prefix, **({"from": since} if since else {})):
            head = record.header
            metadata = None if record.deleted else record.xml.find(f"{OAI}metadata")[0]
            changed.append((head.identifier, head.datestamp, record.deleted, sorted(head.setSpecs), metadata))
    except NoRecordsMatch:
        pass
    return now, changed


def pyoai_changes(address, prefix, since, schemas):
    """The same by pyoai, which asks with POST."""
    registry = MetadataRegistry()
    registry.registerReader("oai_dc", oai_dc_reader)
    registry.registerReader("practice", MetadataReader({"id": ("textList", "practice:practice/practice:id/text()")},
                                                       {"practice": PRACTICE}))
    client = Judged(address, registry, schemas)
    client.updateGranularity()
    now = client.makeRequestErrorHandling(verb="Identify").findtext(f"{OAI}responseDate")
    changed = []
    try:
        given = {"from_": datestamp_to_datetime(since)} if since else {}
        for head, metadata, _ in client.listRecords(metadataPrefix=prefix, **given):
            date = datetime_to_datestamp(head.datestamp())
            changed.append((head.identifier(), date, head.isDeleted(), sorted(head.setSpec()), metadata))
    except error.NoRecordsMatchError:
        pass
    return now, changed


def is_as_signed(metadata):
    """The signed document in our own format hashes to what is said of it, and its body is served under it."""
    credential = metadata.find(f"{{{PRACTICE}}}credential")
    body = base64.b64decode(credential.text, validate=True)
    check(hashlib.sha256(body).hexdigest() == credential.get("sha256"), "the credential has another hash")
    check(need(credential.get("href")) == body, "the credential is not the body at its address")


def go_on(harvester, changes, prefix, address, directory, schemas):
    """Brings the copy of one harvester up to date, from the time of its last visit on."""
    file = pathlib.Path(directory, f"{harvester}-{prefix}.json")
    copy = json.loads(file.read_text()) if file.exists() else {"since": None, "records": {}}
    now, changed = changes(address, prefix, copy["since"], schemas)
    seen = set()
    for identifier, date, gone, sets, metadata in changed:
        check(identifier not in seen, f"{identifier} came twice")
        seen.add(identifier)
        check(not copy["since"] or date >= copy["since"], f"{identifier} is dated before what was asked for")
        check(gone == (metadata is None), f"{identifier}: metadata and status disagree")
        if harvester == "sickle" and prefix == "practice" and metadata is not None:
            is_as_signed(metadata)
        copy["records"][identifier] = {"date": date, "gone": gone, "sets": sets}
    copy["since"] = now
    file.write_text(json.dumps(copy))
    return copy["records"], len(changed)


def main(base, directory, schemas_directory):
    schemas = Schemas(base, schemas_directory)
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    copies, counts = [], set()
    for prefix in PREFIXES:
        for name, changes in ("sickle", sickle_changes), ("pyoai", pyoai_changes):
            records, changed = go_on(name, changes, prefix, f"{base}oai", directory, schemas)
            copies.append(records)
            counts.add(changed)
    check(all(copy == copies[0] for copy in copies), "the copies of the harvesters differ")
    # Whoever comes for the first time finds what those hold who came every time.
    fresh = {head.identifier: head.deleted for head in Sickle(f"{base}oai").ListIdentifiers(metadataPrefix="oai_dc")}
    check(fresh == {name: record["gone"] for name, record in copies[0].items()}, "a new copy is another one")
    sets = {one.setSpec for one in Sickle(f"{base}oai").ListSets()}
    used = {name for record in copies[0].values() for name in record["sets"]}
    check({"state", "region", "topic", "language"} <= sets, "sets are missing")
    gone = sum(record["gone"] for record in copies[0].values())
    words = "all schemas" if schemas.whole else "our own schema (those of the protocol are not here)"
    print(f"ok    OAI-PMH: Sickle and pyoai agree on {len(copies[0])} records, {gone} withdrawn, in {len(used)} sets; "
          f"changed since last time: {max(counts)}; {schemas.answers} answers are valid by {words}")
    print(json.dumps({"records": len(copies[0]), "gone": gone, "changed": sorted(counts)}))


if __name__ == "__main__":
    requests.Session.trust_env = False
    try:
        main(*sys.argv[1:])
    except Refused as refusal:
        print(f"FAIL  OAI-PMH: {refusal}")
        sys.exit(1)
