// How a page behaves: what it fetches, without scripts, under the keyboard, when the language is changed.

import { LANGUAGES } from './site.mjs';

const REQUESTS_MAX = 4;
/** Compressed, headers included: a first view over a slow satellite line (docs/protocol.md has the limits of programs). */
const BYTES_MAX = 60_000;
/** What the tabulator stops at. */
export const STOPS = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
/** More stops of the tabulator than any page has; a ring without end would otherwise never end. */
const STOPS_MAX = 400;

/** A first view in a new browser without scripts: requests, bytes, what it logs, and its text. */
export async function firstView(browser, url, language, status) {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: language });
  const page = await context.newPage();
  const found = [];
  const finished = [];
  page.on('console', message => found.push(`the browser says: ${message.text()}`));
  page.on('pageerror', error => found.push(`the browser says: ${error.message}`));
  const asked = [];
  page.on('request', request => asked.push(request.url()));
  page.on('requestfinished', request => finished.push(request));
  page.on('requestfailed', request => found.push(`not fetched: ${request.url()}`));
  const answer = await page.goto(url, { waitUntil: 'load' });
  if (answer.status() !== status) found.push(`answers ${answer.status()}, not ${status}`);
  const icons = await page.locator('link[rel~=icon]').evaluateAll(links => links.map(link => link.href));
  let bytes = 0;
  const addresses = new Set([...icons, ...asked]);
  for (const request of finished) {
    const sizes = await request.sizes();
    bytes += sizes.responseBodySize + sizes.responseHeadersSize;
  }
  for (const icon of icons.filter(icon => !finished.some(request => request.url() === icon))) {
    bytes += (await (await context.request.get(icon)).body()).length;
  }
  const foreign = [...addresses].filter(address => new URL(address).origin !== new URL(url).origin);
  found.push(...foreign.map(address => `asks a third party: ${address}`));
  if (addresses.size > REQUESTS_MAX) found.push(`${addresses.size} requests, more than ${REQUESTS_MAX}`);
  if (bytes > BYTES_MAX) found.push(`${bytes} bytes, more than ${BYTES_MAX}`);
  // A refused address logs its status; that is what was asked for here.
  const expected = line => status >= 400 && line.includes(`status of ${status}`);
  const text = await page.locator('body').innerText();
  await context.close();
  return { found: found.filter(line => !expected(line)), requests: addresses.size, bytes, text };
}

/** The skip link, a visible focus at every stop in the order of the page, and nothing out of reach. */
export async function keyboard(page) {
  const found = [];
  const look = () => page.evaluate(here, STOPS);
  await page.keyboard.press('Tab');
  const first = await look();
  if (!first.skip || !first.seen) found.push(`the first stop is ${first.name}, not a visible skip link`);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  const inside = await look();
  if (!inside.main && await page.evaluate(reachable, `main :is(${STOPS})`)) found.push(`the skip link leads to ${inside.name}`);
  // Anew, without the place in the page that the skip link chose.
  const address = new URL(page.url());
  address.hash = '';
  await page.goto('about:blank');
  await page.goto(address.href);
  const count = await page.evaluate(reachable, STOPS);
  let stops = 0;
  for (let last = -1; stops < STOPS_MAX;) {
    await page.keyboard.press('Tab');
    const at = await look();
    if (at.body || at.order >= 0 && at.order <= last && stops >= count) break;
    if (!at.outlined || !at.seen) found.push(`${at.outlined ? 'out of sight' : 'no outline'} at ${at.name}`);
    // A long list that scrolls may be a stop of its own.
    if (at.order < 0) continue;
    if (at.order !== last + 1) found.push(`out of order at ${at.name}`);
    last = at.order;
    stops += 1;
  }
  if (stops !== count) found.push(`${stops} of ${count} things are reached`);
  return { found, stops };
}

/** Runs in the page: how many things of a kind are to be seen. */
function reachable(selector) {
  return [...document.querySelectorAll(selector)].filter(element => element.checkVisibility()).length;
}

/** Runs in the page: what has the focus, and whether a reader sees that it has. */
export function here(stops = 'a') {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + Math.min(box.width / 2, 20), 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 10), 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  return {
    name: `${at.tagName.toLowerCase()} “${at.textContent.trim().slice(0, 40)}”`,
    skip: at.matches('.skip'),
    main: at.closest('main') !== null,
    body: at === document.body,
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
      && (at.contains(top) || (top?.contains(at) ?? false)),
    order: [...document.querySelectorAll(stops)].filter(element => element.checkVisibility()).indexOf(at),
  };
}

/** A language chosen at the foot keeps the page, and the links of that page keep the language. */
export async function languageSwitch(page, url, languages) {
  const found = [];
  const plain = address => {
    const { pathname, searchParams } = new URL(address);
    searchParams.delete('lang');
    return `${pathname}?${searchParams}`;
  };
  for (const language of languages) {
    const link = page.locator(`.languages a[hreflang="${language}"]`);
    await Promise.all([page.waitForURL(`**lang=${language}*`), link.click()]);
    const lang = await page.locator('html').getAttribute('lang');
    if (lang !== language || plain(page.url()) !== plain(url)) found.push(`${language} leads to ${page.url()} in ${lang}`);
    const current = await page.locator('.languages [aria-current]').getAttribute('hreflang');
    if (current !== language) found.push(`${current} is marked in a page in ${language}`);
  }
  const last = languages.at(-1);
  await page.locator('header.site a.name').click();
  const lang = await page.locator('html').getAttribute('lang');
  if (lang !== last) found.push(`the name of the site leads from ${last} to ${lang}`);
  return found;
}

/**
 * One canonical address in the language of the page, and one for each language, all of this very page; none where
 * there is nothing to be found at.
 */
export async function addresses(page, status) {
  const found = [];
  const { canonical, alternates } = await page.evaluate(() => ({
    canonical: [...document.querySelectorAll('link[rel=canonical]')].map(link => link.href),
    alternates: [...document.querySelectorAll('link[rel=alternate][hreflang]')].map(link => [link.hreflang, link.href]),
  }));
  const here = new URL(page.url());
  const there = status < 400;
  if (canonical.length !== (there ? 1 : 0)) found.push(`${canonical.length} canonical addresses`);
  for (const address of canonical.map(address => new URL(address))) {
    if (address.pathname !== here.pathname) found.push(`canonical is ${address.href}`);
  }
  const expected = there ? ['x-default', ...LANGUAGES].sort().join() : '';
  const given = alternates.map(([language]) => language).sort().join();
  if (given !== expected) found.push(`alternates are ${given}`);
  for (const [language, href] of alternates) {
    const address = new URL(href);
    const lang = address.searchParams.get('lang');
    if (address.pathname !== here.pathname || lang !== (language === 'x-default' ? null : language)) {
      found.push(`${language} is at ${href}`);
    }
  }
  return found;
}
