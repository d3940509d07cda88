// What programs written for version 1 of the protocol do, told once for every SDK that speaks it.
//
// The SDKs differ in how bindings look, not in what they can do: an `OldSdk` hides that.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { WebSocket as NodeSocket } from 'undici';

export type Row = Record<string, unknown>;
export type RowChange = 'insert' | 'delete' | 'update';

/** Why rows changed, as callbacks are told. */
export type Cause = { tag: string; reducer?: string };

/** How a reducer ended: `Committed`, or `Failed` with its text. */
export type Outcome = { tag: string; text: string; args: unknown[] };

export interface OldConnection {
  identity: string;
  token: string;
  ended: Promise<void>;
  /** Rejects with the server's error. */
  subscribe(queries: string[]): Promise<OldSubscription>;
  call(reducer: string, ...args: unknown[]): void;
  /** Send whatever bytes as arguments, for whatever name. */
  callRaw(reducer: string, args: Uint8Array): void;
  /** Ask not to be told of calls of this reducer. */
  quiet(reducer: string, isQuiet: boolean): void;
  onReducer(reducer: string, heard: (outcome: Outcome) => void): void;
  onRow(table: string, change: RowChange, heard: (cause: Cause, row: Row, old?: Row) => void): void;
  rows(table: string): Row[];
  /** Absent where the SDK does not know procedures yet. */
  procedure?(name: string, args: Row): Promise<unknown>;
  close(): void;
}

export interface OldSubscription {
  end(): Promise<void>;
}

/** What the SDK puts between the websocket and itself. */
export interface Wire {
  onopen?: (event: unknown) => void;
  onclose?: () => void;
  onmessage?: (event: { data: Uint8Array }) => void;
  send(data: Uint8Array): void;
  close(): void;
}

export interface OldSdk {
  /** With `wire`, there is no socket: the SDK hears what that is made to say. */
  open(options: {
    token?: string;
    light?: boolean;
    confirmed?: boolean;
    wire?: Wire;
  }): Promise<OldConnection>;
}

export const env = (name: string): string => {
  const value = process.env[name];
  assert.ok(value !== undefined, `environment variable ${name} is missing`);
  return value;
};

(globalThis as { WebSocket: unknown }).WebSocket = NodeSocket;

// Node 20 lacks it, and the SDK's procedures need it.
(Promise as { withResolvers?: unknown }).withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((settle, fail) => ([resolve, reject] = [settle, fail]));
  return { promise, resolve, reject };
};

/** What the SDK complained about so far; it tells of broken caches in no other way. */
const complaints: string[] = [];
for (const channel of ['warn', 'error'] as const) {
  console[channel] = (...words: unknown[]) => void complaints.push(words.map(String).join(' '));
}
// Progress, and arguments that a call which never ran does not repeat.
console.log = console.info = console.debug = () => undefined;

const TABLES = ['layer', 'tag', 'shown_layer'];
const ALL = ['SELECT * FROM layer', 'SELECT * FROM tag', 'SELECT * FROM shown_layer'];

const sorted = (rows: Row[]) => rows.map(row => JSON.stringify(row)).sort();
const dump = (one: OldConnection) =>
  Object.fromEntries(TABLES.map(table => [table, sorted(one.rows(table))]));

/** Wait until something holds of a connection's rows or of what was noted. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const ends = Date.now() + 20_000;
  while (!holds()) {
    assert.ok(Date.now() < ends, `it does not come to hold that ${what}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

/** A call's outcome, as the SDK tells its own caller. */
function outcome(one: OldConnection, reducer: string, ...args: unknown[]): Promise<Outcome> {
  return new Promise(resolve => {
    let isOver = false;
    one.onReducer(reducer, told => {
      if (!isOver) resolve(told);
      isOver = true;
    });
    one.call(reducer, ...args);
  });
}

