// Looks at every page of a hub; prints counts and each finding with its page.
// Started by `run`: check.mjs --url HUB [--program JOPOI --data DIR --scene DIR] [--pictures DIR] [--only PATTERN]

import { chromium } from 'playwright-core';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { places, prepare } from './places.mjs';
import { axe, doubled, foreign, languages, lost, printed, sayings, scriptless, spaced, unstyled, width } from './sights.mjs';
import { journey } from './journey.mjs';
import { addresses, firstView, keyboard, languageSwitch } from './manners.mjs';
import { takePictures } from './pictures.mjs';
import { invent } from './scene.mjs';
import { THREE } from './site.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core');
const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
/** Pixels: a small telephone and a desk. 320 is a window of 1,280 at 400 %. */
const NARROW = 360;
const WIDE = 1280;
const ZOOMED = 320;
const HEIGHT = 800;
/** Languages in which somebody goes through the site by keyboard alone. */
const JOURNEYS = ['en', 'ar', 'zh'];
/** Pages whose weight is always told, besides the heaviest. */
const WEIGHED = ['home', 'search', 'search, words', 'record, seven languages', 'State', 'compare, four'];
/** How often a page is looked at with and without scripts until both say the same. */
const LOOKS = 3;
/** Pages open at once. */
const HANDS = Math.max(2, cpus().length);

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' }, program: { type: 'string' }, data: { type: 'string' }, scene: { type: 'string' },
    pictures: { type: 'string' }, only: { type: 'string', default: process.env.ONLY },
  },
});

/** What the interface says of each page in English. */
const said = new Map();
/** What was looked at, how often, and what was found where. */
const tally = new Map();
function note(what, where, found) {
  const line = tally.get(what) ?? { looks: 0, found: [] };
  line.looks += 1;
  line.found.push(...found.map(text => `${where}: ${text}`));
  tally.set(what, line);
}

const started = Date.now();
const scene = options.scene ? await invent(options.program, options.scene) : undefined;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS,
});
try {
  const prepared = options.program ? await prepare(options.url, options.program, options.data) : {};
  const found = await places(options.url, prepared, scene?.places);
  const only = new RegExp(options.only ?? '');
  found.places = found.places.filter(place => only.test(place.name));
  if (options.pictures) await takePictures(browser, options.url, found.places, options.pictures);
  else await everything(found);
} finally {
  await browser.close();
  await scene?.end();
}

