// Connections of the unmodified SDK, over the protocol version that the test asks for.
//
// The SDK offers v3 and v2 and uses the global WebSocket where there is one. Ours offers only
// v2 when the test wants that; the SDK itself is not changed in any way.

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { WebSocket as NodeSocket } from 'undici';
import {
  Identity,
  TimeDuration,
  Timestamp,
  Uuid,
  setGlobalLogLevel,
  type DbConnectionBuilder,
  type DbConnectionImpl,
  type RowTypedQuery,
} from 'spacetimedb';

export type AnyConnection = DbConnectionImpl<any>;
type Query = string | RowTypedQuery<any, any>;
type Handle = ReturnType<ReturnType<AnyConnection['subscriptionBuilder']>['subscribe']>;

export const env = (name: string): string => {
  const value = process.env[name];
  assert.ok(value !== undefined, `environment variable ${name} is missing`);
  return value;
};

export const version = env('PROTOCOL');
assert.ok(version === 'v3' || version === 'v2');

/** Where every byte that the server says is written to, for the driver to look through. */
const heard = process.env['HEARD'];

/** How many frames the SDK has sent so far. */
export let framesSent = 0;

class ChosenSocket extends NodeSocket {
  constructor(url: string | URL, protocols: string[]) {
    super(url, version === 'v2' ? protocols.filter(name => name.startsWith('v2.')) : protocols);
    if (heard !== undefined) {
      this.addEventListener('message', ({ data }) =>
        appendFileSync(heard, Buffer.from(data as ArrayBuffer))
      );
    }
  }

  override send(data: Parameters<NodeSocket['send']>[0]): void {
    framesSent += 1;
    super.send(data);
  }
}
globalThis.WebSocket = ChosenSocket as unknown as typeof WebSocket;

/** What the SDK complained about so far; it tells of broken caches in no other way. */
export const complaints: string[] = [];
setGlobalLogLevel('warn');
for (const channel of ['log', 'warn', 'error'] as const) {
  console[channel] = (...words: unknown[]) => void complaints.push(words.map(String).join(' '));
}

export interface Opened<C> {
  connection: C;
  identity: Identity;
  token: string;
  /** Settles when the socket has ended, whatever the reason. */
  ended: Promise<void>;
}

const watchers = new WeakMap<object, Set<() => void>>();

interface Watchable {
  onInsert(callback: () => void): void;
  onDelete(callback: () => void): void;
  onUpdate?(callback: () => void): void;
}

function watch(connection: AnyConnection): void {
  const waiting = new Set<() => void>();
  watchers.set(connection, waiting);
  // After the message's own callbacks, so that conditions may speak of what those counted.
  const look = () => queueMicrotask(() => [...waiting].forEach(check => check()));
  for (const table of Object.values(connection.db) as Watchable[]) {
    table.onInsert(look);
    table.onDelete(look);
    table.onUpdate?.(look);
  }
}

/** Connect; rejects with what `onConnectError` is given. */
export function open<C extends AnyConnection>(
  builder: DbConnectionBuilder<C>,
  token?: string,
  database = env('DATABASE')
): Promise<Opened<C>> {
  return new Promise((resolve, reject) => {
    let end: () => void;
    const ended = new Promise<void>(settle => (end = settle));
    builder
      .withUri(env('URI'))
      .withDatabaseName(database)
      .withToken(token)
      .onConnect((connection, identity, given) => {
        const { ws } = connection as unknown as { ws: { protocol: string } };
        assert.equal(ws.protocol, `${version}.bsatn.spacetimedb`);
        watch(connection);
        resolve({ connection, identity, token: given, ended });
      })
      .onConnectError((_context, error) => reject(error))
      .onDisconnect(() => end())
      .build();
  });
}

/** Disconnect and wait until the socket has ended. */
export async function close(...opened: Opened<AnyConnection>[]): Promise<void> {
  for (const one of opened) one.connection.disconnect();
  await Promise.all(opened.map(one => one.ended));
}

/** Wait until something holds of a connection's rows; looked at with every change of them. */
export function until(connection: AnyConnection, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = watchers.get(connection)!;
    const check = () => {
      try {
        if (!holds()) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      waiting.delete(check);
    };
    waiting.add(check);
    check();
  });
}

/** Subscribe; rejects with the server's error. */
export function subscribe(connection: AnyConnection, queries: Query | Query[]): Promise<Handle> {
  return new Promise((resolve, reject) => {
    const handle: Handle = connection
      .subscriptionBuilder()
      .onApplied(() => resolve(handle))
      .onError(context => reject(context.event))
      .subscribe(Array.isArray(queries) ? queries : [queries]);
  });
}

/** Subscribe to everything that the bindings know. */
export function subscribeToAll(connection: AnyConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection
      .subscriptionBuilder()
      .onApplied(() => resolve())
      .onError(context => reject(context.event))
      .subscribeToAllTables();
  });
}

/** Unsubscribe; the rows are gone when it settles. */
export const unsubscribe = (handle: Handle): Promise<void> =>
  new Promise(resolve => handle.unsubscribeThen(() => resolve()));

/** What a call is refused with: the error's class name and its text. */
export async function refusal(call: Promise<unknown>): Promise<[string, string]> {
  try {
    await call;
  } catch (error) {
    return error instanceof Error ? [error.name, error.message] : ['string', String(error)];
  }
  throw new assert.AssertionError({ message: 'the call was not refused' });
}

const isEmpty = (value: unknown) =>
  value !== null && typeof value === 'object' && Object.keys(value).length === 0;

/** Any value as JSON with sorted object keys; numbers beyond JSON become strings. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Timestamp) return value.microsSinceUnixEpoch.toString();
  if (value instanceof TimeDuration) return value.micros.toString();
  if (value instanceof Identity) return value.toHexString();
  if (value instanceof Uuid) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object') {
    // A variant without a payload is written without a value, and read with an empty one.
    const entries = Object.entries(value)
      .filter(([name, inner]) => !(name === 'value' && 'tag' in value && isEmpty(inner)))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}

/** Rows of tables as JSON, in an order that depends on the rows only. */
export function dump(connection: AnyConnection, tables?: string[]): Record<string, unknown[]> {
  const db = connection.db as unknown as Record<string, { iter(): Iterable<unknown> }>;
  const shown: Record<string, unknown[]> = {};
  for (const name of (tables ?? Object.keys(db)).toSorted()) {
    const rows = [...db[name]!.iter()].map(row => JSON.stringify(plain(row)));
    shown[name] = rows.sort().map(row => JSON.parse(row));
  }
  return shown;
}

/** Hand a result to the driver of the test; `null` in the end when there is nothing to say. */
export function report(result: unknown): void {
  process.stdout.write(`${JSON.stringify(plain(result))}\n`);
}

/** Run a program: what it throws, and what the SDK complained about, ends the process with 1. */
export function main(program: () => Promise<void>, expected: RegExp[] = []): void {
  program()
    .then(() => {
      const unexpected = complaints.filter(text => !expected.some(one => one.test(text)));
      assert.deepEqual(unexpected, [], 'the SDK complained');
    })
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      for (const text of complaints) process.stderr.write(`SDK: ${text}\n`);
      process.exit(1);
    });
}
