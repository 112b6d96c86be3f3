// A picture of each page, for people to look at.

import { mkdirSync } from 'node:fs';
import path from 'node:path';

const SIZES = [1280, 360];
const TONGUES = ['en', 'ar', 'zh'];

/** What docs/pictures shows: the place, its language, and a window. A palette of 64 colours makes them small. */
const SHOWN = [
  { file: 'hub', name: 'home', language: 'en', width: 1200, height: 900 },
  { file: 'search-arabic', name: 'search, Arabic words', language: 'ar', width: 360, height: 720 },
  { file: 'record', name: 'record, practice es', language: 'en', width: 1000, height: 860 },
  { file: 'state', name: 'State', language: 'fr', width: 1000, height: 860 },
  { file: 'compare', name: 'compare, two', language: 'zh', width: 1000, height: 860 },
];

/** Writes `PAGE-LANGUAGE-WIDTH.png` for each page into `directory`, and what is shown in the documentation. */
export async function takePictures(browser, hub, places, directory) {
  mkdirSync(directory, { recursive: true });
  for (const place of places) {
    for (const language of TONGUES) {
      for (const width of SIZES) {
        const page = await browser.newPage({ viewport: { width, height: 800 } });
        const query = place.path.includes('?') ? '&' : '?';
        await page.goto(new URL(`${place.path}${query}lang=${language}`, hub).href);
        const name = `${place.name.replaceAll(/\W+/g, '-')}-${language}-${width}.png`;
        await page.screenshot({ path: path.join(directory, name), fullPage: true });
        await page.close();
      }
    }
  }
  for (const { file, name, language, width, height } of SHOWN) {
    const place = places.find(place => place.name === name);
    if (!place) continue;
    const page = await browser.newPage({ viewport: { width, height } });
    const query = place.path.includes('?') ? '&' : '?';
    await page.goto(new URL(`${place.path}${query}lang=${language}`, hub).href);
    await page.screenshot({ path: path.join(directory, `shown-${file}.png`) });
    await page.close();
  }
  console.log(`${places.length * TONGUES.length * SIZES.length} pictures in ${directory}`);
}
