// Checks a record in the reader's browser: hash, place in the log, checkpoint, keys, signature.
// Formats: docs/protocol.md, sections 2 to 6. No library; believes nothing that it did not check itself.

/** Bytes that an answer may have: a document, a signed note, a .tlog-proof of a log of 2^53 entries. */
const LIMITS = { body: 131_072, checkpoint: 4_096, proof: 8_192 };
/** Milliseconds for one answer: a document of full length over a slow satellite line. */
const DEADLINE = 30_000;
/** A log may grow between two answers: how often all are asked for once more. */
const ROUNDS = 3;
/** Levels of a document, the outermost counted. */
const DEPTH = 32;
/** A point that every implementation of Ed25519 takes as a key: the first test key of RFC 8032. */
const SAMPLE_KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const utf8 = new TextEncoder();

/** What does not hold: `reason` names a sentence of the page. */
export class Failure extends Error {
  constructor(reason, detail = '') {
    super(`${reason} ${detail}`.trim());
    Object.assign(this, { reason, detail });
  }
}

function require(holds, reason, detail) {
  if (!holds) throw new Failure(reason, detail);
}

/** RFC 8785 for what a record may hold: no fractions, no unsafe numbers, no lone surrogates. */
export function canonical(value, depth = 1) {
  if (typeof value === 'string') {
    require(!/[\0\p{Surrogate}]/u.test(value), 'form');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    require(Number.isSafeInteger(value) && !Object.is(value, -0), 'form');
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  require(typeof value === 'object' && depth <= DEPTH, 'form');
  if (Array.isArray(value)) return `[${value.map(item => canonical(item, depth + 1)).join()}]`;
  const members = Object.keys(value).sort();
  return `{${members.map(name => `${canonical(name)}:${canonical(value[name], depth + 1)}`).join()}}`;
}

/** Bytes that are their own canonical form, and nothing else: so no member stands twice either. */
export function parse(bytes) {
  let text, value;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new Failure('form');
  }
  require(value !== null && typeof value === 'object' && canonical(value) === text, 'form');
  return value;
}

export async function sha256(...parts) {
  const all = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

export const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
const unhex = text => Uint8Array.from(text.match(/../g), pair => parseInt(pair, 16));

/** Strict: padded, without spare bits. */
export function base64(text, length, reason) {
  let raw = '';
  try {
    raw = atob(text);
  } catch { /* not of this length */ }
  require(raw.length === length && btoa(raw) === text, reason);
  return Uint8Array.from(raw, letter => letter.charCodeAt(0));
}

/** Base58 as Multibase has it, of exactly `length` bytes. */
export function base58(text, length, reason) {
  require(typeof text === 'string' && text.length <= 2 * length && text[0] === 'z', reason);
  let number = 0n;
  for (const letter of text.slice(1)) {
    const digit = ALPHABET.indexOf(letter);
    require(digit >= 0, reason);
    number = number * 58n + BigInt(digit);
  }
  const zeros = text.slice(1).match(/^1*/)[0].length;
  const digits = number ? number.toString(16) : '';
  const whole = '00'.repeat(zeros) + (digits.length % 2 ? `0${digits}` : digits);
  require(whole.length === 2 * length, reason);
  return unhex(whole);
}

/** The 32 bytes of a did:key of type Ed25519. */
export function keyOf(did) {
  require(typeof did === 'string' && did.startsWith('did:key:z'), 'key');
  const bytes = base58(did.slice(8), 34, 'key');
  require(bytes[0] === 0xed && bytes[1] === 1, 'key');
  return bytes.slice(2);
}

async function signed(key, signature, message) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify'])
    .catch(() => { throw new Failure('key'); });
  return crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
}

/** Whether this browser has Ed25519. */
export async function hasEd25519() {
  try {
    await crypto.subtle.importKey('raw', unhex(SAMPLE_KEY), { name: 'Ed25519' }, false, ['verify']);
    return true;
  } catch {
    return false;
  }
}

function size(text, reason) {
  const number = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  require(Number.isSafeInteger(number), reason, text);
  return number;
}

/** A checkpoint: its signed text, what it says, and its lines. */
export function note(text, origin) {
  const end = text.indexOf('\n\n');
  require(end > 0 && text.endsWith('\n'), 'checkpoint');
  const [name, count, root, ...rest] = text.slice(0, end).split('\n');
  require(rest.length === 0 && name === origin, 'checkpoint', name);
  const lines = text.slice(end + 2, -1).split('\n').map(line => {
    const found = line.match(/^— ([^ ]+) ([^ ]+)$/);
    require(found, 'checkpoint');
    return found.slice(1);
  });
  return { text: text.slice(0, end + 1), size: size(count, 'checkpoint'), root: base64(root, 32, 'checkpoint'), lines };
}

