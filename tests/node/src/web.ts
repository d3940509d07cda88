// A client of the HTTP addresses, beside the SDK: JSON requests, and streams of server-sent events.

import assert from 'node:assert/strict';
import { env } from './connections.js';

/** Bodies over HTTP have no generated types. */
export type Json = any;

export interface ServerEvent {
  event: string;
  id: string | undefined;
  data: Json;
}

const ADDRESS = env('URI').replace(/^ws/, 'http');

function request(token: string | undefined, method: string, body?: unknown, after?: string) {
  const headers = new Headers();
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (after !== undefined) headers.set('last-event-id', after);
  if (body === undefined) return { method, headers };
  headers.set('content-type', 'application/json');
  return { method, headers, body: JSON.stringify(body) };
}

/** The status and the body of whatever is answered; a body that is empty is `null`. */
export async function send(
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown
): Promise<[number, Json]> {
  const answer = await fetch(ADDRESS + path, request(token, method, body));
  const text = await answer.text();
  return [answer.status, text === '' ? null : JSON.parse(text)];
}

/** The body of an answer that must have this status. */
export async function answered(status: number, sent: ReturnType<typeof send>): Promise<Json> {
  const [found, body] = await sent;
  assert.equal(found, status, JSON.stringify(body));
  return body;
}

/** The status, the code and the details of a refusal. */
export async function refused(sent: ReturnType<typeof send>): Promise<[number, string, Json]> {
  const [status, body] = await sent;
  assert.ok(status >= 400, JSON.stringify(body));
  return [status, body.error.code, body.error.details];
}

/** The events of a stream as they come; who leaves the loop disconnects. */
export async function* events(
  token: string,
  method: string,
  path: string,
  given: { body?: unknown; after?: string } = {}
): AsyncGenerator<ServerEvent> {
  const leaving = new AbortController();
  const asked = request(token, method, given.body, given.after);
  const answer = await fetch(ADDRESS + path, { ...asked, signal: leaving.signal });
  try {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    const decoder = new TextDecoder();
    const reader = answer.body!.getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map(line => line.split(/: (.*)/s, 2) as [string, string])
        );
        if (!fields.has('event')) continue; // a comment
        const data: Json = JSON.parse(fields.get('data')!);
        yield { event: fields.get('event')!, id: fields.get('id'), data };
      }
    }
    assert.equal(text, '');
  } finally {
    leaving.abort();
  }
}

/** All events of a stream, to its end. */
export async function collect(stream: AsyncGenerator<ServerEvent>): Promise<ServerEvent[]> {
  const found: ServerEvent[] = [];
  for await (const event of stream) found.push(event);
  return found;
}
