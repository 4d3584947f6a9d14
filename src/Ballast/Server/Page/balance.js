// Shares against their limits, shares over the last minutes, what happened, and what it cost: drawn with the functions of page.js. Names are text here too.
'use strict';

const RULES_MAX = 6;
const EVENTS_MAX = 8;
/** Slots that a point of a line sums up: single answers are no longer steps. */
const SMOOTH_SLOTS = 5;
/** Narrower charts have no room for labels at their right: the same figures stand above them. */
const LABELS_WIDTH_MIN = 420;

const exact = x => (x * 100).toFixed(1) + '%';
const points = x => x <= 0 ? 'never' : '+' + x.toFixed(1) + ' points';

/** By name: tokens of the last slots up to each slot. */
function smooth(series) {
  return new Map(series.map(one => [one.name, one.tokens.map((_, at) => one.tokens.slice(Math.max(at - SMOOTH_SLOTS + 1, 0), at + 1).reduce((sum, x) => sum + x, 0))]));
}

/** By name: share of each slot; null where there was no traffic. The slot that still runs says too little alone, but here it is one of several. */
function sharesOf(series) {
  const lines = smooth(series);
  const length = series.length === 0 ? 0 : series[0].tokens.length;
  const all = Array.from({ length }, (_, at) => [...lines.values()].reduce((sum, line) => sum + line[at], 0));
  return new Map([...lines].map(([name, line]) => [name, line.map((value, at) => all[at] === 0 ? null : value / all[at])]));
}

/** The last slots that there is room for. */
function recent(line, slots) {
  return line.slice(Math.max(line.length - slots, 0));
}

const ago = seconds => seconds === 0 ? 'now' : seconds % 60 === 0 ? `${seconds / 60} min ago` : `${seconds} s ago`;

/** Points of a line; broken where nothing is known. */
function paths(values, x, y) {
  const pieces = [];
  let piece = [];
  values.forEach((value, at) => {
    if (value === null) { if (piece.length > 0) pieces.push(piece); piece = []; } else piece.push([x(at), y(value)]);
  });
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}

const joined = piece => piece.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');

/* ---- one card for each rule ---- */

function showBalance(live, verdict) {
  const place = byId('balance');
  const rules = live.policy === null ? [] : live.policy.rules.slice(0, RULES_MAX);
  place.hidden = rules.length === 0 || live.requests === 0;
  if (place.hidden) return;
  const more = live.policy.rules.length - rules.length;
  setText(byId('balanceOf'), `policy ${live.policy.name}, version ${live.policy.version}, counted in ${live.policy.unit}${more > 0 ? `; ${many(more, 'more limit is', 'more limits are')} not drawn` : ''}`);
  const ids = rules.map(rule => rule.id + '\t' + rule.name).join('\n');
  if (past.lastHtml.get('rules') !== ids) {
    past.lastHtml.set('rules', ids);
    byId('rules').replaceChildren(...rules.map(rule => {
      const color = rule.kind === 'platform' ? colorOf(rule.name) : '';
      const chart = make('div', 'limitChart ' + color);
      chart.setAttribute('role', 'img');
      return make('article', 'rule', make('h3', '', rule.kind === 'platform' ? make('span', 'swatch ' + color) : null,
        `${rule.name}: ${rule.bound === 'cap' ? 'at most' : 'at least'} ${exact(rule.limit).replace('.0%', '%')}`),
      make('p', 'figure', make('strong', ''), make('span', 'next'), make('span', 'alone soft')), chart);
    }));
  }
  const own = { platform: sharesOf(live.timeline.platforms), vendor: sharesOf(live.timeline.vendors) };
  const weights = live.by_weights === null ? null : sharesOf(live.by_weights.platforms);
  byId('rules').querySelectorAll('article').forEach((card, index) => {
    const rule = rules[index];
    const line = rule.all_traffic && own[rule.kind] ? own[rule.kind].get(rule.name) || null : null;
    const other = line !== null && weights !== null && rule.kind === 'platform' ? weights.get(rule.name) || null : null;
    const now = line !== null && line.length > 0 ? line[line.length - 1] : rule.share;
    setText(card.querySelector('strong'), now === null ? '–' : exact(now));
    const next = card.querySelector('.next');
    const [className, words] = nextOf(rule, verdict);
    next.className = 'next badge ' + className;
    setText(next, words);
    setText(card.querySelector('.alone'), other === null ? '' : `${exact(other[other.length - 1])} by weights alone`);
    drawLimit(card.querySelector('.limitChart'), rule, line, other, live);
  });
  byId('besideKey').hidden = live.by_weights === null;
  byId('worst').hidden = live.by_weights === null;
  if (live.by_weights === null) return;
  setText(byId('worst'), `Over a limit at worst, in any ${live.by_weights.window_requests} requests: ${points(live.by_weights.kept_worst_excess_pp)} as kept, ${points(live.by_weights.worst_excess_pp)} by weights alone.`);
}