/** A `.tlog-proof`: index, hashes, and the checkpoint that it leads to. */
export function proofFile(text, origin) {
  const end = text.indexOf('\n\n');
  require(end > 0, 'log');
  const [head, index, ...hashes] = text.slice(0, end).split('\n');
  require(head === 'c2sp.org/tlog-proof@v1' && index?.startsWith('index '), 'log');
  return {
    index: size(index.slice(6), 'log'),
    hashes: hashes.map(hash => base64(hash, 32, 'log')),
    note: note(text.slice(end + 2), origin),
  };
}

/** The root to which a leaf leads (RFC 9162, 2.1.3.2; the same tree as RFC 6962). */
export async function rootOf(leaf, index, count, hashes) {
  require(index >= 0 && index < count, 'log');
  require(leaf.length === 32 && hashes.every(hash => hash.length === 32), 'log');
  let [hash, at, last] = [leaf, index, count - 1];
  const up = () => { at = Math.floor(at / 2); last = Math.floor(last / 2); };
  for (const sibling of hashes) {
    require(last > 0, 'log');
    if (at % 2 || at === last) {
      hash = await sha256(new Uint8Array([1]), sibling, hash);
      while (at % 2 === 0 && at > 0) up();
    } else {
      hash = await sha256(new Uint8Array([1]), hash, sibling);
    }
    up();
  }
  require(last === 0, 'log');
  return hash;
}

export const leafOf = entry => sha256(new Uint8Array([0]), utf8.encode(entry));

/** The one entry that fits a document (section 4): what the log must say of it. */
export async function entryOf(bytes, document) {
  const kind = String(document.type?.[1]).replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
  return canonical({ body: `sha256:${hex(await sha256(bytes))}`, id: document.id, kind, op: 'publish',
    time: document.validFrom, v: 1, version: document.version });
}

/** Data Integrity, eddsa-jcs-2022: the signature of the document by `document.issuer.id` (section 5). */
export async function credential(document) {
  const { proof, ...rest } = document;
  require(proof !== null && typeof proof === 'object', 'signature');
  const { proofValue, ...options } = proof;
  const issuer = document.issuer?.id ?? document.issuer;
  const method = proof.verificationMethod;
  require(proof.type === 'DataIntegrityProof' && proof.cryptosuite === 'eddsa-jcs-2022'
    && proof.proofPurpose === 'assertionMethod' && canonical(proof['@context']) === canonical(document['@context'])
    && typeof method === 'string' && method === `${issuer}#${String(issuer).slice(8)}`, 'signature');
  return proves(rest, options, proofValue, keyOf(issuer));
}

export async function proves(document, options, proofValue, key) {
  const message = [await sha256(utf8.encode(canonical(options))), await sha256(utf8.encode(canonical(document)))];
  const bytes = new Uint8Array(await new Blob(message).arrayBuffer());
  require(await signed(key, base58(proofValue, 64, 'signature'), bytes), 'signature');
}

/** A checkpoint is signed by the log key; one false line of that key spoils it. */
export async function checkpointSigned({ text, lines }, origin, key) {
  const id = (await sha256(utf8.encode(`${origin}\n`), new Uint8Array([1]), key)).slice(0, 4);
  let count = 0;
  for (const [name, line] of lines.filter(([name]) => name === origin)) {
    const raw = atob(line);
    if (hex(Uint8Array.from(raw.slice(0, 4), letter => letter.charCodeAt(0))) !== hex(id)) continue;
    const bytes = base64(line, 68, 'checkpoint');
    require(await signed(key, bytes.slice(4), utf8.encode(text)), 'checkpoint', name);
    count += 1;
  }
  require(count > 0, 'checkpoint', origin);
}

/** The active key of a use: of the highest generation, with the proof that its holder wanted it there. */
async function active(subject, use, trial) {
  require(Array.isArray(subject.keys) && subject.keys.length <= 64, 'key');
  const [first] = subject.keys.filter(key => key?.use === use).sort((a, b) => b.generation - a.generation);
  require(first, 'key', use);
  const key = keyOf(first.key);
  const wanted = utf8.encode(`jopoi/key/v1\n${subject.node}\n${use}\n${subject.root}\n${first.key}\n`);
  if (trial) require(await signed(key, base64(first.proof, 64, 'key'), wanted), 'key', use);
  return { did: first.key, key };
}

