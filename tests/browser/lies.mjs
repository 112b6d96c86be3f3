// A lying server in front of a hub: each object that the check in the browser fetches × each lie.
// Every lie must be shown as a failure, and none as a success. Started by `run`: lies.mjs --url HUB

import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as ours from '../../crates/web/assets/check.js';

const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];
/** Milliseconds until a verdict must stand: the deadline of the script, and a slow machine. */
const VERDICT_WITHIN = 90_000;
const { values: options } = parseArgs({ options: { url: { type: 'string' } } });
const hub = options.url.replace(/\/$/, '');

const vectors = await unit();
const text = async path => (await fetch(hub + path)).text();
const raw = async path => Buffer.from(await (await fetch(hub + path)).arrayBuffer());
const [scene, other] = await subjects();

/** A record that is not the first of its feed, and one of another feed. */
async function subjects() {
  const found = [];
  for (const { origin, size } of JSON.parse(await text('/heads'))) {
    if (size < 4) continue;
    const document = JSON.parse(await text(`/feeds/${origin}/body/2`));
    if (document.type[1] !== 'Node') {
      found.push({ origin, feed: `/feeds/${origin}`, index: 2, page: `/records/${origin}/${document.id.slice(9)}` });
    }
  }
  return found;
}

const flip = (bytes, at) => {
  const changed = Buffer.from(bytes);
  changed[at] ^= 1;
  return changed;
};
/** What one line says, changed. */
const line = (bytes, pattern, into) => Buffer.from(bytes.toString().replace(pattern, into));
/** Where the signed part of a note, with the line of its log, ends. */
const signedPart = (bytes, origin) => {
  const at = bytes.indexOf(`— ${origin} `);
  return bytes.indexOf('\n', at);
};

