// What is looked at in a page that stands in the browser. Each function answers with findings, as text.

/** WCAG 2.2 at level AA; axe runs these rules and, apart from them, its good-practice rules. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const ADVICE = ['best-practice'];

/** WCAG 1.4.12, and paragraphs apart. */
const SPACING = `* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-block-end: 2em !important; }`;

/** CSS pixels of the text of a sheet of A4 with usual margins. */
const PAPER = 680;

/** Names of formats, programs and licences, the same in every language. */
const NAMES = /https?:\S+|[\w.-]+@[\w.-]+|Jopói|jopoi|JSON(-LD| Feed)?|CSV|Atom|DOCX|OAI-PMH|OpenAPI|Ed25519|SHA-256|WebCrypto|W3C|C2SP|tlog-\w+|Verifiable Credentials?|WCAG|VoiceOver|NVDA|axe(-core)?|Creative Commons Attribution 4\.0 International|CC[- ]BY[- .0-9A-Z]*|ISO|UTC|[A-Z]{2,}/g;

/** What an author wrote in a field nobody knows (seven-languages.json): of no language. */
const INVENTED = /^(a_field_of_tomorrow|unbroken|listed|deeper|one|two|three|nothingtobreakat.*)$/;

/** axe-core over the whole page, or of it one rule: `{ wcag, advice }`. */
export async function axe(page, rule) {
  const runOnly = rule ? { type: 'rule', values: [rule] } : { type: 'tag', values: [...WCAG, ...ADVICE] };
  // Nothing is loaded once more: no rule asked for looks into style sheets, and no page plays anything.
  const options = { runOnly, resultTypes: ['violations'], preload: false };
  const { violations, incomplete } = await page.evaluate(given => globalThis.axe.run(document, given), options);
  const lines = wanted =>
    violations.filter(rule => rule.tags.some(tag => wanted.includes(tag))).flatMap(rule =>
      rule.nodes.map(node => `${rule.id}: ${rule.help}: ${node.target.join(' ')}`));
  // What axe leaves to people: a contrast it cannot compute. A cell scrolled out of its table has the
  // colours of its neighbours.
  const open = incomplete.filter(rule => rule.id === 'color-contrast').flatMap(rule =>
    rule.nodes.filter(node => !node.any.some(check => /Obscur|outside/i.test(check.data?.messageKey ?? '')))
      .map(node => `${rule.id} undecided: ${node.target.join(' ')}`));
  return { wcag: [...lines(WCAG), ...open], advice: lines(ADVICE) };
}

/** Nothing wider than the window, and nothing beyond its edges that cannot be scrolled to. */
export function width(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth
      ? [`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth}`] : [];
    const scrolls = element => {
      for (let at = element; at && at !== document.body; at = at.parentElement) {
        if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    const out = [...document.body.querySelectorAll('*')].filter(element => {
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height || element.closest('.skip') || scrolls(element)) return false;
      return box.left < -1 || box.right > root.clientWidth + 1;
    });
    const name = element => `${element.tagName.toLowerCase()}.${element.className} “${element.textContent.trim().slice(0, 40)}”`;
    return [...wide, ...out.slice(0, 5).map(element => `beyond the edge: ${name(element)}`)];
  });
}

/** With the letters, words, lines and paragraphs of WCAG 1.4.12 apart and text 40 % larger, nothing is lost. */
export async function spaced(page) {
  await restyle(page, `${SPACING} html { font-size: 140% !important; }`);
  const found = [...await width(page), ...await clipped(page), ...await covered(page)];
  await restyle(page, '');
  return found.map(line => `spaced: ${line}`);
}

/** With text twice as large (WCAG 1.4.4), nothing is lost. */
export async function doubled(page) {
  await restyle(page, 'html { font-size: 200% !important; }');
  const found = [...await width(page), ...await clipped(page), ...await covered(page)];
  await restyle(page, '');
  return found.map(line => `doubled: ${line}`);
}

async function restyle(page, rules) {
  await page.evaluate(text => {
    const id = 'browser-check';
    const style = document.getElementById(id) ?? document.head.appendChild(document.createElement('style'));
    style.id = id;
    style.textContent = text;
  }, rules);
}

/** Boxes that hide a part of their text. The summaries of lists are shortened; their titles lead to the whole. */
function clipped(page) {
  return page.evaluate(() => [...document.body.querySelectorAll('*')].filter(element => {
    const style = getComputedStyle(element);
    const meant = style.display === 'inline' || style.clipPath !== 'none' || element.matches('.summary, input');
    if (meant) return false;
    const hides = axis => ['hidden', 'clip'].includes(axis);
    return (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1)
      || (hides(style.overflowY) && element.scrollHeight > element.clientHeight + 1);
  }).map(element => `cut off: ${element.tagName.toLowerCase()}.${element.className}`));
}

