// A network of invented States (XA to XZ) with everything in it that readers may meet: receipts, erasure,
// participants that pause, end, are succeeded and get a root key back, a feed that goes on elsewhere, two
// versions of one feed, a restricted feed. Made by the program's own commands, and served on this machine.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { empty, LANGUAGES } from './site.mjs';

const run = promisify(execFile);

const MECHANISM = {
  en: 'Mechanism of', ar: 'آلية', zh: '机制', es: 'Mecanismo de', fr: 'Mécanisme de', ru: 'Механизм', pt: 'Mecanismo de',
};
const NETWORK = {
  en: 'Network of invented States', ar: 'شبكة دول مختلقة', zh: '虚构国家网络', es: 'Red de Estados inventados',
  fr: 'Réseau d’États inventés', ru: 'Сеть вымышленных государств', pt: 'Rede de Estados inventados',
};
const SECRETARIAT = {
  en: 'Invented secretariat', ar: 'أمانة مختلقة', zh: '虚构秘书处', es: 'Secretaría inventada',
  fr: 'Secrétariat inventé', ru: 'Вымышленный секретариат', pt: 'Secretariado inventado',
};
const NEIGHBOURS = {
  en: 'Neighbours', ar: 'الجيران', zh: '邻国', es: 'Vecinos', fr: 'Voisins', ru: 'Соседи', pt: 'Vizinhos',
};
const DECIDED = ['--decision-body', 'en=First meeting of an invented network', '--decision-date', '2026-11-20', '--yes'];
/** How long a follower may take to hear of something, in milliseconds. */
const HEARD_WITHIN = 60_000;

/** Builds everything in `directory`; answers with the pages to look at, and `end` to stop the servers. */
export async function invent(program, directory) {
  const world = new World(program, directory);
  try {
    return { places: await world.build(), end: () => world.end() };
  } catch (error) {
    await world.end();
    throw error;
  }
}

class World {
  constructor(program, directory) {
    Object.assign(this, { program, directory, servers: [], ports: {}, urls: {} });
    for (const part of ['nodes', 'apart']) fs.mkdirSync(path.join(directory, part), { recursive: true });
  }