/** Any object. */
const GENERAL = {
  'not there': () => ({ status: 404 }),
  'server error': () => ({ status: 500 }),
  'a page instead': () => ({ type: 'text/html', body: '<p>Welcome</p>' }),
  'HTML said to be the object': () => ({ body: '<p>Welcome</p>' }),
  empty: () => ({ body: '' }),
  'cut in the middle': bytes => ({ body: bytes.subarray(0, bytes.length / 2) }),
  'a space behind it': bytes => ({ body: Buffer.concat([bytes, Buffer.from(' ')]) }),
  huge: bytes => ({ body: Buffer.concat([bytes, Buffer.alloc(4 << 20, 32)]) }),
  'never ending': () => ({ drip: true }),
  'never beginning': () => ({ silent: true }),
  'a connection that breaks': () => ({ broken: true }),
  'sent elsewhere': () => ({ status: 302, location: `${hub}/about` }),
  'of another feed': async (bytes, path) => ({ body: await raw(path.replace(scene.feed, other.feed)) }),
};
const DOCUMENT = {
  'of another entry': async () => ({ body: await raw(`${scene.feed}/body/3`) }),
  ...Object.fromEntries([1, 0.1, 0.25, 0.5, 0.75, 0.9].map(part => [`byte changed at ${part}`,
    bytes => ({ body: flip(bytes, Math.min(Math.floor(bytes.length * part), bytes.length - 3)) })])),
  'a member twice': bytes => ({ body: line(bytes, /^\{/, '{"@context":1,') }),
  'spaced': bytes => ({ body: line(bytes, '":', '": ') }),
  'other version': bytes => ({ body: line(bytes, /"version":(\d+)\}$/, '"version":99}') }),
  'unsafe number': bytes => ({ body: line(bytes, /"version":(\d+)\}$/, '"version":9007199254740993}') }),
  'signed by another key': bytes => ({ body: resigned(bytes) }),
};
const NOTE = origin => ({
  'root changed': bytes => ({ body: line(bytes, /(\d+\n)(.)([^\n]{42}=)/, (_, size, first, rest) => `${size}${first === 'A' ? 'B' : 'A'}${rest}`) }),
  'size changed': bytes => ({ body: line(bytes, new RegExp(`(${origin}\n)(\\d+)`), (_, name, size) => `${name}${Number(size) + 1}`) }),
  'signature changed': bytes => ({ body: flip(bytes, signedPart(bytes, origin) - 10) }),
  'key id changed': bytes => ({ body: flip(bytes, bytes.indexOf(`— ${origin} `) + Buffer.byteLength(`— ${origin} `)) }),
  'unsigned': bytes => ({ body: line(bytes, new RegExp(`— ${origin} [^\n]*\n`), '') }),
  'signed by another key': bytes => ({ body: line(bytes, new RegExp(`— ${origin} [^\n]*\n`), stranger(bytes, origin)) }),
  'of another name': bytes => ({ body: line(bytes, new RegExp(`(?<=^|\n)${origin}\n`), 'other.example/public\n') }),
});
const PROOF = {
  'wrong index': bytes => ({ body: line(bytes, /index (\d+)/, (_, index) => `index ${Number(index) + 1}`) }),
  'of another entry': async () => ({ body: await raw(`${scene.feed}/proof/3`) }),
  'a hash changed': bytes => ({ body: line(bytes, /(index \d+\n)(.)/, (_, head, first) => `${head}${first === 'A' ? 'B' : 'A'}`) }),
  'a hash less': bytes => ({ body: line(bytes, /(index \d+\n)[^\n]+\n/, '$1') }),
  'a hash more': bytes => ({ body: line(bytes, /(index \d+\n)([^\n]+\n)/, '$1$2$2') }),
};
/** The page itself, in what it tells the script. */
const PAGE = {
  'entry changed': bytes => ({ body: line(bytes, /(data-entry="[^"]*sha256:)(.)/, (_, head, first) => `${head}${first === 'a' ? 'b' : 'a'}`) }),
  'another index': bytes => ({ body: line(bytes, 'data-index="2"', 'data-index="3"') }),
  'another id': bytes => ({ body: line(bytes, /(data-id="urn:uuid:)(.)/, (_, head, first) => `${head}${first === 'a' ? 'b' : 'a'}`) }),
  'another feed': bytes => ({ body: line(line(bytes, `data-origin="${scene.origin}"`, `data-origin="${other.origin}"`), `data-feed="${scene.feed}"`, `data-feed="${other.feed}"`) }),
  'keys at an entry that has none': bytes => ({ body: line(bytes, 'data-keys-at="0"', 'data-keys-at="2"') }),
  'log keys at an entry that has none': bytes => ({ body: line(bytes, 'data-log-keys-at="0"', 'data-log-keys-at="2"') }),
};

function key() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, bytes: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32) };
}

function stranger(bytes, origin) {
  const { privateKey, bytes: publicKey } = key();
  const whole = bytes.toString();
  const from = whole.lastIndexOf(`${origin}\n`, whole.indexOf(`— ${origin}`));
  const said = whole.slice(from, whole.indexOf('\n\n', from) + 1);
  const id = createHash('sha256').update(`${origin}\n\x01`).update(publicKey).digest().subarray(0, 4);
  return `— ${origin} ${Buffer.concat([id, sign(null, Buffer.from(said), privateKey)]).toString('base64')}\n`;
}

function base58(bytes) {
  const letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let [number, said] = [BigInt(`0x${bytes.toString('hex')}`), ''];
  for (; number; number /= 58n) said = letters[Number(number % 58n)] + said;
  return `z${said}`;
}

/** The same document by another key, signed as it should be. */
function resigned(bytes) {
  const { privateKey, bytes: publicKey } = key();
  const did = `did:key:${base58(Buffer.concat([Buffer.from([0xed, 1]), publicKey]))}`;
  const { proof, ...document } = JSON.parse(bytes);
  const { proofValue, ...rest } = proof;
  document.issuer.id = did;
  rest.verificationMethod = `${did}#${did.slice(8)}`;
  const hash = value => createHash('sha256').update(ours.canonical(value)).digest();
  rest.proofValue = base58(sign(null, Buffer.concat([hash(rest), hash(document)]), privateKey));
  return Buffer.from(ours.canonical({ ...document, proof: rest }));
}

