// Draws /live.json once a second. Every name is set as text, never as markup; what came before is kept in this page's memory only.
'use strict';

const STEP_MS = 1000;
const ANSWER_MS = 4000;
const WINDOW_MIN_S = 45;
const WINDOW_MAX_S = 300;
const COLORS = 8;
const TABLE_ROWS = 24;
const SVG = 'http://www.w3.org/2000/svg';
const DOWN = ['open', 'resting', 'probing'];

const byId = id => document.getElementById(id);
const past = { start: null, samples: [], colors: new Map(), down: null, events: [], lostSince: null, lastHtml: new Map() };

/* ---- text ---- */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const count = n => n >= 100000 ? short.format(n) : whole.format(n);
const rate = n => n < 10 ? n.toFixed(1) : whole.format(n);
const dollars = n => '$' + (n === 0 ? '0' : n < 1 ? n.toFixed(4) : n < 10000 ? n.toFixed(2) : short.format(n));
const percent = x => x === null ? '–' : x > 0 && x < 0.01 ? '<1%' : Math.round(x * 100) + '%';
const wait = ms => ms === null ? '–' : ms < 1000 ? Math.round(ms) + ' ms' : (ms / 1000).toFixed(1) + ' s';
const many = (n, one, more) => whole.format(n) + ' ' + (n === 1 ? one : more);
const list = names => names.length < 2 ? names.join('') : names.slice(0, -1).join(', ') + ' and ' + names[names.length - 1];
const utc = date => date.toISOString().slice(11, 19);
const local = date => date.getTimezoneOffset() === 0 ? '' : `· ${date.toLocaleTimeString('en-GB')} local`;
const span = s => s < 90 ? Math.round(s) + ' s' : s < 5400 ? Math.round(s / 60) + ' min' : Math.round(s / 3600) + ' h';

/* ---- elements: a table or list is made anew only when its rows changed, so that focus and selection live through the seconds ---- */

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter(child => child !== null && child !== undefined).map(child => child instanceof Node ? child : String(child)));
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function colorOf(platform) {
  if (!past.colors.has(platform)) past.colors.set(platform, 'c' + Math.min(past.colors.size, COLORS));
  return past.colors.get(platform);
}

/* ---- what it means ---- */

/** A platform is down when all of its deployments that were ever tried rest, and back while some still take a part of their share. */
function judge(live) {
  const groups = new Map();
  for (const deployment of live.deployments) {
    if (!groups.has(deployment.platform)) groups.set(deployment.platform, []);
    groups.get(deployment.platform).push(deployment);
  }
  const down = [], back = [];
  for (const [platform, all] of groups) {
    const tried = all.filter(deployment => deployment.health !== 'untried');
    if (tried.length > 0 && tried.every(deployment => DOWN.includes(deployment.health))) down.push(platform);
    else if (tried.some(deployment => deployment.health === 'ramping')) back.push(platform);
  }
  const resting = live.deployments.filter(deployment => DOWN.includes(deployment.health));
  return { down, back, resting, tried: live.deployments.filter(deployment => deployment.health !== 'untried').length };
}

function failed(live) {
  const lost = live.requests_failed + live.requests_turned_away;
  return lost === 0 ? 'no request failed' : many(lost, 'request failed', 'requests failed');
}

function detours(live) {
  const parts = [];
  if (live.failovers > 0) parts.push(many(live.failovers, 'request was answered elsewhere after a failure', 'requests were answered elsewhere after a failure'));
  if (live.interrupted > 0) parts.push(many(live.interrupted, 'answer was cut midway', 'answers were cut midway'));
  return parts.length === 0 ? 'no request had to be moved' : list(parts);
}