async function reducers(one: OldConnection, other: OldConnection): Promise<void> {
  const heard: [string, string, Row, Row | undefined][] = [];
  const overheard: [string, string, Row][] = [];
  for (const change of ['insert', 'delete', 'update'] as const) {
    one.onRow('layer', change, (cause, row, old) => heard.push([change, cause.tag, row, old]));
    other.onRow('layer', change, (cause, row) => overheard.push([change, cause.tag, row]));
  }
  const [first, second] = [
    { id: 1, name: 'one', isShown: true },
    { id: 1, name: 'uno', isShown: false },
  ];
  const put = await outcome(one, 'put_layer', 1, 'one', true);
  assert.deepEqual(put, { tag: 'Committed', text: '', args: [1, 'one', true] });
  assert.deepEqual(one.rows('layer'), [first]);
  one.call('put_layer', 1, 'uno', false);
  one.call('drop_layer', 1);
  await until(() => heard.length === 3 && overheard.length === 3, 'all changes were heard');
  assert.deepEqual(heard, [
    ['insert', 'Reducer', first, undefined],
    ['update', 'Reducer', second, first],
    ['delete', 'Reducer', second, undefined],
  ]);
  assert.deepEqual(overheard, [
    ['insert', 'UnknownTransaction', first],
    ['update', 'UnknownTransaction', second],
    ['delete', 'UnknownTransaction', second],
  ]);

  const refused = await outcome(one, 'refuse_after_writing');
  assert.deepEqual(refused, { tag: 'Failed', text: 'shapes.refused: as asked', args: [] });
  const broken = await outcome(one, 'break_after_writing');
  assert.deepEqual([broken.tag, broken.text], ['Failed', 'The instance encountered a fatal error.']);
  assert.deepEqual(one.rows('layer'), []);

  // What never ran is answered, and disturbs nothing.
  one.callRaw('no_such_reducer', new Uint8Array());
  one.callRaw('put_layer', new Uint8Array([1]));
  assert.equal((await outcome(one, 'put_tag', 7, 'calm')).tag, 'Committed');

  const told: string[] = [];
  one.onReducer('put_tag', () => told.push('put_tag'));
  one.quiet('put_tag', true);
  one.quiet('refuse_after_writing', true);
  one.onReducer('refuse_after_writing', () => told.push('refuse_after_writing'));
  const causes: string[] = [];
  one.onRow('tag', 'insert', cause => causes.push(cause.tag));
  one.call('put_tag', 7, 'quiet');
  one.call('refuse_after_writing');
  assert.equal((await outcome(one, 'drop_tag', 7, 'calm')).tag, 'Committed');
  assert.deepEqual(told, []);
  assert.deepEqual(causes, ['UnknownTransaction']);
  assert.deepEqual(one.rows('tag'), [{ layerId: 7, text: 'quiet' }]);
  one.quiet('put_tag', false);
}

async function errors(one: OldConnection): Promise<void> {
  for (const [query, text] of [
    ['SELECT * FROM drawn', /^Subscribing to event tables requires WebSocket v2\. Please upgrade/],
    ['SELECT * FROM draft', /^no such table: `draft`\. If the table exists, it may be marked priv/],
    ['SELECT id FROM layer', /^Column projections are not supported in subscriptions; /],
  ] as const) {
    await assert.rejects(one.subscribe(['SELECT * FROM layer', query]), ({ message }) =>
      text.test(message)
    );
  }
}

async function procedures(one: OldConnection): Promise<void> {
  if (one.procedure === undefined) return;
  assert.equal(await one.procedure('add_two', { a: 40n, b: 2n }), 42n);
  await assert.rejects(one.procedure('divide', { a: 1n, b: 0n }), error =>
    /^The module instance encountered a fatal error: /.test(String(error))
  );
}

let state = Number(env('SEED')) | 1;
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

