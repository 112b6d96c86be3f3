// A reader without a mouse, from the front page to the proof of a record, and to another language.

import { here, STOPS } from './manners.mjs';

/** More stops than any page has. */
const STOPS_MAX = 400;

/** Skip link, words, a filter, a record, its proof, another language: by keys alone. Answers with what went wrong. */
export async function journey(browser, hub, language) {
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const steps = new Steps(page);
  try {
    await page.goto(new URL(`/?lang=${language}`, hub).href);
    await steps.to('the skip link', '.skip');
    await steps.press('Enter');
    await page.goto(new URL(`/?lang=${language}`, hub).href);
    await steps.to('the search box', 'input[type=search]');
    await page.keyboard.type('2');
    await steps.leaves(() => page.keyboard.press('Enter'), 'q=2');
    await steps.to('a filter', '.filters a[href*="kind="]', '.filters summary');
    await steps.leaves(() => page.keyboard.press('Enter'), 'kind=');
    await steps.to('a hit', '.hits h3 a');
    await steps.leaves(() => page.keyboard.press('Enter'), '/records/');
    await steps.to('the proof', 'main a[href*="/proof"], main .proof *, main #proof *');
    const other = language === 'ar' ? 'en' : 'ar';
    // The languages stand at the head of the page.
    await page.goto(page.url());
    await steps.to('another language', `.languages a[hreflang="${other}"]`);
    await steps.leaves(() => page.keyboard.press('Enter'), `lang=${other}`);
    if (!page.url().includes('/records/')) steps.found.push(`the other language is at ${page.url()}`);
  } catch (error) {
    steps.found.push(error.message.split('\n')[0]);
  }
  await context.close();
  return steps.found.map(line => `${language}: ${line}`);
}

class Steps {
  constructor(page) {
    Object.assign(this, { page, found: [] });
  }

  /** On with the tabulator until something of this kind has the focus; what is folded away is unfolded on the way. */
  async to(name, selector, unfold) {
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      await this.page.keyboard.press('Tab');
      const at = await this.page.evaluate(here, STOPS);
      if (!at.outlined || !at.seen) this.found.push(`${at.outlined ? 'out of sight' : 'no outline'} at ${at.name}`);
      const is = wanted => this.page.evaluate(wanted => document.activeElement.matches(wanted), wanted);
      if (await is(selector)) return;
      if (at.body) break;
      if (unfold && await is(`details:not([open]) > :is(${unfold.split(' ').at(-1)})`)) await this.press('Enter');
    }
    throw new Error(`${name} is not reached by keys at ${this.page.url()}`);
  }

  press(key) {
    return this.page.keyboard.press(key);
  }

  async leaves(act, wanted) {
    await Promise.all([this.page.waitForURL(url => url.href.includes(wanted), { timeout: 10_000 }), act()]);
  }
}