/** All that is checked, from one look at the log: every proof leads to the checkpoint. */
async function gather({ origin, index, keysAt, logKeysAt }, get) {
  const at = [...new Set([index, keysAt, logKeysAt])];
  const decode = bytes => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Failure('checkpoint');
    }
  };
  const bodies = new Map();
  for (const one of at) bodies.set(one, await get(`body/${one}`, LIMITS.body, 'application/vc'));
  for (let round = 0; round < ROUNDS; round += 1) {
    const checkpoint = note(decode(await get('checkpoint', LIMITS.checkpoint, 'text/plain')), origin);
    const proofs = new Map();
    for (const one of at) {
      proofs.set(one, proofFile(decode(await get(`proof/${one}`, LIMITS.proof, 'text/plain')), origin));
    }
    if ([...proofs.values()].every(proof => proof.note.text === checkpoint.text)) return { bodies, proofs, checkpoint };
  }
  throw new Failure('disagree');
}

async function included(entry, index, { proofs, checkpoint }) {
  const proof = proofs.get(index);
  require(proof.index === index, 'log', `${proof.index}`);
  const root = await rootOf(await leafOf(entry), index, checkpoint.size, proof.hashes);
  require(hex(root) === hex(checkpoint.root), 'log');
}

/** A node record: of this node, in the log, signed by its own root. */
async function nodeRecord(index, node, found, trial) {
  const bytes = found.bodies.get(index);
  const document = parse(bytes);
  const subject = document.credentialSubject;
  require(document.type?.[1] === 'Node' && document.issuer?.node === node && subject?.node === node, 'other');
  await included(await entryOf(bytes, document), index, found);
  require(document.issuer.id === subject.root, 'succession');
  if (trial) await credential(document);
  return subject;
}

function notRevoked(subject, feed, { did }, counts) {
  for (const one of Array.isArray(subject.revoked) ? subject.revoked : []) {
    require(one.key !== did || one.feed !== feed || counts(one.size), 'key', did);
  }
}

/**
 * Checks one record. `page` is what the page claims, `get(path, limit, type)` fetches below the feed, and
 * `tell(step, outcome)` hears of each step: `runs`, `holds` or `skipped`. Throws a `Failure` with its `step`.
 */
export async function check(page, get, tell) {
  const [node, feed] = page.origin.split('/');
  const trial = await hasEd25519();
  let step;
  const take = async (name, work, needed = true) => {
    step = name;
    tell(name, 'runs');
    const made = needed ? await work() : undefined;
    tell(name, needed ? 'holds' : 'skipped');
    return made;
  };
  try {
    const found = await take('fetch', () => gather(page, get));
    const bytes = found.bodies.get(page.index);
    const document = await take('record', async () => {
      const document = parse(bytes);
      require(document.id === page.id && document.issuer?.node === node, 'other');
      require(document.feed === page.origin || document.type?.[1] === 'Node', 'other');
      return document;
    });
    await take('entry', async () => {
      const entry = await entryOf(bytes, document);
      require(entry === page.entry, 'entry');
      await included(entry, page.index, found);
    });
    const [then, now, keys] = await take('keys', async () => {
      const then = await nodeRecord(page.keysAt, node, found, trial);
      const now = await nodeRecord(page.logKeysAt, node, found, trial);
      require(then.root === now.root, 'succession');
      const keys = { log: await active(now, 'log', trial), record: await active(then, 'record', trial) };
      notRevoked(now, feed, keys.log, size => found.checkpoint.size <= size);
      notRevoked(now, feed, keys.record, size => page.index < size);
      return [then, now, keys];
    });
    await take('checkpoint', async () => {
      for (const one of [found.checkpoint, ...[...found.proofs.values()].map(proof => proof.note)]) {
        await checkpointSigned(one, page.origin, keys.log.key);
      }
    }, trial);
    await take('signature', async () => {
      const speaks = document.type[1] === 'Node' ? [then.root, then.recovery] : [keys.record.did];
      require(speaks.includes(document.issuer.id), 'key', document.issuer.id);
      await credential(document);
    }, trial);
    return { whole: trial, root: now.root, text: JSON.stringify(document.credentialSubject, null, 1) };
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure('unexpected', String(error));
    failure.step = step;
    throw failure;
  }
}

