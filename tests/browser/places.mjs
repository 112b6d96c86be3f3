// Which pages there are to look at, found through the API of the hub.

import { directories, fixed, LANGUAGES, searches, THREE } from './site.mjs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** How long the hub may take to follow what was published a moment ago, in milliseconds. */
const FOLLOWED_WITHIN = 15_000;

const SEVEN_LANGUAGES = fileURLToPath(new URL('seven-languages.json', import.meta.url));

/** All pages: `{ name, path, languages, status }`, from whatever the hub holds, and those of a scene. */
export async function places(hub, prepared, more = []) {
  const records = await allRecords(hub);
  const of = (kind, language) =>
    records.find(record => record.kind === kind && (!language || record.language === language));
  const feed = busiest(records);
  const older = await link(hub, `/feeds/${feed}`, /href="([^"]*before=[^"]*)"[^>]*rel="next"/);
  const chosen = {
    'practice es': of('good-practice', 'es'),
    'practice zh': of('good-practice', 'zh'),
    'practice ru': of('good-practice', 'ru'),
    'profile fr': of('mechanism-profile', 'fr'),
    'lesson en': of('lesson-learned', 'en'),
    'event ar': of('event', 'ar'),
    'arrangement': of('exchange-arrangement'),
  };
  const list = [
    { name: 'home', path: '/', languages: LANGUAGES },
    { name: 'feed', path: `/feeds/${feed}` },
    { name: 'feed, older', path: older },
    { name: 'node', path: `/nodes/${feed.split('/')[0]}` },
    { name: 'problem', path: '/problems/erased' },
    { name: 'not found', path: '/nothing-is-here', status: 404 },
    ...fixed(),
    ...await searches(hub),
    ...await directories(hub),
    ...Object.entries(chosen).map(([name, found]) => ({
      name: `record, ${name}`,
      path: found && pathOf(found),
    })),
    { name: 'record, seven languages', path: prepared.seven, languages: LANGUAGES },
    { name: 'record, withdrawn', path: prepared.withdrawn },
    { name: 'record, erased', path: prepared.erased },
    ...more,
  ];
  const full = list.map(place => ({ languages: THREE, status: 200, ...place }));
  return { places: full.filter(place => place.path), absent: full.filter(place => !place.path) };
}

/** Publishes a record in seven languages, withdraws one and erases another, and waits for the hub. */
export async function prepare(hub, program, data) {
  const records = await allRecords(hub);
  const node = records[0].origin.split('/')[0];
  const [withdrawn, erased] = records.filter(record => record.origin.startsWith(`${node}/`));
  const own = ['--data', path.join(data, node), '--json'];
  const jopoi = (...words) => JSON.parse(execFileSync(program, [...words, ...own], { encoding: 'utf8', stdio: 'pipe' }));
  const published = JSON.stringify(jopoi('publish', SEVEN_LANGUAGES, '--yes'));
  jopoi('withdraw', withdrawn.id, '--reason', 'superseded', '--yes');
  jopoi('withdraw', erased.id, '--reason', 'data-protection', '--erase', '--yes');
  const id = published.match(/urn:uuid:[0-9a-f-]{36}/)[0];
  const prepared = {
    seven: pathOf({ ...withdrawn, id }),
    withdrawn: pathOf(withdrawn),
    erased: pathOf(erased),
  };
  const end = Date.now() + FOLLOWED_WITHIN;
  for (;;) {
    const seven = await fetch(new URL(prepared.seven, hub));
    const held = new Set((await allRecords(hub)).map(pathOf));
    if (seven.ok && !held.has(prepared.withdrawn) && !held.has(prepared.erased)) return prepared;
    if (Date.now() > end) throw new Error('the hub has not followed what was published for this test');
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

export async function allRecords(hub) {
  const answer = await fetch(new URL('/api/v1/records?limit=200', hub));
  if (!answer.ok) throw new Error(`${answer.url} answers ${answer.status}`);
  return (await answer.json()).records;
}

export function pathOf(record) {
  return `/records/${record.origin}/${record.id.replace('urn:uuid:', '')}`;
}

function busiest(records) {
  const counts = new Map();
  for (const { origin } of records) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0][0];
}

async function link(hub, path, pattern) {
  const page = await (await fetch(new URL(path, hub), { headers: { accept: 'text/html' } })).text();
  return page.match(pattern)?.[1].replaceAll('&amp;', '&');
}