async function everything({ places, absent }) {
  const views = [];
  const journeys = JOURNEYS.map(language => async () => {
    note('journey by keyboard', 'home to proof', await journey(browser, options.url, language));
  });
  const work = [...journeys, ...places.flatMap(place => [
    ...place.languages.map(language => () => look(place, language)),
    async () => {
      views.push({ ...await behave(place), name: place.name });
    },
  ])];
  const hand = async () => {
    for (let next = work.shift(); next; next = work.shift()) await next();
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
  report(places, absent, views);
}

function address(place, language) {
  return new URL(`${place.path}${place.path.includes('?') ? '&' : '?'}lang=${language}`, options.url).href;
}

/** One page in one language, narrow and wide. */
async function look(place, language) {
  const context = await browser.newContext({ bypassCSP: true, viewport: { width: NARROW, height: HEIGHT } });
  const page = await context.newPage();
  const where = size => `${place.name}, ${language}, ${size}`;
  await page.goto(address(place, language));
  await page.addScriptTag({ path: AXE });
  const judge = async size => {
    const { wcag, advice } = await axe(page);
    note('axe, WCAG 2.2 A and AA', where(size), wcag);
    note('axe, best practice', where(size), advice);
    note('no sideways scrolling', where(size), await width(page));
  };
  await judge(`${NARROW} px`);
  // What a language changes besides its words is looked at in three of them.
  if (!THREE.includes(language)) {
    note('languages and directions', where('any'), await languages(page, language));
    note('no English in other languages', where('any'), await foreign(page, language, await english(place)));
    await context.close();
    return;
  }
  note('spaced text and text at 140 %', where(`${NARROW} px`), await spaced(page));
  note('languages and directions', where('any'), await languages(page, language));
  if (language !== 'en') {
    note('no English in other languages', where('any'), await foreign(page, language, await english(place)));
  }
  note('nothing lost at 400 %', where(`${ZOOMED} px`), await lost(page, WIDE, ZOOMED));
  await page.setViewportSize({ width: WIDE, height: HEIGHT });
  await judge(`${WIDE} px`);
  note('text at 200 %', where(`${WIDE} px`), await doubled(page));
  if (language === 'en') {
    await page.emulateMedia({ colorScheme: 'dark' });
    const { wcag } = await axe(page, 'color-contrast');
    note('axe, dark colours', where(`${WIDE} px`), wcag);
    note('readable without its style sheet', where(`${WIDE} px`), await unstyled(page));
  }
  if (language !== 'zh') note('on paper', where('A4'), await printed(page));
  await context.close();
}

function english(place) {
  if (!said.has(place)) {
    said.set(place, (async () => {
      const page = await browser.newPage();
      await page.goto(address(place, 'en'));
      const texts = await sayings(page);
      await page.close();
      return texts;
    })());
  }
  return said.get(place);
}

/** One page: what it fetches, without scripts, under the keyboard and when the language is changed. */
async function behave(place) {
  const url = address(place, 'en');
  let view = await firstView(browser, url, 'en', place.status);
  note('first view: requests, bytes, third parties', place.name, view.found);
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: WIDE, height: HEIGHT } });
  const page = await context.newPage();
  await page.goto(url);
  const numberless = text => text.replaceAll(/[0-9a-f]{16,}/g, '');
  let same = false;
  // The federation lives: a receipt may arrive between the two looks.
  for (let tries = 0; !same && tries < LOOKS; tries += 1) {
    if (tries > 0) {
      view = { ...view, text: (await firstView(browser, url, 'en', place.status)).text };
      await page.reload();
    }
    same = numberless(await withoutCheck(page)) === numberless(view.text);
  }
  const scripts = same ? await scriptless(page) : ['says something else without scripts'];
  note('complete without scripts', place.name, scripts);
  note('canonical and alternate addresses', place.name, await addresses(page, place.status));
  const walk = await keyboard(page);
  note('keyboard', `${place.name}, ${walk.stops} stops`, walk.found);
  note('language switch', place.name, await languageSwitch(page, page.url(), ['ar', 'zh', 'fr']));
  await context.close();
  return view;
}

/** The text of a page but for the check in the browser, which only a script has. */
function withoutCheck(page) {
  return page.evaluate(() => {
    const check = document.querySelector('.check');
    if (check) check.hidden = true;
    const text = document.body.innerText;
    if (check) check.hidden = false;
    return text;
  });
}

function report(places, absent, views) {
  const pages = places.reduce((sum, place) => sum + place.languages.length, 0);
  console.log(`${places.length} pages, ${pages} with their languages, ${((Date.now() - started) / 1000).toFixed(0)} s`);
  for (const { name } of absent) console.log(`not here to be looked at: ${name}`);
  views.sort((a, b) => b.bytes - a.bytes);
  for (const { name, bytes, requests } of views.filter((view, at) => at < 3 || WEIGHED.includes(view.name))) {
    console.log(`first view of ${name}: ${bytes} bytes in ${requests} requests`);
  }
  let total = 0;
  for (const [what, { looks, found }] of [...tally].sort()) {
    console.log(`${what}: ${looks} looks, ${found.length} findings`);
    total += found.length;
    for (const line of found) console.log(`  ${line}`);
  }
  console.log(total ? `${total} findings` : 'nothing found');
  process.exitCode = total ? 1 : 0;
}