/** Where the next request may go. */
function nextOf(rule, verdict) {
  if (rule.kind === 'platform' && verdict.down.includes(rule.name)) return ['open', 'down: nothing goes there'];
  if (rule.suspended) return ['open', 'suspended: nothing else is lawful and up'];
  if (!rule.hard) return ['', 'soft: only chooses'];
  const full = rule.credit < 0;
  if (rule.bound === 'floor') return full ? ['ramping', 'next: to it first'] : ['ready', 'next: anywhere'];
  return full ? ['ramping', 'next: elsewhere, until there is room'] : ['ready', 'next: may go here'];
}

function drawLimit(place, rule, line, other, live) {
  const width = place.clientWidth, height = place.clientHeight;
  if (width < 50) return;
  const step = live.timeline.step_seconds;
  const now = line === null ? rule.share : line[line.length - 1], alone = other === null ? null : other[other.length - 1];
  place.setAttribute('aria-label', `${rule.name}, ${rule.bound === 'cap' ? 'at most' : 'at least'} ${exact(rule.limit)}; now ${now === null ? 'unknown' : exact(now)}`
    + (alone === null ? '' : `, by weights alone ${exact(alone)}`));
  if (line === null) {
    place.replaceChildren(make('p', 'soft', rule.all_traffic ? 'No traffic there yet.' : `Drawn for limits on all traffic only; since it is in force: ${rule.share === null ? '–' : exact(rule.share)}.`));
    return;
  }
  const slots = Math.max(Math.min(line.length, WINDOW_MAX_S / step), WINDOW_MIN_S / step);
  const shown = recent(line, slots), beside = other === null ? [] : recent(other, slots);
  const peak = Math.max(rule.limit * 1.3, ...shown, ...beside);
  const max = Math.min(Math.ceil(peak * 10 + 0.5) / 10, 1);
  const left = 40, right = other === null || width < LABELS_WIDTH_MIN ? 8 : 124, top = 16, bottom = 18;
  const x = at => left + (width - left - right) * (1 - (shown.length - 1 - at) / (slots - 1));
  const y = value => top + (height - top - bottom) * (1 - value / max);
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  for (const value of max > 0.6 ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.2, 0.4, 0.6]) {
    if (value > max) continue;
    svg.append(draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    svg.append(draw('text', { class: 'axis', x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, Math.round(value * 100) + '%'));
  }
  const forbidden = rule.bound === 'cap' ? [y(max), y(rule.limit)] : [y(rule.limit), y(0)];
  svg.append(draw('rect', { class: 'forbidden', x: left, width: width - left - right, y: forbidden[0], height: Math.max(forbidden[1] - forbidden[0], 0) }));
  for (const piece of paths(beside, x, y)) {
    svg.append(draw('polyline', { class: 'besideLine', points: joined(piece) }));
  }
  for (const piece of paths(shown, x, y)) {
    svg.append(draw('polygon', { class: 'limitArea', points: `${joined(piece)} ${piece[piece.length - 1][0].toFixed(1)},${y(0)} ${piece[0][0].toFixed(1)},${y(0)}` }));
    svg.append(draw('polyline', { class: 'limitLine', points: joined(piece) }));
  }
  svg.append(draw('line', { class: 'limit', x1: left, x2: width - right, y1: y(rule.limit), y2: y(rule.limit) }));
  let before = -1000, row = 0;
  const nowSeconds = Date.parse(live.now) / 1000;
  for (const event of past.events.filter(event => rule.kind === 'platform' && event.name === rule.name && nowSeconds - event.at < (slots - 1) * step)) {
    const at = x(shown.length - 1 - (nowSeconds - event.at) / step);
    row = at - before < 44 ? 1 - row : 0;
    before = at;
    svg.append(draw('line', { class: 'event', x1: at, x2: at, y1: top - 10, y2: height - bottom }));
    const isAtEdge = at > width - right - 44;
    svg.append(draw('text', { class: 'eventLabel ' + event.kind, x: at + (isAtEdge ? -4 : 4), y: top - 4 + row * 14, 'text-anchor': isAtEdge ? 'end' : 'start' }, event.kind));
  }
  if (alone !== null && width >= LABELS_WIDTH_MIN) {
    const ends = [{ text: `${exact(now || 0)} kept`, y: y(now || 0), class: 'label' }, { text: `${exact(alone)} by weights`, y: y(alone), class: 'label beside' }].sort((a, b) => b.y - a.y);
    spread(ends, height - bottom);
    for (const end of ends) svg.append(draw('text', { class: end.class, x: width - right + 6, y: end.y + 4 }, end.text));
  }
  const span = (slots - 1) * step, every = span > 240 ? 120 : span > 90 ? 60 : 15;
  for (let seconds = 0; seconds <= span; seconds += every) {
    svg.append(draw('text', { class: 'axis', x: x(shown.length - 1 - seconds / step), y: height - 3, 'text-anchor': seconds === 0 ? 'end' : 'middle' }, seconds === 0 ? 'now' : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`));
  }
  place.replaceChildren(svg);
}

/* ---- shares of everybody ---- */

function showStack(id, series, classOf, step) {
  const place = byId(id);
  const width = place.clientWidth, height = place.clientHeight;
  const lines = sharesOf(series);
  const length = series.length === 0 ? 0 : series[0].tokens.length;
  if (width < 50 || length < 2) return;
  const slots = Math.max(Math.min(length, WINDOW_MAX_S / step), WINDOW_MIN_S / step);
  const right = 112, left = 44, top = 6, bottom = 18;
  const names = [...lines.keys()];
  const shown = names.map(name => recent(lines.get(name), slots));
  const count = shown[0].length;
  const x = at => left + (width - left - right) * (1 - (count - 1 - at) / (slots - 1));
  const y = value => top + (height - top - bottom) * (1 - value);
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  for (const value of [0, 0.5, 1]) svg.append(draw('text', { class: 'axis', x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, value * 100 + '%'));
  const base = Array(count).fill(0);
  const labels = [];
  names.forEach((name, index) => {
    const from = [...base];
    shown[index].forEach((value, at) => { base[at] += value || 0; });
    const upperEdge = [], lowerEdge = [];
    shown[index].forEach((value, at) => { if (value !== null) { upperEdge.push([x(at), y(base[at])]); lowerEdge.unshift([x(at), y(from[at])]); } });
    svg.append(draw('polygon', { class: 'area ' + classOf(name), points: joined(upperEdge.concat(lowerEdge)) }));
    const last = shown[index][count - 1];
    if (last !== null && last > 0.004) labels.push({ text: `${name.length > 11 ? name.slice(0, 10) + '…' : name} ${percent(last)}`, y: y((from[count - 1] + base[count - 1]) / 2) });
  });
  spread(labels, height - bottom);
  for (const label of labels) svg.append(draw('text', { class: 'label', x: width - right + 8, y: label.y + 4 }, label.text));
  svg.append(draw('text', { class: 'axis', x: left, y: height - 3 }, ago((slots - 1) * step > 60 ? Math.round((slots - 1) * step / 60) * 60 : (slots - 1) * step)));
  svg.append(draw('text', { class: 'axis', x: width - right, y: height - 3, 'text-anchor': 'end' }, 'now'));
  place.replaceChildren(svg);
  place.setAttribute('aria-label', 'Shares of tokens now: ' + names.map((name, index) => `${name} ${percent(shown[index][count - 1])}`).join(', '));
}

/** Labels from the bottom up, none into another: down where there is room, else up. */
function spread(labels, bottom) {
  let limit = bottom;
  for (const label of labels) { label.y = Math.min(label.y, limit); limit = label.y - 15; }
  if (labels.length > 0 && labels[labels.length - 1].y < 8) {
    let floor = 8;
    for (const label of [...labels].reverse()) { label.y = Math.max(label.y, floor); floor = label.y + 15; }
  }
}

const vendorColors = new Map();
function vendorColor(name) {
  if (!vendorColors.has(name)) vendorColors.set(name, 'v' + Math.min(vendorColors.size, 5));
  return vendorColors.get(name);
}

function showStacks(live) {
  byId('stacks').hidden = live.timeline.platforms.length === 0;
  if (byId('stacks').hidden) return;
  showStack('platformStack', live.timeline.platforms, colorOf, live.timeline.step_seconds);
  showStack('vendorStack', live.timeline.vendors, vendorColor, live.timeline.step_seconds);
}

/* ---- what happened ---- */

function suspensionText(live, one) {
  const rule = live.policy === null ? undefined : live.policy.rules.find(rule => rule.id === one.rule);
  const what = rule === undefined ? `The limit ${one.rule}` : `The ${rule.bound} of ${exact(rule.limit).replace('.0%', '%')} on ${rule.name}`;
  const why = one.cause === 'health' ? 'what would have kept it was down' : one.cause === 'quota' ? 'what would have kept it was at its quota' : 'law and configuration left no other choice';
  return `${what} gave way for ${many(one.requests, 'request', 'requests')}: ${why}${one.over ? '; it holds again' : ''}.`;
}

function showEvents(live) {
  const events = past.events.map(event => ({ at: event.at, className: event.kind === 'down' ? 'bad' : 'good', text: `${event.name} is ${event.kind === 'down' ? 'down: its deployments rest' : 'back'}.` }));
  for (const one of live.suspensions) events.push({ at: Date.parse(one.started_at) / 1000, className: one.over ? '' : 'bad', text: suspensionText(live, one) });
  for (const note of live.by_weights === null ? [] : live.by_weights.notes) events.push({ at: Date.parse(note.at) / 1000, className: '', text: note.text });
  events.sort((a, b) => b.at - a.at);
  const shown = events.slice(0, EVENTS_MAX);
  const key = JSON.stringify(shown);
  if (past.lastHtml.get('events') === key) return;
  past.lastHtml.set('events', key);
  byId('events').replaceChildren(...(shown.length === 0
    ? [make('li', 'soft', 'Nothing went, came back or gave way since this page looks.')]
    : shown.map(event => {
      const time = make('time', '', utc(new Date(event.at * 1000)));
      time.dateTime = new Date(event.at * 1000).toISOString();
      return make('li', event.className, time, ' ', make('span', '', event.text));
    })));
}

/* ---- money ---- */

function amount(budget, value) {
  return budget.unit === 'usd' ? dollars(value) : short.format(value);
}

function showMoney(live, now) {
  const names = live.budgets.map(budget => budget.id).join('\n');
  if (past.lastHtml.get('budgets') !== names) {
    past.lastHtml.set('budgets', names);
    byId('budgets').replaceChildren(...live.budgets.map(budget => make('div', 'budget', make('div', 'budgetLine', make('span', 'budgetName', budget.id, ' ', make('span', 'soft', `${budget.of} ${budget.subject}, a ${budget.period}`)), make('span', 'budgetFigure')),
      make('span', 'bars', make('i', 'track', make('i', 'now'))))));
    byId('noBudgets').hidden = live.budgets.length > 0;
  }
  setText(byId('today'), dollars(live.cost_usd_today));
  setText(byId('todayNote'), Date.parse(live.started_at) >= new Date(now).setUTCHours(0, 0, 0, 0) ? `since ${utc(new Date(live.started_at))} UTC, when this process began` : 'since midnight UTC');
  byId('budgets').querySelectorAll('.budget').forEach((row, index) => {
    const budget = live.budgets[index];
    const used = budget.limit === 0 ? 1 : budget.spent / budget.limit, held = budget.limit === 0 ? 1 : (budget.spent + budget.reserved) / budget.limit;
    setText(row.querySelector('.budgetFigure'), `${amount(budget, budget.spent)} of ${amount(budget, budget.limit)}, ${used > 0 && used < 0.001 ? '<0.1%' : exact(used)}`);
    row.querySelector('.now').style.width = Math.min(held, 1) * 100 + '%';
    row.className = 'budget ' + (held >= 1 ? 'bad' : held >= 0.8 ? 'warn' : '');
  });
}