  async build() {
    await this.make('hub', 'hub.example', null);
    await this.make('net', 'network.example', null);
    for (const state of ['XA', 'XB', 'XC', 'XD', 'XE']) await this.make(state, nodeOf(state), state);
    for (const state of ['XF', 'XG', 'XH']) await this.make(state, nodeOf(state), state, 'apart');
    this.servers.push(await this.serve('nodes'));
    await this.network();
    const records = await this.records();
    const restricted = await this.restricted();
    const forked = await this.twoVersions();
    const continued = await this.continued();
    const door = await this.operatorsDoor('XA');
    const hubs = await this.operatorsDoor('hub');
    const group = await this.until('hub', '/networks/network.example', text => text.includes('/groups/'));
    await this.make('empty', 'empty.example', null, 'apart');
    this.servers.push(await this.serve('apart/empty'));
    return [
      { name: 'received by', path: this.at('XA', records.standing), languages: LANGUAGES },
      { name: 'received by, for the operator', path: door + records.standing.slice(1) },
      { name: 'erased by', path: this.at('XA', records.erased), languages: LANGUAGES },
      { name: 'erased text', path: this.at('XA', records.text), status: 410 },
      { name: 'restricted feed, for the operator', path: `${door}feeds/${restricted}`, languages: LANGUAGES },
      { name: 'restricted feed, for others', path: this.at('XA', `/feeds/${restricted}`), status: 404 },
      { name: 'two versions, feed', path: this.at('hub', `/feeds/${nodeOf('XF')}/public`), languages: LANGUAGES },
      { name: 'two versions, record', path: this.at('hub', forked), languages: LANGUAGES },
      { name: 'feed that goes on', path: this.at('hub', `/feeds/${nodeOf('XG')}/public`), languages: LANGUAGES },
      { name: 'continuation', path: this.at('hub', `/feeds/${nodeOf('XG')}/public-2`) },
      { name: 'record that counts no more', path: this.at('hub', continued), languages: LANGUAGES },
      { name: 'proof with a network', path: this.at('hub', records.standing), languages: LANGUAGES },
      { name: 'network', path: this.at('hub', '/networks/network.example'), languages: LANGUAGES },
      { name: 'network, for the operator', path: `${hubs}networks/network.example`, languages: LANGUAGES },
      { name: 'network, at home', path: this.at('net', '/networks/network.example') },
      { name: 'nodes of a network', path: this.at('hub', '/peers'), languages: LANGUAGES },
      { name: 'group', path: this.at('hub', group.match(/\/groups\/[^"?]*/)[0]), languages: LANGUAGES },
      { name: 'network status of a network', path: this.at('hub', '/network-status'), languages: LANGUAGES },
      { name: 'withdrawals of a network', path: this.at('hub', '/withdrawals'), languages: LANGUAGES },
      { name: 'States of a network', path: this.at('hub', '/states') },
      ...empty(this.urls.empty),
      ...['not-found', 'too-many-requests', 'misdirected', 'read-only', 'unknown-key', 'locked'].map(name =>
        ({ name: `problem ${name}`, path: this.at('hub', `/problems/${name}`) })),
    ];
  }

  /** XA publishes, withdraws and erases; the hub receives. */
  async records() {
    const id = await this.publish('XA', 'nodes', practice('XA', 'A practice that others have received'));
    const erased = await this.publish('XA', 'nodes', practice('XA', 'A practice that was withdrawn'));
    await this.on('nodes/XA', 'withdraw', erased, '--reason', 'data-protection', '--erase', '--yes');
    // Six servers run; the seventh participant has not begun to serve.
    const said = await this.until('XA', recordOf('XA', erased), text => text.includes('erased by 6 of 7'));
    const [, index] = said.match(/entry (\d+), text erased/);
    return { standing: recordOf('XA', id), erased: recordOf('XA', erased), text: `/feeds/${nodeOf('XA')}/public/body/${index}` };
  }

  /** A feed that only two nodes may read. */
  async restricted() {
    const nodes = [nodeOf('XD'), 'hub.example'].join();
    const begun = JSON.stringify(await this.on('nodes/XA', 'feed', 'new', '--nodes', nodes));
    const origin = begun.match(/mechanism-xa\.example\/r-[a-z2-7]{26}/)[0];
    await this.publish('XA', 'nodes', practice('XA', 'A practice for neighbours'), '--feed', origin.split('/')[1]);
    return origin;
  }

  /** XF is dishonest: it shows one feed, then another with the same keys. */
  async twoVersions() {
    const [one, other] = ['apart/XF', 'apart/XF-other'];
    this.copy(one, other);
    await this.publish('XF', 'apart', practice('XF', 'The version that was received first'));
    this.copy(one, 'XF-shown');
    this.putBack(one, other);
    await this.publish('XF', 'apart', practice('XF', 'Another version'));
    this.copy(one, other);
    this.putBack(one, 'XF-shown');
    const shown = await this.serve(one);
    await this.follow('hub', 'XF');
    const feed = `/feeds/${nodeOf('XF')}/public`;
    const text = await this.until('hub', feed, text => text.includes('received first'));
    await shown.end();
    this.putBack(one, other);
    this.servers.push(await this.serve(one));
    await this.until('hub', feed, text => text.includes('pending clarification'));
    return text.match(/\/records\/[^"?]*/)[0];
  }

  /** XG lost its last entry, and goes on in a feed of its own root's making. */
  async continued() {
    const data = 'apart/XG';
    await this.publish('XG', 'apart', practice('XG', 'A practice from before'));
    this.copy(data, 'XG-before');
    const lost = await this.publish('XG', 'apart', practice('XG', 'A practice that counts no more'));
    const whole = await this.serve(data);
    await this.follow('hub', 'XG');
    await this.until('hub', `/feeds/${nodeOf('XG')}/public`, text => text.includes('counts no more'));
    await whole.end();
    fs.rmSync(this.inside(data), { recursive: true });
    this.copy('XG-before', data);
    await this.on(data, 'restore', '--accept-loss', '--root-file', this.root('XG', 'apart'));
    this.servers.push(await this.serve(data));
    await this.until('hub', `/feeds/${nodeOf('XG')}/public`, text => text.includes('goes on in'));
    await this.until('hub', `/feeds/${nodeOf('XG')}/public-2`, (_, answer) => answer.ok);
    return recordOf('XG', lost);
  }

  /** Everything that can be decided, and something that is not decided yet. */
  async network() {
    const file = this.inside('network');
    const begun = await this.on('nodes/net', 'network', 'init', '-o', file);
    // The hub knew another node by this name before.
    const impostor = await this.serve('apart/XH');
    await this.follow('hub', 'XH');
    await impostor.end();
    fs.rmSync(this.inside('apart/XH'), { recursive: true });
    fs.rmSync(this.root('XH', 'apart'));
    await this.make('XH', nodeOf('XH'), 'XH', 'apart');
    const register = async (name, node, part = 'nodes', how = ['register']) => {
      const asked = this.inside(`${name}.request`);
      const fingerprint = ['--fingerprint', begun.fingerprint, '--root', this.root(name, part), '--request', asked];
      await this.on(`${part}/${name}`, 'join', file, ...fingerprint);
      await this.decide(...how, ...how[0] === 'succeed' ? [node] : [], asked);
    };
    await register('hub', 'hub.example');
    for (const state of ['XA', 'XB', 'XC', 'XE']) await register(state, nodeOf(state));
    await register('XH', nodeOf('XH'), 'apart');
    await register('XD', nodeOf('XD'), 'nodes', ['succeed', nodeOf('XC')]);
    await this.decide('pause', nodeOf('XB'), '--status-reason', 'own-request');
    const names = Object.entries(NEIGHBOURS).map(([language, name]) => `${language}=${name}`);
    await this.decide('group', ...names, '--members', `${nodeOf('XA')},${nodeOf('XD')}`);
    const { networks: [known] } = await this.on('nodes/net', 'network', 'status');
    const member = node => `${node}=${known.participants.find(one => one.node === node).root}`;
    const committee = [nodeOf('XA'), 'hub.example'].map(member).join();
    await this.decide('policy', '--committee', committee, '--threshold', '2');
    await this.until('hub', '/networks/network.example', text => text.includes('waiting for approval'));
  }

  decide(...words) {
    return this.on('nodes/net', 'network', ...words, ...DECIDED);
  }

  async make(data, node, state, part = 'nodes') {
    const port = this.ports[data] ??= await freePort();
    this.urls[data] = `http://127.0.0.1:${port}/`;
    const organization = data === 'net' ? NETWORK : SECRETARIAT;
    const names = LANGUAGES.flatMap(language =>
      ['--name', `${language}=${state ? `${MECHANISM[language]} ${state}` : organization[language]}`]);
    const whose = state ? ['--state', state] : LANGUAGES.flatMap(language => ['--organization', `${language}=${organization[language]}`]);
    await this.on(`${part}/${data}`, 'init', node, ...names, ...whose, '--reuse', 'CC-BY-4.0', '--language', 'en',
      '--listen', `127.0.0.1:${port}`, '--url', this.urls[data], '--allow-network', '127.0.0.0/8');
    const settings = this.inside(`${part}/${data}/jopoi.toml`);
    const text = fs.readFileSync(settings, 'utf8');
    fs.writeFileSync(settings, text.replace('sample = false', 'sample = true').replace('interval_s = 300', 'interval_s = 1'));
    fs.renameSync(this.inside(`${part}/${node}.root-key`), this.root(data, part));
  }

  async publish(state, part, draft, ...words) {
    const file = this.inside('draft.json');
    fs.writeFileSync(file, JSON.stringify(draft));
    const answer = JSON.stringify(await this.on(`${part}/${state}`, 'publish', file, '--yes', ...words));
    return answer.match(/urn:uuid:([0-9a-f-]{36})/)[1];
  }

  follow(data, followed) {
    return this.on(`nodes/${data}`, 'follow', this.urls[followed], '--yes');
  }

  async on(data, ...words) {
    const directory = ['--data', this.inside(data), '--json'];
    const { stdout } = await run(this.program, [...words, ...directory], { maxBuffer: 16 << 20 });
    return JSON.parse(stdout);
  }

  /** A page in English, once it says so. */
  async until(data, page, says) {
    const end = Date.now() + HEARD_WITHIN;
    for (;;) {
      const url = new URL(page, this.urls[data]);
      url.searchParams.set('lang', 'en');
      const answer = await fetch(url, { headers: { accept: 'text/html' } });
      const text = await answer.text();
      if (says(text.toLowerCase(), answer)) return text;
      if (Date.now() > end) throw new Error(`${url} never said what this scene is about:\n${text}`);
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  }

  async serve(data) {
    const log = fs.openSync(this.inside(`${data.replace('/', '-')}.log`), 'a');
    const child = spawn(this.program, ['serve', '--json', '--data', this.inside(data)], { stdio: ['ignore', 'pipe', log] });
    const ended = new Promise(resolve => child.once('exit', resolve));
    const lines = readline.createInterface({ input: child.stdout });
    const single = fs.existsSync(this.inside(`${data}/jopoi.toml`));
    let waiting = single ? 1 : fs.readdirSync(this.inside(data), { withFileTypes: true }).filter(one => one.isDirectory()).length;
    await new Promise((resolve, reject) => {
      lines.on('line', () => { if ((waiting -= 1) === 0) resolve(); });
      ended.then(code => reject(new Error(`the server of ${data} ended with ${code}`)));
    });
    return { end: () => { child.kill(); return ended; } };
  }

  /** What the operator reads: the control socket of a node, at a port of its own. */
  async operatorsDoor(data) {
    const socketPath = this.inside(`nodes/${data}/control.sock`);
    const server = createServer((asked, answer) => {
      const { method, url, headers } = asked;
      const inner = request({ socketPath, method, path: url, headers }, given => {
        answer.writeHead(given.statusCode, given.headers);
        given.pipe(answer);
      });
      inner.on('error', error => answer.destroy(error));
      asked.pipe(inner);
    });
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    this.servers.push({ end: () => { server.closeAllConnections(); server.close(); } });
    return `http://127.0.0.1:${server.address().port}/`;
  }

  async end() {
    await Promise.all(this.servers.map(server => server.end()));
  }

  at(data, page) {
    return new URL(page, this.urls[data]).href;
  }

  inside(name) {
    return path.join(this.directory, name);
  }

  root(data, part) {
    return this.inside(`${part}-${data}.root-key`);
  }

  copy(from, to) {
    fs.rmSync(this.inside(to), { recursive: true, force: true });
    fs.cpSync(this.inside(from), this.inside(to), { recursive: true, filter: name => !name.endsWith('.sock') });
  }

  /** The content of `from`, in the very files of `to`, as nobody honest would: it looks like the same machine. */
  putBack(to, from) {
    const high = 'high-water';
    for (const name of fs.readdirSync(this.inside(to))) {
      if (name !== high) fs.rmSync(this.inside(`${to}/${name}`), { recursive: true });
    }
    for (const name of fs.readdirSync(this.inside(from))) {
      if (name !== high) fs.cpSync(this.inside(`${from}/${name}`), this.inside(`${to}/${name}`), { recursive: true });
    }
    for (const name of fs.readdirSync(this.inside(`${from}/${high}`))) {
      const file = this.inside(`${to}/${high}/${name}`);
      const [size, root, machine] = fs.readFileSync(this.inside(`${from}/${high}/${name}`), 'utf8').split('\n');
      const lines = [size, root, machine, `${fs.statSync(file).ino}`.padStart(20, '0')].join('\n');
      const check = createHash('sha256').update(lines).digest('hex').slice(0, 16);
      fs.writeFileSync(file, `${lines}\n${check}\n`);
    }
  }
}

function nodeOf(state) {
  return `mechanism-${state.toLowerCase()}.example`;
}

function recordOf(state, id) {
  return `/records/${nodeOf(state)}/public/${id}`;
}

function practice(state, title) {
  return {
    kind: 'good-practice', language: 'en', basis: 'own-statement', reuse: 'CC-BY-4.0', states: [state],
    title: { en: title }, summary: { en: 'Invented, to show how a page looks.' }, capacities: ['coordination'],
  };
}

async function freePort() {
  const server = createTcpServer();
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}
