// The pages of the public site: filled, empty and in error, for whatever a hub holds.

export const LANGUAGES = ['en', 'ar', 'zh', 'es', 'fr', 'ru', 'pt'];
/** One from the left, one from the right, one without spaces between words. */
export const THREE = LANGUAGES.slice(0, 3);

/** Words no record has. */
const NOTHING = 'xyzzyq';
/** HTML, an override of the direction, and an isolate that nobody closes. */
const ABSURD = '<script>alert(1)</script><h1>\u202E"&\u2067\u0000%';
/** A text ten times as long as what is read of it. */
const LONG = 'recommendation 156.32 '.repeat(470);
/** The same of letters that take three bytes of an address for each of their own. */
const LONG_ARABIC = 'التوصيات ٣٢ '.repeat(500);

/** Pages at addresses of their own, in every language: nothing but texts of the interface. */
export function fixed() {
  const list = { nodes: '/peers', about: '/about', cost: '/cost', accessibility: '/accessibility', download: '/download',
    withdrawals: '/withdrawals', 'network status': '/network-status' };
  return Object.entries(list).map(([name, path]) => ({ name, path, languages: LANGUAGES }));
}

/** Searches: of everything, by words, narrowed twice, on the last page, and all that can be wrong. */
export async function searches(hub) {
  const [state] = await links(hub, '/search', /\/search\?state=[^"&]*/g);
  const query = text => `/search?q=${encodeURIComponent(text)}`;
  return [
    { name: 'search', path: '/search', languages: LANGUAGES },
    { name: 'search, words', path: query('national database of recommendations'), languages: LANGUAGES },
    { name: 'search, Arabic words', path: query('التوصيات') },
    { name: 'search, Chinese words', path: query('建议') },
    { name: 'search, one filter', path: state },
    { name: 'search, two filters', path: '/search?kind=good-practice&language=en' },
    { name: 'search, newest, with withdrawn', path: '/search?order=newest&withdrawn=with' },
    { name: 'search, withdrawn only', path: '/search?withdrawn=only' },
    { name: 'search, second page', path: '/search?page=2' },
    { name: 'search, beyond the last page', path: '/search?page=99', status: 404 },
    { name: 'search, nothing', path: query(NOTHING), languages: LANGUAGES },
    { name: 'search, nothing with filters', path: `${state}&q=${NOTHING}`, languages: LANGUAGES },
    { name: 'search, nothing with one filter', path: `${state}&state=AQ&topic=none`, status: 400 },
    { name: 'search, bad filter', path: '/search?state=Atlantis&kind=%E2%80%AEbest', status: 400 },
    { name: 'search, bad page', path: '/search?page=none&q=report', status: 400 },
    { name: 'search, ten thousand bytes', path: query(LONG) },
    { name: 'search, ten thousand bytes of Arabic', path: query(LONG_ARABIC) },
    { name: 'search, absurd', path: query(ABSURD) },
  ];
}

/** States, comparisons and subjects: those with records, those without, and those that are none. */
export async function directories(hub) {
  const states = await links(hub, '/states', /\/states\/[A-Z]{2}/g);
  const codes = states.map(path => path.slice(-2));
  const beside = count => `/compare?${codes.slice(0, count).map(code => `state=${code}`).join('&')}`;
  const profiled = await find(hub, states, text => text.includes('id="profile-1"'));
  const practised = await find(hub, states, text => !text.includes('id="profile-1"'));
  return [
    { name: 'States', path: '/states', languages: LANGUAGES },
    { name: 'States by name', path: '/states?order=name', languages: LANGUAGES },
    { name: 'State', path: profiled, languages: LANGUAGES },
    { name: 'State without a profile', path: practised },
    { name: 'State without records', path: '/states/TV' },
    { name: 'no State', path: '/states/ZZ', status: 404 },
    { name: 'compare, none', path: '/compare' },
    { name: 'compare, one', path: beside(1) },
    { name: 'compare, two', path: beside(2), languages: LANGUAGES },
    { name: 'compare, four', path: beside(4) },
    { name: 'compare, five', path: beside(5) },
    { name: 'compare, no State', path: '/compare?state=ZZ&state=%3Cb%3E', status: 400 },
    ...await subjects(hub, 'topic', '/topics'),
    ...await subjects(hub, 'goal', '/sdgs'),
    ...await subjects(hub, 'mechanism', '/human-rights-mechanisms'),
  ];
}

async function subjects(hub, name, list) {
  const pages = await links(hub, list, new RegExp(`${list}/[^"?]+`, 'g'));
  // What has records says how many.
  const told = await links(hub, list, new RegExp(`${list}/[^"?]+"[^>]*>(?:(?!</a>).)*</a> <small>`, 'gs'));
  const filled = told.map(text => text.match(/^[^"]*/)[0]);
  return [
    { name: `${name}s`, path: list, languages: LANGUAGES },
    { name: `${name} with records`, path: filled[0] },
    { name: `${name} without records`, path: pages.find(page => !filled.includes(page)) },
    { name: `no ${name}`, path: `${list}/none`, status: 404 },
  ];
}

/** The site of a hub that has neither records nor anybody it follows. */
export function empty(hub) {
  const list = { home: '/', search: '/search', 'search for words': '/search?q=report', States: '/states', State: '/states/PY',
    compare: '/compare', topics: '/topics', goals: '/sdgs', mechanisms: '/human-rights-mechanisms', withdrawals: '/withdrawals',
    'network status': '/network-status', nodes: '/peers', download: '/download' };
  return Object.entries(list).map(([name, path]) => ({ name: `empty hub, ${name}`, path: new URL(path, hub).href }));
}

/** What matches in a page, each once. */
async function links(hub, path, pattern) {
  return [...new Set((await read(hub, path)).match(pattern) ?? [])].map(text => text.replaceAll('&amp;', '&'));
}

async function find(hub, paths, says) {
  for (const path of paths) if (says(await read(hub, path))) return path;
  return undefined;
}

async function read(hub, path) {
  const page = await fetch(new URL(path, hub), { headers: { accept: 'text/html', 'accept-language': 'en' } });
  return page.text();
}
