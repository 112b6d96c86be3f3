// A picture of each page, for people to look at.

import { mkdirSync } from 'node:fs';
import path from 'node:path';

const SIZES = [1280, 360];
const TONGUES = ['en', 'ar'];

/** Writes `PAGE-LANGUAGE-WIDTH.png` for each page into `directory`. */
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
  console.log(`${places.length * TONGUES.length * SIZES.length} pictures in ${directory}`);
}
