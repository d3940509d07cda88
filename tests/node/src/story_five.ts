// Story 5 of the game: a streamed reply breaks off, is resumed, tried again, repaired, and stopped.
//
// The driver of the test plays the model: it waits before each piece until it is told to go on.

import assert from 'node:assert/strict';
import { DbConnection } from '../module_bindings_game/index.js';
import type { AiTextChunk, CustomWorldAgentMessage } from '../module_bindings_game/types.js';
import { close, env, main, open, report, until } from './connections.js';
import { caughtUp, create, messages, openAuthor, path, rowsOf, session } from './creator.js';
import { code, requestId, type Player } from './player.js';
import { answered, collect, events, refused, send, type ServerEvent } from './web.js';

/** Let the model say its next piece. */
const go = () => report('go');

/** The reply that was begun last. */
const reply = (author: Player): CustomWorldAgentMessage => messages(author).at(-1)!;

/** The chunks that have come of the reply, in order. */
const chunks = (author: Player): AiTextChunk[] =>
  [...author.connection.db.aiTextChunk.iter()]
    .filter(chunk => chunk.aiTaskId === reply(author).aiTaskId)
    .sort((a, b) => a.sequence - b.sequence);

const texts = (author: Player): string[] => chunks(author).map(chunk => chunk.deltaText);

/** Wait until so many chunks of the reply have come. */
const heard = (author: Player, count: number): Promise<void> =>
  until(author.connection, () => chunks(author).length === count);

const names = (stream: ServerEvent[]): string[] => stream.map(one => one.event);

const statuses = (stream: ServerEvent[]): string[] =>
  stream.filter(one => one.event === 'operation').map(one => one.data.operation.status);

const deltas = (stream: ServerEvent[]): ServerEvent[] =>
  stream.filter(one => one.event === 'delta');

const words = (stream: ServerEvent[]): string[] => deltas(stream).map(one => one.data.text);

const last = (stream: ServerEvent[], event: string): ServerEvent['data'] =>
  stream.findLast(one => one.event === event)!.data;

let said = 0;

/** What is sent to say something. */
const saying = (text: string) => ({ text, clientMessageId: `said-${++said}` });

/** Say something, hear the reply to its end, and see its rows. */
async function say(author: Player, text: string): Promise<ServerEvent[]> {
  const address = `${path(author)}/messages/stream`;
  const whole = await collect(events(author.token, 'POST', address, { body: saying(text) }));
  await caughtUp(author);
  return whole;
}

/** Hear the last reply: all of it, or what follows a delta. */
const hear = (author: Player, after?: string): AsyncGenerator<ServerEvent> =>
  events(
    author.token,
    'GET',
    `${path(author)}/messages/stream`,
    after === undefined ? {} : { after }
  );

/** Read until a delta, and disconnect. */
async function readTo(author: Player, sequence: number): Promise<ServerEvent[]> {
  const read: ServerEvent[] = [];
  for await (const one of hear(author)) {
    read.push(one);
    if (one.event === 'delta' && one.data.sequence === sequence) break;
  }
  return read;
}

/** Step 9, while the reply runs: nobody gets a chunk in that does not follow. */
async function interfere(author: Player, service: Player): Promise<void> {
  const { aiTaskId: taskId, attempt } = chunks(author)[0]!;
  const append = (sequence: number, deltaText: string) =>
    service.connection.procedures.appendAiTextChunkAndReturn({
      input: { taskId, stageOrder: 1, attempt, sequence, deltaText, requestId: requestId() },
    });
  assert.equal(await code(append(9, 'c9')), 'ai.chunk_out_of_range');
  assert.equal(await code(append(0, 'other')), 'ai.chunk_conflict');
}

/** Steps 1 to 3, with 8 and 9 while the reply runs. */
async function brokenOff(author: Player, service: Player): Promise<void> {
  const seen: string[] = [];
  author.connection.db.aiTextChunk.onInsert((_context, row) => seen.push(row.deltaText));
  const whole = say(author, 'A drowned kingdom under a curse.');
  await heard(author, 1);
  go();
  await heard(author, 2);
  const early = await readTo(author, 1);
  const tab = await openAuthor(author.token);
  await heard(tab, 2);
  await close(tab);
  const busy = await refused(
    send(author.token, 'POST', `${path(author)}/messages/stream`, saying('And more.'))
  );
  assert.deepEqual(busy.slice(0, 2), [409, 'agent.reply_in_progress_state']);
  await interfere(author, service);
  go();
  await heard(author, 3);
  const tabAgain = await openAuthor(author.token);
  await heard(tabAgain, 3);
  const resumed = collect(hear(author, deltas(early)[1]!.id!));
  go();
  await heard(author, 4);
  go();
  // 1
  const all = await whole;
  assert.deepEqual(names(all), [
    ...['user_message', 'operation', 'operation', 'message_start'],
    ...['delta', 'delta', 'delta', 'delta'],
    ...['error', 'message_end', 'operation', 'done'],
  ]);
  assert.deepEqual(statuses(all), ['queued', 'running', 'failed']);
  const error = last(all, 'error');
  assert.deepEqual([error.partial, error.code], [true, 'dependency.unavailable']);
  const end = last(all, 'message_end');
  assert.deepEqual([end.status, end.text, end.chunkCount], ['partial', 'c0c1c2c3', 4]);
  assert.equal(last(all, 'done').operationStatus, 'failed');
  // 2
  const state = await answered(200, send(author.token, 'GET', path(author)));
  const kept = state.messages.at(-1);
  assert.deepEqual([kept.status, kept.text, kept.chunkCount], ['partial', 'c0c1c2c3', 4]);
  assert.deepEqual(seen, ['c0', 'c1', 'c2', 'c3']);
  const { aiTaskId } = reply(author);
  const task = await answered(200, send(author.token, 'GET', `/api/ai/tasks/${aiTaskId}`));
  assert.equal(task.task.status, 'failed');
  assert.equal(task.stages[1].textOutput, 'c0c1c2c3');
  await until(tabAgain.connection, () => reply(tabAgain).status.tag === 'Partial');
  assert.deepEqual(texts(tabAgain), seen);
  await close(tabAgain);
  // 3
  assert.deepEqual(early, all.slice(0, early.length));
  assert.deepEqual(await resumed, all.slice(early.length));
  assert.deepEqual(words(await resumed), ['c2', 'c3']);
}