/** Lines of text that lie on one another. */
function covered(page) {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const lines = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.data.trim() || node.parentElement.closest('.skip, .unseen, .scroll, pre, .summary, .filters details ul, script')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) if (box.width > 1) lines.push({ box, node });
    }
    const deep = (a, b) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > Math.min(a.height, b.height) / 2
      && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3;
    lines.sort((a, b) => a.box.top - b.box.top);
    const found = [];
    for (let i = 0; i < lines.length; i += 1) {
      for (let j = i + 1; j < lines.length && lines[j].box.top < lines[i].box.bottom; j += 1) {
        if (lines[i].node !== lines[j].node && deep(lines[i].box, lines[j].box)) {
          found.push(`“${lines[i].node.data.trim().slice(0, 30)}” and “${lines[j].node.data.trim().slice(0, 30)}” lie on one another`);
        }
      }
    }
    return found.slice(0, 5);
  });
}

/**
 * The page says its language and direction, and so does every passage in another script; an empty
 * `lang` says that the author did not tell.
 */
export function languages(page, expected) {
  return page.evaluate(code => {
    const found = [];
    const root = document.documentElement;
    const right = new Set(['ar', 'fa', 'he', 'ur']);
    const direction = lang => (right.has(lang.split('-')[0]) ? 'rtl' : 'ltr');
    if (root.lang !== code) found.push(`the page says it is in “${root.lang}”, not ${code}`);
    if (root.dir !== direction(code)) found.push(`the page runs ${root.dir || 'nowhere'}`);
    if (!document.title.trim()) found.push('no title');
    const headings = document.querySelectorAll('h1').length;
    if (headings !== 1) found.push(`${headings} headings of the first level`);
    for (const element of document.body.querySelectorAll('[lang]:not([lang=""])')) {
      if (getComputedStyle(element).direction !== direction(element.lang)) {
        found.push(`${element.lang} runs the wrong way: “${element.textContent.trim().slice(0, 40)}”`);
      }
    }
    const scripts = [
      [/\p{Script=Arabic}/u, ['ar', 'fa', 'ur', 'ps']],
      [/\p{Script=Han}/u, ['zh', 'ja']],
      [/\p{Script=Cyrillic}/u, ['ru', 'ky', 'uz', 'kk', 'mn', 'sr', 'uk', 'bg']],
    ];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.data.trim();
      const at = walker.currentNode.parentElement;
      if (at.closest('script')) continue;
      const lang = at.closest('[lang]').lang.split('-')[0];
      for (const [script, tongues] of scripts) {
        if (lang && script.test(text) && !tongues.includes(lang)) found.push(`“${text.slice(0, 40)}” stands as ${lang}`);
      }
      // In a page from the right, a name of a machine or a path keeps its order only where it is set apart.
      const apart = at.closest('bdi, pre, [dir=ltr], main [lang]');
      // As characters of isolation set apart what stands inside of a sentence.
      const open = text.replace(/\u2068[^\u2068\u2069]*\u2069/g, '');
      if (code === 'ar' && lang === 'ar' && !apart && /\/[a-z]|[a-z]\/|[a-z]\.[a-z]/i.test(open)) {
        found.push(`not set apart: “${text.slice(0, 60)}”`);
      }
    }
    return found;
  }, expected);
}

/** No script and nothing that would run one. */
export function scriptless(page) {
  return page.evaluate(() => [...document.querySelectorAll('*')].flatMap(element => {
    const handlers = [...element.attributes].filter(({ name }) => name.startsWith('on'));
    const script = element.matches('script:not([type="application/ld+json"]), noscript, iframe, object, embed, style')
      || element.getAttribute('href')?.startsWith('javascript:') || element.hasAttribute('style');
    return script && element.id !== 'browser-check' || handlers.length ? [`script or inline style: ${element.outerHTML.slice(0, 80)}`] : [];
  }));
}

/** Without the style sheet the page says the same in the same order, with its main part before the foot. */
export async function unstyled(page) {
  const styled = await words(page);
  await page.evaluate(() => { for (const sheet of document.styleSheets) sheet.disabled = true; });
  const plain = await words(page);
  await page.evaluate(() => { for (const sheet of document.styleSheets) sheet.disabled = false; });
  // Cells of a table are apart with the style sheet or without: spaces do not count.
  const rest = plain.join('');
  let at = 0;
  for (const word of styled) {
    const next = rest.indexOf(word, at);
    if (next < 0) return [`without its style sheet the page lacks “${word}” after “${rest.slice(Math.max(0, at - 30), at)}”`];
    at = next + word.length;
  }
  return [];
}

