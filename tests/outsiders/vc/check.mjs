// Digital Bazaar's libraries verify bodies as served, offline. Standard input: a JSON line
// `{"context"}`, what a node serves at /ns/v1, then one `{"name","body"}` each. Every term of a body
// must have a meaning in the two contexts (JSON-LD expansion in safe mode), and its proof must be
// good. The document loader knows did:key and the contexts; it fetches nothing.
import {createInterface} from 'node:readline';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {contexts as w3c} from '@digitalbazaar/credentials-context';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {verifyCredential} from '@digitalbazaar/vc';
import jsonld from 'jsonld';

const MULTIKEY = 'https://w3id.org/security/multikey/v1';

const OURS = 'https://w3id.org/jopoi/v1';
const contexts = new Map(w3c);

async function documentLoader(url) {
  if(contexts.has(url)) {
    return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
  }
  const [did, fragment] = url.split('#');
  if(!did.startsWith('did:key:z6Mk')) {
    throw new Error(`would have to fetch ${url}`);
  }
  const multibase = did.slice('did:key:'.length);
  const id = `${did}#${multibase}`;
  const key = {
    '@context': MULTIKEY, id, type: 'Multikey', controller: did, publicKeyMultibase: multibase
  };
  const controller = {
    '@context': ['https://www.w3.org/ns/did/v1', MULTIKEY],
    id: did, assertionMethod: [id], verificationMethod: [key]
  };
  return {contextUrl: null, documentUrl: url, document: fragment ? key : controller};
}

function refuse(library, name, error) {
  const why = error?.errors ?? [error];
  const words = why.map(e => [e?.message ?? e, JSON.stringify(e?.details?.event?.details ?? '')]);
  console.error(`${library}: ${name}: ${words.join('; ')}`);
  process.exit(1);
}

let verified = 0;
for await (const line of createInterface({input: process.stdin})) {
  const {context, name, body} = JSON.parse(line);
  if(context) {
    contexts.set(OURS, JSON.parse(context));
    continue;
  }
  const credential = JSON.parse(body);
  const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});
  const result = await verifyCredential({credential, suite, documentLoader});
  if(!result.verified) {
    refuse('@digitalbazaar/vc', name, result.error);
  }
  try {
    await jsonld.expand(credential, {documentLoader, safe: true});
  } catch(error) {
    refuse('jsonld', name, error);
  }
  verified += 1;
}
console.log(verified);