/** The functions of the script without a browser, against the vectors of the project. */
async function unit() {
  let count = 0;
  const read = path => JSON.parse(fs.readFileSync(new URL(`../../crates/${path}`, import.meta.url)));
  for (const { input, canonical_hex } of read('practice/tests/vectors/jcs/documents.json').cases) {
    let said;
    try {
      said = ours.canonical(JSON.parse(input));
    } catch (error) {
      assert(error instanceof ours.Failure);
    }
    const wanted = Buffer.from(canonical_hex, 'hex').toString();
    // What it does not give exactly it refuses: fractions and exponents.
    if (said === undefined) assert(/\d[.eE]/.test(wanted) || wanted.includes('\\u0000'), wanted);
    else assert.equal(said, wanted);
    count += 1;
  }
  for (const one of read('tlog/tests/vectors/merkle/inclusion.json').cases) {
    const bytes = value => new Uint8Array(Buffer.from(value ?? '', 'base64'));
    let holds = false;
    try {
      const root = await ours.rootOf(bytes(one.leafHash), one.leafIdx, one.treeSize, (one.proof ?? []).map(bytes));
      holds = Buffer.from(root).equals(Buffer.from(bytes(one.root)));
    } catch (error) {
      assert(error instanceof ours.Failure);
    }
    assert.equal(holds, !one.wantErr, one.name);
    count += 1;
  }
  const logs = new URL('../../crates/tlog/tests/vectors/log600/', import.meta.url);
  const { origin, log_vkey } = read('tlog/tests/vectors/log600/vectors.json');
  const logKey = Buffer.from(log_vkey.split('+').slice(2).join('+'), 'base64').subarray(1);
  for (const name of fs.readdirSync(new URL('proofs/', logs)).filter(name => name.endsWith('.tlog-proof'))) {
    const proof = ours.proofFile(fs.readFileSync(new URL(`proofs/${name}`, logs), 'utf8'), origin);
    await ours.checkpointSigned(proof.note, origin, new Uint8Array(logKey));
    await assert.rejects(ours.checkpointSigned({ ...proof.note, text: `${proof.note.text}x` }, origin, new Uint8Array(logKey)));
    count += 1;
  }
  for (const bad of ['{"a":1.0}', '{"a":1,"a":1}', '{"b":1,"a":1}', '{"a":-0}', '{"a":9007199254740993}', '{"a":1e2}',
    '{"a":"\\ud800"}', '{"a":"\\u0000"}', '\ufeff{}', ' {}', '', 'null', '['.repeat(33) + ']'.repeat(33)]) {
    assert.throws(() => ours.parse(new TextEncoder().encode(bad)), ours.Failure, bad);
    count += 1;
  }
  return count;
}

/** Every case: an object, a lie, and the proxy in front of the hub that tells it. */
function cases() {
  const { feed, index, origin } = scene;
  const objects = {
    checkpoint: [`${feed}/checkpoint`, { ...GENERAL, ...NOTE(origin) }],
    record: [`${feed}/body/${index}`, { ...GENERAL, ...DOCUMENT }],
    'proof of the record': [`${feed}/proof/${index}`, { ...GENERAL, ...PROOF, ...NOTE(origin) }],
    'node record': [`${feed}/body/0`, { ...GENERAL, ...DOCUMENT }],
    'proof of the node record': [`${feed}/proof/0`, { ...GENERAL, ...PROOF, ...NOTE(origin) }],
    page: [scene.page, PAGE],
  };
  return Object.entries(objects).flatMap(([object, [path, lies]]) =>
    Object.entries(lies).map(([lie, tell]) => ({ name: `${object}: ${lie}`, path, tell })));
}