/** Step 4. */
async function retried(author: Player): Promise<void> {
  const { messageId } = reply(author);
  const body = { action: 'retry_reply', payload: { messageId } };
  await answered(202, send(author.token, 'POST', `${path(author)}/actions`, body));
  const again = collect(hear(author, `${messageId}:1:3`));
  await until(author.connection, () => reply(author).status.tag === 'Streaming');
  assert.equal(reply(author).text, 'c0c1c2c3');
  for (let count = 1; count <= 7; count++) {
    go();
    await heard(author, count);
    assert.ok(reply(author).text.startsWith('n0'));
  }
  const all = await again;
  await caughtUp(author);
  assert.deepEqual(names(all), [
    ...['restart', 'message_start'],
    ...Array<string>(7).fill('delta'),
    ...['session', 'message_end', 'operation', 'done'],
  ]);
  assert.equal(last(all, 'restart').attempt, 2);
  assert.deepEqual(
    deltas(all).map(one => one.id),
    Array.from({ length: 7 }, (_, sequence) => `${messageId}:2:${sequence}`)
  );
  const end = last(all, 'message_end');
  assert.deepEqual([end.status, end.text], ['complete', 'n0n1n2n3n4n5n6']);
  assert.deepEqual([end.textSource, statuses(all)], ['llm', ['succeeded']]);
  assert.equal(reply(author).text, 'n0n1n2n3n4n5n6');
}

/** Step 5. */
async function silent(author: Player): Promise<void> {
  const all = await say(author, 'The tone is warm.');
  const end = last(all, 'message_end');
  assert.deepEqual([end.status, end.textSource], ['complete', 'fallback']);
  assert.ok(end.text);
  assert.equal(words(all).join(''), end.text);
  assert.ok(words(all).every(text => text.length <= 120));
  assert.deepEqual(statuses(all), ['queued', 'running', 'succeeded']);
}

const anchor = (author: Player, key: string) =>
  session(author).anchors.find(one => one.key === key)!;

/** Step 6. */
async function repaired(author: Player): Promise<void> {
  const mended = last(await say(author, 'Go on.'), 'message_end');
  assert.deepEqual(
    [mended.status, mended.text, mended.textSource],
    ['complete', 'Say more.', 'repaired']
  );
  const { value, confidencePermille } = anchor(author, 'opening_scene');
  assert.deepEqual([value, confidencePermille], ['A flooded stair.', 900]);
  const given = last(await say(author, 'It is a war against the tide.'), 'message_end');
  assert.deepEqual(
    [given.status, given.text, given.textSource],
    ['complete', 'Tell me.', 'fallback']
  );
  const { value: conflict, source } = anchor(author, 'core_conflict');
  assert.deepEqual([conflict, source.tag], ['It is a war against the tide.', 'Fallback']);
}

/** Step 7. */
async function cancelled(author: Player): Promise<void> {
  const before = messages(author).length;
  const whole = say(author, 'Never mind.');
  await until(author.connection, () => messages(author).length === before + 2);
  await heard(author, 1);
  go();
  await heard(author, 2);
  const { operationId } = reply(author);
  const address = `${path(author)}/operations/${operationId}`;
  const { operation } = await answered(200, send(author.token, 'POST', `${address}/cancel`, {}));
  assert.equal(operation.status, 'cancelled');
  const all = await whole;
  const end = last(all, 'message_end');
  assert.deepEqual([end.status, end.text, end.chunkCount], ['partial', 'k0k1', 2]);
  assert.equal(last(all, 'error').code, 'agent.cancelled');
  assert.equal(last(all, 'done').operationStatus, 'cancelled');
  await until(author.connection, () => reply(author).status.tag === 'Partial');
  assert.deepEqual(texts(author), ['k0', 'k1']);
  const shown = await answered(200, send(author.token, 'GET', address));
  assert.equal(shown.operation.status, 'cancelled');
}

async function play(): Promise<void> {
  const service = await open(DbConnection.builder(), env('SERVICE_TOKEN'));
  const [author, other] = [await openAuthor(), await openAuthor()];
  await create(author, { locale: 'en' });
  await create(other, { locale: 'en' });
  await brokenOff(author, service);
  await retried(author);
  await silent(other);
  await repaired(other);
  await cancelled(author);
  const rows = { author: await rowsOf(author), other: await rowsOf(other) };
  report({ rows, token: author.token, stranger: other.token });
  await Promise.all([author, other, service].map(who => who.ended));
}

async function look(): Promise<void> {
  const [author, other] = [await openAuthor(env('TOKEN')), await openAuthor(env('STRANGER'))];
  report({ rows: { author: await rowsOf(author), other: await rowsOf(other) } });
  await close(author, other);
}

main(process.env['TOKEN'] === undefined ? play : look);