function say(live, verdict) {
  const resting = `${whole.format(verdict.resting.length)} of ${many(live.deployments_in_all, 'deployment', 'deployments')} ${verdict.resting.length === 1 ? 'rests' : 'rest'}`;
  if (!live.ready) return ['warn', 'Draining: no new requests are taken', 'Those that run may end.'];
  if (verdict.down.length > 0) {
    const verb = verdict.down.length === 1 ? 'is' : 'are';
    const all = verdict.resting.length >= verdict.tried;
    return ['down', `${list(verdict.down)} ${verb} down: ${resting}; ${failed(live)}`,
      (all ? 'Nothing that was ever tried answers now' : 'The others carry the traffic') + `; since the start ${detours(live)}.`];
  }
  if (verdict.resting.length > 0) return ['warn', `${resting}; ${failed(live)}`, `Since the start ${detours(live)}.`];
  if (verdict.back.length > 0) {
    const verb = verdict.back.length === 1 ? 'is back and earns its' : 'are back and earn their';
    return ['warn', `${list(verdict.back)} ${verb} share again; ${failed(live)}`, `Since the start ${detours(live)}.`];
  }
  if (live.requests + live.requests_turned_away === 0) return ['idle', 'Ready, no traffic yet', `${many(live.deployments_in_all, 'deployment', 'deployments')} on ${many(live.platforms.length, 'platform', 'platforms')}.`];
  const carrying = live.platforms.filter(platform => platform.answered_recently > 0).map(platform => platform.name);
  return ['good', carrying.length > 0 ? `${list(carrying)} ${carrying.length === 1 ? 'carries' : 'carry'} the traffic` : 'All is quiet, and nothing rests',
    `Since the start ${failed(live)}, ${detours(live)}.`];
}

/* ---- memory ---- */

function remember(live, verdict) {
  const now = Date.parse(live.now) / 1000;
  if (past.start !== live.started_at) Object.assign(past, { start: live.started_at, samples: [], down: null, events: [] });
  const last = past.samples[past.samples.length - 1];
  if (last && now <= last.at) return;
  past.samples.push({ at: now, answered: new Map(live.platforms.map(platform => [platform.name, platform.answered])) });
  past.samples = past.samples.filter(sample => sample.at > now - WINDOW_MAX_S - 10);
  if (past.down) {
    for (const name of verdict.down) if (!past.down.includes(name)) past.events.push({ at: now, name, kind: 'down' });
    for (const name of past.down) if (!verdict.down.includes(name)) past.events.push({ at: now, name, kind: 'back' });
  }
  past.down = verdict.down;
  past.events = past.events.filter(event => event.at > now - WINDOW_MAX_S).slice(-12);
}

/** Answers up to a moment, read between the two samples around it: polls come late in a tab that is hidden. */
function answeredAt(platform, at) {
  const samples = past.samples;
  let after = samples.findIndex(sample => sample.at >= at);
  if (after < 0) after = samples.length - 1;
  const b = samples[after], a = samples[Math.max(after - 1, 0)];
  const from = a.answered.get(platform) || 0, to = b.answered.get(platform) || 0;
  if (b.at === a.at) return to;
  return from + (to - from) * Math.min(Math.max((at - a.at) / (b.at - a.at), 0), 1);
}

/* ---- parts of the page ---- */

function showFigures(live) {
  const lost = live.requests_failed + live.requests_turned_away;
  const figures = [
    ['Requests', count(live.requests), null, ''],
    ['Per second', rate(live.requests_per_second), 'last 10 s', ''],
    ['Failovers', count(live.failovers), null, ''],
    ['Failed', count(lost), live.requests_turned_away > 0 ? count(live.requests_turned_away) + ' untried' : null, lost > 0 ? 'bad' : ''],
    ['Interrupted', count(live.interrupted), null, live.interrupted > 0 ? 'warn' : ''],
    ['Cost', dollars(live.cost_usd), null, ''],
    ['First token', wait(live.ttft_p50_ms), 'median', ''],
    ['First token', wait(live.ttft_p95_ms), '95th percentile', ''],
    ['Tokens', count(live.input_tokens + live.output_tokens), count(live.output_tokens) + ' out', ''],
  ];
  byId('figures').replaceChildren(...figures.map(([name, value, note, className]) =>
    make('div', className, make('dt', '', name), make('dd', '', value, note === null ? null : make('small', '', note)))));
}