/** Subscriptions that overlap in every way, over random calls of both connections. */
async function caches(one: OldConnection, other: OldConnection): Promise<void> {
  const queries = [
    ...ALL,
    'SELECT * FROM layer WHERE is_shown = TRUE',
    'SELECT * FROM layer WHERE id < 3',
    'SELECT layer.* FROM layer JOIN tag ON layer.id = tag.layer_id',
    'SELECT tag.* FROM tag JOIN layer ON layer.id = tag.layer_id WHERE layer.is_shown = TRUE',
  ];
  const live: OldSubscription[] = [];
  for (let round = 0; round < 30; round += 1) {
    for (let count = below(6); count > 0; count -= 1) {
      const caller = below(2) ? one : other;
      const [id, word] = [below(5), `t${below(3)}`];
      const calls: [string, ...unknown[]][] = [
        ['put_layer', id, word, below(2) === 0],
        ['put_layer', id, word, below(2) === 0],
        ['drop_layer', id],
        ['put_tag', id, word],
        ['drop_tag', id, word],
        ['break_after_writing'],
      ];
      caller.call(...calls[below(calls.length)]!);
    }
    if (live.length && below(2)) await live.splice(below(live.length), 1)[0]!.end();
    else live.push(await one.subscribe(queries.filter(() => below(3) === 0).concat(queries[below(7)]!)));
  }
  while (live.length) await live.pop()!.end();
}

async function settled(one: OldConnection, other: OldConnection): Promise<void> {
  for (const caller of [one, other]) await outcome(caller, 'drop_layer', 4_000_000);
  await outcome(one, 'put_tag', 99, 'last');
  const holds = (of: OldConnection) => of.rows('tag').some(({ text }) => text === 'last');
  await until(() => holds(one) && holds(other), 'everybody heard of the last call');
}

async function story(sdk: OldSdk): Promise<unknown> {
  const one = await sdk.open({ light: true, confirmed: true });
  const other = await sdk.open({});
  const again = await sdk.open({ token: one.token });
  assert.equal(again.identity, one.identity);
  assert.notEqual(other.identity, one.identity);
  again.close();
  await again.ended;

  const empty = await one.subscribe(ALL);
  await other.subscribe(ALL);
  await reducers(one, other);
  await errors(one);
  await procedures(one);
  await caches(one, other);
  await settled(one, other);

  const fresh = await sdk.open({});
  await fresh.subscribe(ALL);
  const rows = dump(fresh);
  assert.deepEqual(dump(one), rows);
  assert.deepEqual(dump(other), rows);
  await empty.end();
  assert.deepEqual(dump(one), Object.fromEntries(TABLES.map(table => [table, []])));
  for (const open of [one, other, fresh]) {
    open.close();
    await open.ended;
  }
  return rows;
}

/** A server's recorded words: subscriptions in their order, and frames with the rows after each. */
interface Recorded {
  subscriptions: string[][];
  frames: { frame: string; rows: Record<string, Row[]> | null }[];
}

/** Let the SDK hear recorded frames; its cache has to hold the recorded rows after each. */
async function replay(sdk: OldSdk, path: string): Promise<unknown> {
  const recorded = JSON.parse(readFileSync(path, 'utf8')) as Recorded;
  const wire: Wire = { send: () => undefined, close: () => undefined };
  const opening = sdk.open({ wire });
  const hear = async (frame: string) => {
    await new Promise(setImmediate);
    wire.onmessage!({ data: new Uint8Array(Buffer.from(frame, 'hex')) });
    await new Promise(setImmediate);
  };
  await hear(recorded.frames[0]!.frame);
  const connection = await opening;
  for (const queries of recorded.subscriptions) void connection.subscribe(queries);
  for (const [place, { frame, rows }] of recorded.frames.entries()) {
    if (place === 0) continue;
    await hear(frame);
    if (rows === null) continue;
    const wanted = Object.entries(rows).map(([name, held]) => [name, sorted(held)]);
    assert.deepEqual(dump(connection), Object.fromEntries(wanted), `after frame ${place}`);
  }
  return recorded.frames.length;
}

/** Run the story, or hear what was recorded; what goes wrong, and what the SDK complained about, ends the process with 1. */
export function tell(sdk: OldSdk): void {
  const recorded = process.env['RECORDED'];
  (recorded === undefined ? story(sdk) : replay(sdk, recorded))
    .then(result => {
      assert.deepEqual(complaints, [], 'the SDK complained');
      process.stdout.write(`${JSON.stringify(result)}\n`);
    })
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      for (const text of complaints) process.stderr.write(`SDK: ${text}\n`);
      process.exit(1);
    });
}