/** Fetches below a feed: no redirect, one deadline, one limit, one type. */
function getter(feed) {
  return async (path, limit, type) => {
    const end = new AbortController();
    const clock = setTimeout(() => end.abort(), DEADLINE);
    try {
      const answer = await fetch(`${feed}/${path}`, { redirect: 'error', cache: 'no-store', signal: end.signal });
      const told = (answer.headers.get('content-type') ?? '').split(';')[0].trim();
      require(answer.status === 200 && told === type, 'answer', `${path}: ${answer.status} ${told}`);
      const parts = [];
      let length = 0;
      for (const reader = answer.body.getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        length += value.length;
        if (length > limit) end.abort(new Failure('large', path));
        require(length <= limit, 'large', path);
        parts.push(value);
      }
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(end.signal.aborted ? 'slow' : 'unreachable', path);
    } finally {
      clearTimeout(clock);
    }
  };
}

/** Text in which nothing hides: control characters and those that turn the direction stand as codes. */
export function plain(text) {
  return text.replace(/[^\P{C}\n]|[\u2028\u2029]/gu, letter => `\\u{${letter.codePointAt(0).toString(16)}}`);
}

function begin(place) {
  const template = place.querySelector('template');
  const says = name => template.content.querySelector(`[data-say="check-${name}"]`)?.textContent ?? name;
  const { dataset } = template;
  const page = { origin: dataset.origin, id: dataset.id, entry: dataset.entry, index: Number(dataset.index),
    keysAt: Number(dataset.keysAt), logKeysAt: Number(dataset.logKeysAt) };
  place.append(template.content.querySelector('[data-part]').cloneNode(true));
  const part = name => place.querySelector(`[data-part] [data-is="${name}"]`);
  const [start, progress, alarm, after] = ['start', 'progress', 'alarm', 'after'].map(part);
  if (!globalThis.crypto?.subtle) {
    start.disabled = true;
    progress.textContent = says('insecure');
    return;
  }
  const items = [...place.querySelectorAll('[data-part] [data-step]')];
  const outcome = (name, text) => {
    const item = items.find(item => item.dataset.step === `check-step-${name}`);
    item.dataset.outcome = text;
    item.querySelector('strong').textContent = says(text);
    progress.textContent = `${item.querySelector('span').textContent} ${says(text)}`;
  };
  const run = async () => {
    // What the reader asked for is in the address; the page must speak of the same.
    require(location.pathname.endsWith(`/records/${page.origin}/${page.id.replace('urn:uuid:', '')}`), 'other');
    const done = await check(page, getter(dataset.feed), outcome);
    part('root').textContent = done.root;
    part('text').textContent = plain(done.text);
    progress.textContent = says(done.whole ? 'done' : 'partly');
    after.hidden = false;
    place.dataset.verdict = done.whole ? 'holds' : 'partly';
  };
  start.addEventListener('click', async () => {
    start.disabled = true;
    alarm.replaceChildren();
    part('match').replaceChildren();
    after.hidden = true;
    delete place.dataset.verdict;
    for (const item of items) {
      delete item.dataset.outcome;
      item.querySelector('strong').textContent = '';
    }
    part('steps').hidden = false;
    try {
      await run();
    } catch (error) {
      const step = error.step ?? 'fetch';
      outcome(step, 'fails');
      for (const item of items.slice(items.findIndex(item => item.dataset.step === `check-step-${step}`) + 1)) {
        item.querySelector('strong').textContent = says('skipped');
      }
      progress.textContent = '';
      const lines = [says('failed'), `${says(`why-${error.reason ?? 'unexpected'}`)} ${plain(error.detail ?? String(error))}`, says('next')];
      alarm.replaceChildren(...lines.map(text => Object.assign(document.createElement('p'), { textContent: text })));
      place.dataset.verdict = 'fails';
    }
    start.disabled = false;
    start.textContent = says('again');
  });
  part('compare').addEventListener('submit', event => {
    event.preventDefault();
    const given = part('given').value.trim();
    const same = given === part('root').textContent;
    part('match').textContent = given ? says(same ? 'same' : 'different') : '';
    place.dataset.root = same ? 'same' : 'different';
  });
}

if (typeof document !== 'undefined') {
  for (const place of document.querySelectorAll('.check')) if (place.querySelector('template')) begin(place);
}