function shares(place, components, classOf, verdict) {
  const recent = components.reduce((sum, component) => sum + component.answered_recently, 0);
  const ever = components.reduce((sum, component) => sum + component.answered, 0);
  const names = components.map(component => component.name).join('\n');
  if (past.lastHtml.get(place) !== names) {
    past.lastHtml.set(place, names);
    const head = make('tr', '', ...[['', ''], ['Now', 'num'], ['Overall', 'num'], ['Cost', 'num'], ['TTFT p50', 'num'], ['p95', 'num narrowOut']].map(([text, className]) => {
      const cell = make('th', className, text);
      cell.scope = 'col';
      return cell;
    }));
    head.firstChild.append(make('span', 'soft', 'Share'));
    const body = make('tbody', '', ...components.map(component => {
      const name = make('th', '', make('span', 'swatch ' + classOf(component.name)), component.name, make('span', 'badge down'),
        make('span', 'bars ' + classOf(component.name), make('i', 'track', make('i', 'now')), make('i', 'ever')));
      name.scope = 'row';
      return make('tr', '', name, make('td', 'num now'), make('td', 'num'), make('td', 'num'), make('td', 'num'), make('td', 'num narrowOut'));
    }));
    byId(place).replaceChildren(make('table', 'shares', make('thead', '', head), body), make('p', 'key', 'Thick bar and Now: the last 10 s. Thin bar and Overall: since the start.'));
  }
  byId(place).querySelectorAll('tbody tr').forEach((row, index) => {
    const component = components[index];
    const now = recent === 0 ? null : component.answered_recently / recent;
    const all = ever === 0 ? null : component.answered / ever;
    row.querySelector('.bars .now').style.width = (now || 0) * 100 + '%';
    row.querySelector('.bars .ever').style.width = (all || 0) * 100 + '%';
    [percent(now), percent(all), dollars(component.cost_usd), wait(component.ttft_p50_ms), wait(component.ttft_p95_ms)].forEach((text, cell) => setText(row.cells[cell + 1], text));
    const badge = row.querySelector('.badge');
    const word = verdict === null ? '' : verdict.down.includes(component.name) ? 'down' : verdict.back.includes(component.name) ? 'back' : '';
    badge.hidden = word === '';
    badge.className = 'badge ' + (word === 'down' ? 'down' : 'ramping');
    setText(badge, word);
  });
}

const HEALTH = { ready: 'ready', untried: 'not tried yet', ramping: 'ramping', probing: 'probing', resting: 'resting', open: 'open' };

// Up, and not to be asked for one request more within this minute.
const isFull = deployment => deployment.health === 'ready' && (deployment.quota?.used_up || deployment.provider_quota?.used_up);

function healthText(deployment, now) {
  const until = deployment.ready_in_seconds === null ? '' : ' until ' + utc(new Date(now.getTime() + deployment.ready_in_seconds * 1000));
  if (isFull(deployment)) return 'at its quota';
  if (deployment.health === 'ramping') return `ramping, ${percent(deployment.share_allowed)}`;
  return HEALTH[deployment.health] + (deployment.ready_in_seconds > 5 ? until : '');
}

function showDeployments(live, now) {
  const place = byId('deployments');
  const names = live.deployments.map(deployment => deployment.name + '\t' + deployment.region).join('\n');
  if (past.lastHtml.get('deployments') !== names) {
    past.lastHtml.set('deployments', names);
    const head = make('tr', '', ...['Deployment', 'Health', 'Region', 'Answered'].map((text, index) => {
      const cell = make('th', index === 3 ? 'num' : index === 2 ? 'narrowOut' : '', text);
      cell.scope = 'col';
      return cell;
    }));
    const body = make('tbody', '', ...live.deployments.map(deployment => {
      const name = make('th', '', make('span', 'swatch ' + colorOf(deployment.platform)), deployment.name);
      name.scope = 'row';
      return make('tr', '', name, make('td', '', make('span', 'badge')), make('td', 'soft narrowOut', deployment.region), make('td', 'num'));
    }));
    const box = make('div', live.deployments.length > TABLE_ROWS ? 'scroll' : '', make('table', 'deployments', make('thead', '', head), body));
    if (live.deployments.length > TABLE_ROWS) box.tabIndex = 0;
    place.replaceChildren(box);
  }
  place.querySelectorAll('tbody tr').forEach((row, index) => {
    const deployment = live.deployments[index];
    const badge = row.querySelector('.badge');
    badge.className = 'badge ' + (isFull(deployment) ? 'resting' : deployment.health);
    setText(badge, healthText(deployment, now));
    const figure = count(deployment.answered) + (deployment.attempts_failed > 0 ? `, ${count(deployment.attempts_failed)} failed` : '');
    setText(row.cells[3], figure);
    row.cells[3].classList.toggle('failed', deployment.attempts_failed > 0);
  });
  const rest = live.deployments_in_all - live.deployments.length;
  setText(byId('deploymentsCount'), many(live.deployments_in_all, 'in the configuration', 'in the configuration') + (rest > 0 ? `, ${whole.format(rest)} not shown` : ''));
}