async function proxy({ path, tell } = {}) {
  const server = createServer(async (asked, answer) => {
    try {
      const honest = await fetch(hub + asked.url, { headers: { accept: asked.headers.accept ?? '*/*' } });
      const bytes = Buffer.from(await honest.arrayBuffer());
      const lied = path === asked.url.split('?')[0] ? await tell(bytes, path) : {};
      if (lied.silent) return;
      if (lied.broken) return asked.socket.destroy();
      const head = { 'content-type': lied.type ?? honest.headers.get('content-type') ?? '' };
      const policy = honest.headers.get('content-security-policy');
      if (policy) head['content-security-policy'] = policy;
      if (lied.location) head.location = lied.location;
      answer.writeHead(lied.status ?? honest.status, head);
      if (lied.drip) {
        const clock = setInterval(() => answer.write(' '), 1_000);
        answer.on('close', () => clearInterval(clock));
        return;
      }
      if (lied.body !== undefined) assert(!Buffer.from(lied.body).equals(bytes), `this lie changes nothing at ${path}`);
      answer.end(lied.body ?? bytes);
    } catch (error) {
      console.error(error.message);
      asked.socket.destroy();
    }
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, end: () => { server.closeAllConnections(); server.close(); } };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS,
});
const found = [];
let violations = 0;

/** What a reader sees after the check. */
async function verdict(one, before = async () => {}) {
  const server = await proxy(one);
  const context = await browser.newContext({ locale: 'en' });
  const page = await context.newPage();
  page.on('console', message => { if (/Content.Security.Policy/i.test(message.text())) violations += 1; });
  try {
    await before(page);
    await page.goto(`${server.url}${scene.page}?lang=en`);
    await page.locator('[data-is=start]').click();
    const place = page.locator('.check[data-verdict]');
    await place.waitFor({ timeout: VERDICT_WITHIN });
    const said = await place.innerText();
    const alarm = await page.locator('.check [role=alert]').innerText();
    return { verdict: await place.getAttribute('data-verdict'), said, alarm, root: await page.locator('[data-is=root]').innerText(), page,
      compare: async given => {
        await page.locator('[data-is=given]').fill(given);
        await page.locator('[data-is=compare] button').click();
        return page.locator('[data-is=match]').innerText();
      },
      end: async () => { await context.close(); server.end(); } };
  } catch (error) {
    await context.close();
    server.end();
    return { verdict: `none: ${error.message.split('\n')[0]}`, said: '', alarm: '', end: async () => {} };
  }
}

try {
  const honest = await verdict();
  if (honest.verdict !== 'holds' || honest.alarm) found.push(`an honest server: ${honest.verdict} ${honest.alarm}`);
  else {
    const root = JSON.parse(await text(`${scene.feed}/body/0`)).credentialSubject.root;
    if (await honest.compare(root) !== 'The same root key.') found.push('the same root key is not told');
    if (!/^Another root key/.test(await honest.compare(`${root}x`))) found.push('another root key is not told');
  }
  await honest.end();
  // A browser without Ed25519 says so, and does the rest.
  const old = await verdict(undefined, page => page.addInitScript(() => {
    SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));
  }));
  if (old.verdict !== 'partly' || !/lacks Ed25519/.test(old.said)) found.push(`without Ed25519: ${old.verdict}`);
  await old.end();
  // Without scripts nothing of it is seen.
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(`${hub}${scene.page}?lang=en`);
  if (await plain.locator('.check button').count() || !await plain.locator('#proof pre').count()) found.push('not complete without scripts');
  const lies = cases();
  const count = lies.length;
  const hand = async () => {
    for (let one = lies.shift(); one; one = lies.shift()) {
      const seen = await verdict(one);
      const shown = seen.verdict === 'fails' && seen.alarm.includes('could not be confirmed') && seen.said.includes('It does not hold.');
      if (!shown || seen.said.includes('Every step holds')) found.push(`${one.name}: ${seen.verdict}`);
      await seen.end();
    }
  };
  await Promise.all(Array.from({ length: 2 * Math.max(2, cpus().length) }, hand));
  if (violations) found.push(`${violations} violations of the content security policy`);
  console.log(`check in the browser: ${count} lies of a server, ${found.length} not shown; ${vectors} vectors; ${violations} violations of the policy`);
  for (const one of found) console.log(`  ${one}`);
} finally {
  await browser.close();
}
process.exitCode = found.length ? 1 : 0;