/** What is read in a wide window stands in a narrow one too; a heading of columns goes into each cell there. */
export async function lost(page, wide, narrow) {
  await page.setViewportSize({ width: wide, height: 800 });
  const before = await words(page, 'main thead');
  await page.setViewportSize({ width: narrow, height: 800 });
  const after = new Map();
  for (const word of await words(page, 'main thead')) after.set(word, (after.get(word) ?? 0) + 1);
  const missing = before.filter(word => {
    const left = after.get(word) ?? 0;
    after.set(word, left - 1);
    return left < 1;
  });
  const found = [...await width(page), ...await clipped(page), ...await covered(page)];
  if (missing.length) found.push(`lost in ${narrow} px: “${missing.slice(0, 8).join(' ')}”`);
  return found;
}

/** On paper: nothing beyond the edge or on one another, dark on white, and the title and text are there. */
export async function printed(page) {
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.setViewportSize({ width: PAPER, height: 1000 });
  const found = [...await width(page), ...await covered(page), ...await page.evaluate(() => {
    const shown = element => element.checkVisibility() && element.getBoundingClientRect().height > 0;
    const lines = [...document.querySelectorAll('main :is(h1, h2, h3, p, dd, li, td, th)')].filter(element =>
      element.textContent.trim() && !element.closest('nav, form, details, .check, .long, .filters, .actions, .ways, .choose, .along, .pager, .forms, .down, .shelf .kind')
      // A section that serves only who reads on a screen is left out as a whole, and so is a head whose names stand in
      // each cell of a narrow table.
      && element.closest('section')?.checkVisibility() !== false && !element.closest('.beside thead'));
    const hidden = lines.filter(element => !shown(element)).slice(0, 3)
      .map(element => `not on paper: ${element.tagName.toLowerCase()} “${element.textContent.trim().slice(0, 40)}”`);
    const dark = [...document.querySelectorAll('main *')].filter(element => {
      const [r, g, b, a = 1] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
      return a > 0 && r + g + b < 550;
    }).slice(0, 3).map(element => `dark on paper: ${element.tagName.toLowerCase()}.${element.className}`);
    const pale = [...document.querySelectorAll('main :is(h1, p, dd, td, li, a)')].filter(element => {
      const [r, g, b] = getComputedStyle(element).color.match(/[\d.]+/g).map(Number);
      return r + g + b > 380;
    }).slice(0, 3).map(element => `pale on paper: ${element.tagName.toLowerCase()}.${element.className}`);
    return [...hidden, ...dark, ...pale];
  })];
  await page.emulateMedia({ media: null, colorScheme: null });
  return found.map(line => `print: ${line}`);
}

/** What the interface itself says in this page, in its own language: texts and the names of things without text. */
export function sayings(page) {
  return page.evaluate(() => {
    const own = document.documentElement.lang;
    // The United Nations names the targets of the Goals in its six languages; in Portuguese they stand in English.
    const targets = own === 'pt' ? at => at.closest('.tags') !== null : () => false;
    const ours = at => at.closest('[lang]').lang === own && !targets(at) && !at.closest('script, bdi, pre, code, .symbol, option, select');
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const said = [document.title.split(' – ').length > 1 ? '' : document.title];
    while (walker.nextNode()) if (ours(walker.currentNode.parentElement)) said.push(walker.currentNode.data);
    for (const name of ['aria-label', 'placeholder', 'title', 'alt', 'data-label']) {
      for (const element of document.querySelectorAll(`[${name}]`)) if (ours(element)) said.push(element.getAttribute(name));
    }
    return said.map(text => text.replace(/\u2068[^\u2068\u2069]*\u2069/g, '').replace(/\s+/g, ' ').trim()).filter(Boolean);
  });
}

/** What stands there as it does in English although the page is not; names of States and formats do so rightly. */
export async function foreign(page, language, english) {
  const known = new Set(english);
  const latin = ['es', 'fr', 'pt'].includes(language);
  const meant = latin ? /\p{Letter}{2,}.*\s.*\p{Letter}{2,}/u : /[a-z]{4,}/i;
  const name = /^(\p{Lu}\p{Letter}+[ -]?)+$/u;
  return [...new Set(await sayings(page))]
    .filter(text => known.has(text) && meant.test(text.replace(NAMES, '')) && !INVENTED.test(text) && !(latin && name.test(text)))
    .slice(0, 5).map(text => `in English: “${text.slice(0, 60)}”`);
}

function words(page, without) {
  return page.evaluate(selector => {
    const text = element => element.innerText;
    const hidden = selector ? [...document.querySelectorAll(selector)].flatMap(element => text(element).split(/\s+/)) : [];
    const all = text(document.body).toLowerCase().split(/\s+/).filter(Boolean);
    for (const word of hidden) {
      const at = all.indexOf(word.toLowerCase());
      if (at >= 0) all.splice(at, 1);
    }
    return all;
  }, without);
}