function showExposure(live) {
  const key = JSON.stringify(live.exposure);
  if (past.lastHtml.get('exposure') === key) return;
  past.lastHtml.set('exposure', key);
  const kinds = [['platform', 'Platform'], ['vendor', 'Vendor'], ['region', 'Region']];
  byId('exposure').replaceChildren(...kinds.map(([kind, title]) => {
    const components = live.exposure.filter(component => component.kind === kind).sort((a, b) => b.stops_in_all - a.stops_in_all);
    return make('div', '', make('h3', '', title), ...components.map(component => {
      const stops = component.stops.map(stop => make('span', 'stop', stop.model + (stop.for_all ? '' : ` for ${list(stop.apps) || 'some'}`)));
      const more = component.stops_in_all - component.stops.length;
      const thinned = component.thinned_in_all > 0 ? many(component.thinned_in_all, 'model goes on with fewer', 'models go on with fewer') : '';
      const what = stops.length === 0
        ? [make('span', 'badge ready', 'nothing stops'), ' ', thinned && make('span', 'thin', thinned)]
        : [...stops, more > 0 ? ` and ${whole.format(more)} more` : null, thinned && make('span', 'thin', thinned)];
      return make('div', 'exposed', make('div', 'name', component.name), make('div', 'what', ...what.filter(Boolean)));
    }));
  }));
}

function showChart(live) {
  const place = byId('chart');
  const width = place.clientWidth, height = place.clientHeight;
  if (past.samples.length < 3 || width < 50) return;
  const right = 88, left = 26, top = 36, bottom = 20;
  const last = past.samples[past.samples.length - 1].at, first = past.samples[0].at;
  const window = Math.min(Math.max(last - first, WINDOW_MIN_S), WINDOW_MAX_S);
  const begin = Math.max(first, last - window);
  const names = live.platforms.map(platform => platform.name);
  const step = window > 120 ? 2 : 1;
  const moments = [];
  for (let at = last; at >= begin; at -= step) moments.unshift(at);
  // Five seconds around each moment: single answers are no longer steps, and a cloud that goes is still seen to go.
  const rows = moments.map(at => {
    const from = Math.max(at - 2.5, begin), to = Math.min(at + 2.5, last);
    return names.map(name => to - from < 1 ? 0 : (answeredAt(name, to) - answeredAt(name, from)) / (to - from));
  });
  const peak = Math.max(1, ...rows.map(row => row.reduce((sum, value) => sum + value, 0)));
  const unit = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find(candidate => peak / candidate <= 4) || peak / 2;
  const max = Math.max(peak * 1.04, unit);
  const x = at => left + (width - left - right) * (1 - (last - at) / window);
  const y = value => top + (height - top - bottom) * (1 - value / max);
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  for (let value = 0; value <= max; value += unit) {
    svg.append(draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    svg.append(draw('text', { class: 'axis', x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, String(value)));
  }
  const seconds = window > 180 ? 60 : window > 90 ? 30 : 15;
  for (let ago = 0; ago <= window; ago += seconds) {
    const anchor = ago === 0 ? 'end' : 'middle';
    svg.append(draw('text', { class: 'axis', x: x(last - ago), y: height - 4, 'text-anchor': anchor }, ago === 0 ? 'now' : ago % 60 === 0 ? `${ago / 60} min ago` : `${ago} s`));
  }
  drawAreas(svg, names, moments, rows, x, y, width - right);
  drawEvents(svg, past.events.filter(event => event.at >= begin), x, top, height - bottom);
  place.replaceChildren(svg);
  place.setAttribute('aria-label', `Answers per second over the last ${span(last - begin)}, now: `
    + names.map((name, index) => `${name} ${rate(rows[rows.length - 1][index])}`).join(', '));
}

/** A label that would run into the one before it takes the second row. */
function drawEvents(svg, events, x, top, bottom) {
  let busyUntil = 0, row = 0;
  for (const event of events) {
    const at = x(event.at), text = `${event.name} ${event.kind}`;
    row = at < busyUntil ? 1 - row : 0;
    busyUntil = at + 12 + text.length * 7;
    svg.append(draw('line', { class: 'event', x1: at, x2: at, y1: top - 28 + row * 15, y2: bottom }));
    svg.append(draw('text', { class: 'eventLabel ' + event.kind, x: at + 5, y: top - 20 + row * 15 }, text));
  }
}

function drawAreas(svg, names, moments, rows, x, y, edge) {
  const base = rows.map(() => 0);
  const labels = [];
  names.forEach((name, index) => {
    const lower = rows.map((_, at) => `${x(moments[at]).toFixed(1)},${y(base[at]).toFixed(1)}`).reverse();
    rows.forEach((row, at) => { base[at] += row[index]; });
    const upper = rows.map((_, at) => `${x(moments[at]).toFixed(1)},${y(base[at]).toFixed(1)}`);
    svg.append(draw('polygon', { class: 'area ' + colorOf(name), points: upper.concat(lower).join(' ') }));
    const end = rows[rows.length - 1][index];
    if (end > 0.05) labels.push({ name, y: y(base[base.length - 1] - end / 2) });
  });
  // From the bottom up: a label gives way to the one below it.
  labels.forEach((label, index) => {
    if (index > 0) label.y = Math.min(label.y, labels[index - 1].y - 15);
    svg.append(draw('text', { class: 'label', x: edge + 6, y: label.y + 4 }, label.name.length > 12 ? label.name.slice(0, 11) + '…' : label.name));
  });
}

function showAlerts(live) {
  const alerts = [];
  if (live.ledger.lost > 0) alerts.push(['bad', `${many(live.ledger.lost, 'ledger row was', 'ledger rows were')} given up: the store did not take them in time.`]);
  if (live.ledger.pending > 0 && live.ledger.failures > (past.ledgerFailures ?? 0)) past.ledgerTrouble = live.ledger.failures;
  if (live.ledger.pending === 0) { past.ledgerTrouble = 0; past.ledgerFailures = live.ledger.failures; }
  if (past.ledgerTrouble > 0) alerts.push(['bad', `The ledger's store refuses rows (${many(live.ledger.failures, 'time', 'times')}). ${many(live.ledger.pending, 'row waits', 'rows wait')} in memory and will be written when it takes them again.`]);
  else if (live.ledger.pending > 1000) alerts.push(['', `${many(live.ledger.pending, 'ledger row waits', 'ledger rows wait')} for the store.`]);
  const key = JSON.stringify(alerts);
  if (past.lastHtml.get('alerts') === key) return;
  past.lastHtml.set('alerts', key);
  byId('alerts').replaceChildren(...alerts.map(([className, text]) => make('p', 'alert ' + className, text)));
}

function showEmpty(live) {
  const isEmpty = live.requests + live.requests_turned_away === 0;
  byId('empty').hidden = !isEmpty;
  byId('traffic').hidden = isEmpty;
  if (!isEmpty) return;
  const body = JSON.stringify({ model: live.models[0] || 'provider/model', messages: [{ role: 'user', content: 'Hello' }] }).replaceAll("'", "'\\''");
  setText(byId('curl'), `curl ${location.protocol}//${location.hostname}:${new URL(live.address).port}/v1/chat/completions \\\n`
    + `  -H "authorization: Bearer $BALLAST_API_KEY" -H 'content-type: application/json' \\\n  -d '${body}'`);
}

function showState(state, headline, detail) {
  document.body.dataset.state = state;
  setText(byId('headline'), headline);
  setText(byId('detail'), detail);
  document.title = `${headline} · Ballast`;
}

function show(live) {
  const now = new Date(live.now);
  for (const platform of live.platforms) colorOf(platform.name);
  const verdict = judge(live);
  remember(live, verdict);
  setText(byId('utc'), utc(now));
  setText(byId('local'), local(now));
  showState(...say(live, verdict));
  showAlerts(live);
  showFigures(live);
  showEmpty(live);
  shares('platforms', live.platforms, colorOf, verdict);
  shares('vendors', live.vendors, vendorColor, null);
  showDeployments(live, now);
  showExposure(live);
  showChart(live);
  showBalance(live, verdict);
  showStacks(live);
  showEvents(live);
  showMoney(live, now);
  setText(byId('foot'), `Up for ${span((now - new Date(live.started_at)) / 1000)}, configuration revision ${live.revision}, ${many(live.ledger.written, 'ledger row', 'ledger rows')} written`);
}

function showLost() {
  past.lostSince ??= new Date();
  const seconds = (Date.now() - past.lostSince) / 1000;
  if (seconds < 1.5) return;
  showState('lost', `The gateway has not answered since ${utc(past.lostSince)} UTC`, `That is ${span(seconds)}. Below stands what it said last; this page keeps asking.`);
}

async function ask() {
  try {
    const response = await fetch('/live.json', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function tick() {
  const begun = performance.now();
  const live = await ask();
  setTimeout(tick, Math.max(STEP_MS - (performance.now() - begun), 100));
  if (live === null) {
    showLost();
    return;
  }
  past.lostSince = null;
  show(live);
}

tick();
