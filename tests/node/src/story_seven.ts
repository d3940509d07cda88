// Story 7 of the game: images made and sent, what they are bound to, and who may fetch them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { AssetObject } from '../module_bindings_game/types.js';
import { close, env, main, open, report, until } from './connections.js';
import { DbConnection } from '../module_bindings_game/index.js';
import { act, cards, create, openAuthor, rowsOf, SEED, session } from './creator.js';
import { ask, code, only, requestId, userId, type Player } from './player.js';
import { answered, refused, send, type Json } from './web.js';

const COVER_IMAGE = '/api/custom-world/cover-image';
const COVER_UPLOAD = '/api/custom-world/cover-upload';
const PRIVATE = 'genarrative-private';
const SECRET = '49.2827N 123.1207W';
const MEBIBYTE = 1 << 20;

/** What an author is told of two scenes that are made (domain 12.7). */
const SCENE = ['object', 'binding', 'link', 'card Ready'];
const SCENES = ['operation Running', 'card Generating', ...SCENE, ...SCENE, 'operation Succeeded'];

const address = env('URI').replace(/^ws/, 'http');

const bearer = (token?: string, more: Record<string, string> = {}) =>
  token === undefined ? more : { authorization: `Bearer ${token}`, ...more };

/** Fetch a stored file as somebody, or as nobody. */
const fetched = (path: string, token?: string, more: Record<string, string> = {}) =>
  fetch(address + path, { headers: bearer(token, more) });

/** The status of a path that is sent as it is. */
const statusOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const asked = request({ hostname, port, path }, answer => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on('error', reject).end();
  });

/** How many objects, bindings and links an author sees. */
const counts = ({ connection: { db } }: Player): bigint[] => [
  db.assetObject.count(),
  db.assetEntityBinding.count(),
  db.customWorldAssetLink.count(),
];

/** Wait until an author sees so many objects, bindings and links. */
const counted = (author: Player, ...expected: bigint[]): Promise<void> =>
  until(author.connection, () => counts(author).join() === expected.join());

const world = (author: Player) => cards(author, 'World')[0]!;

/** Step 1. */
async function cover(author: Player): Promise<void> {
  const body = {
    sessionId: session(author).agentSessionId,
    world: { name: 'Drowned Kingdom', description: 'Bells under the water.' },
  };
  const make = () => answered(200, send(author.token, 'POST', COVER_IMAGE, body));
  const made = await make();
  const { asset, binding } = made;
  assert.deepEqual([made.source, asset.sourceKind], ['fallback', 'fallback']);
  assert.deepEqual(
    [asset.contentType, asset.width, asset.height],
    ['image/svg+xml', 1200, 675]
  );
  assert.deepEqual(
    [binding.slot, binding.entityKind, binding.assetObjectId],
    ['cover', 'world', asset.assetObjectId]
  );
  await until(author.connection, () => world(author).imageSrc === made.imageSrc);
  await counted(author, 1n, 1n, 1n);
  const link = only(author.connection.db.customWorldAssetLink.iter());
  assert.deepEqual([link.imageSrc, link.publishedVersion], [made.imageSrc, 0]);
  assert.equal(world(author).assetStatus.tag, 'Ready');
  const svg = await (await fetched(made.imageSrc, author.token)).text();
  assert.match(svg, /^<svg [^>]*viewBox="0 0 1200 675"/);
  const { revision } = world(author);
  const again = await make();
  assert.deepEqual(again, made);
  assert.deepEqual(counts(author), [1n, 1n, 1n]);
  assert.equal(world(author).revision, revision);
}

/** What changes while scenes are made, in the order in which it is told. */
function told(author: Player): string[] {
  const { db } = author.connection;
  const labels: string[] = [];
  const tell = (label: string) => {
    if (labels.at(-1) !== label) labels.push(label);
  };
  db.customWorldAgentOperation.onInsert((_context, row) => tell(`operation ${row.status.tag}`));
  db.customWorldAgentOperation.onUpdate((_context, before, row) => {
    if (before.status.tag !== row.status.tag) tell(`operation ${row.status.tag}`);
  });
  db.customWorldDraftCard.onUpdate((_context, before, row) => {
    if (before.assetStatus.tag !== row.assetStatus.tag) tell(`card ${row.assetStatus.tag}`);
  });
  db.assetObject.onInsert(() => tell('object'));
  db.assetEntityBinding.onInsert(() => tell('binding'));
  db.customWorldAssetLink.onInsert(() => tell('link'));
  return labels;
}

/** Step 2. */
async function scenes(author: Player): Promise<void> {
  const [first, second] = cards(author, 'Landmark');
  const labels = told(author);
  const cardIds = [first!.cardId, second!.cardId];
  const made = await act(author, 'generate_scene_assets', { cardIds });
  assert.equal(made.status.tag, 'Succeeded', made.errorMessage);
  assert.deepEqual([...labels], SCENES);
  assert.deepEqual(counts(author), [3n, 3n, 3n]);
  const slots = [...author.connection.db.assetEntityBinding.iter()].map(row => row.slot.tag);
  assert.deepEqual(slots.sort(), ['Cover', 'Scene', 'Scene']);
  const images = cards(author, 'Landmark').map(card => card.imageSrc !== undefined);
  assert.deepEqual(images, [true, true, false, false]);
  const synced = await act(author, 'sync_scene_assets');
  assert.deepEqual(JSON.parse(synced.resultJson!), { linked: 2, missing: 2 });
}

/** Send a file as the cover of the author's session. */
async function upload(
  author: Player,
  data: Uint8Array<ArrayBuffer> | string,
  name: string,
  type: string
): Promise<[number, Json]> {
  const form = new FormData();
  form.append('sessionId', session(author).agentSessionId);
  form.append('file', new Blob([data], { type }), name);
  const sent = { method: 'POST', headers: bearer(author.token), body: form };
  const answer = await fetch(address + COVER_UPLOAD, sent);
  return [answer.status, await answer.json()];
}

/** Step 3; answers the object that was sent. */
async function uploads(author: Player): Promise<Json> {
  const photo = new Uint8Array(readFileSync(env('PNG')));
  assert.ok(photo.length > 900_000 && Buffer.from(photo).includes(SECRET));
  const sent = await answered(201, upload(author, photo, 'photo.jpg', 'image/jpeg'));
  const { asset, imageSrc } = sent;
  assert.deepEqual([asset.contentType, asset.sourceKind], ['image/png', 'upload']);
  const stored = Buffer.from(await (await fetched(imageSrc, author.token)).arrayBuffer());
  assert.equal(stored.length, asset.contentLength);
  assert.ok(stored.length < photo.length && !stored.includes(SECRET));
  assert.deepEqual([...stored.subarray(1, 4)], [...Buffer.from('PNG')]);
  await until(author.connection, () => world(author).imageSrc === imageSrc);
  await counted(author, 4n, 3n, 3n);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const bad: [Uint8Array<ArrayBuffer> | string, string, string, number, string][] = [
    [svg, 'cover.svg', 'image/svg+xml', 415, 'asset.unsupported_media'],
    ['just a text', 'cover.png', 'image/png', 415, 'asset.unsupported_media'],
    [new Uint8Array(9 * MEBIBYTE), 'cover.png', 'image/png', 413, 'input.payload_too_large'],
  ];
  for (const [data, name, type, status, expected] of bad) {
    const refusal = await refused(upload(author, data, name, type));
    assert.deepEqual(refusal.slice(0, 2), [status, expected], name);
  }
  assert.deepEqual(counts(author), [4n, 3n, 3n]);
  return sent;
}

/** Step 4; answers the other author's object. */
async function bindings(author: Player, other: Player): Promise<Json> {
  const theirs = await answered(
    200,
    send(other.token, 'POST', COVER_IMAGE, { world: { name: 'Elsewhere' } })
  );
  assert.equal(theirs.binding, null);
  const { agentSessionId } = session(author);
  const landmark = cards(author, 'Landmark')[2]!.entityKey;
  const bind = (assetObjectId: string, slot: 'Scene' | 'Portrait') =>
    author.connection.procedures.bindAssetObjectToEntityAndReturn({
      input: {
        assetObjectId,
        entityKind: { tag: 'Landmark' },
        entityId: `${agentSessionId}:landmark:${landmark}`,
        slot: { tag: slot },
        profileId: undefined,
        requestId: requestId(),
      },
    });
  assert.equal(await code(bind(theirs.asset.assetObjectId, 'Scene')), 'asset.not_owner');
  const own = [...author.connection.db.assetObject.iter()].find(row => row.assetKind === 'scene')!;
  assert.equal(await code(bind(own.assetObjectId, 'Portrait')), 'asset.invalid_slot');
  assert.deepEqual(counts(author), [4n, 3n, 3n]);
  return theirs;
}

/** Step 5. */
async function access(author: Player, other: Player, sent: Json): Promise<void> {
  const { imageSrc, asset } = sent;
  for (const token of [other.token, undefined]) {
    const [status, body] = await send(token, 'GET', imageSrc);
    assert.deepEqual([status, body.error.code], [404, 'asset.not_found']);
  }
  assert.equal((await fetched(imageSrc, author.token)).status, 200);
  const published = await act(author, 'publish_world');
  assert.equal(published.status.tag, 'Succeeded', published.errorMessage);
  await until(
    other.connection,
    () => [...other.connection.db.assetObject.iter()].some(row => row.assetObjectId === asset.assetObjectId)
  );
  for (const token of [other.token, undefined]) {
    const found = await fetched(imageSrc, token);
    const etag = `"${asset.contentHash}"`;
    assert.deepEqual([found.status, found.headers.get('etag')], [200, etag]);
    assert.match(found.headers.get('cache-control')!, /public.*immutable/);
    assert.equal((await found.arrayBuffer()).byteLength, asset.contentLength);
    assert.equal((await fetched(imageSrc, token, { 'if-none-match': etag })).status, 304);
  }
  for (const path of ['/objects/../x', `/objects/${PRIVATE}/../../x`, `/objects/${PRIVATE}/..%2fx`]) {
    assert.equal(await statusOf(path), 404, path);
  }
}

const remove = (who: Player, assetObjectId: string): Promise<void> =>
  who.connection.reducers.deleteAssetObject({ input: { assetObjectId, requestId: requestId() } });

/** Step 6. */
async function deletions(author: Player, other: Player, sent: Json, theirs: Json): Promise<void> {
  const { assetObjectId } = sent.asset;
  assert.equal(await code(remove(author, assetObjectId)), 'asset.in_use_conflict');
  assert.equal(await code(remove(other, assetObjectId)), 'asset.not_owner');
  await remove(other, theirs.asset.assetObjectId);
  assert.equal((await fetched(theirs.imageSrc, other.token)).status, 404);
}

/** Step 7. */
async function versions(author: Player, service: Player): Promise<void> {
  const confirm = (contentHash: string): Promise<AssetObject> =>
    ask(
      service.connection.procedures.confirmAssetObjectAndReturn({
        input: {
          bucket: PRIVATE,
          objectKey: `${userId(author)}/scene/one.png`,
          accessPolicy: { tag: 'OwnerRead' },
          contentType: 'image/png',
          contentLength: 1_000n,
          contentHash,
          ownerUserId: userId(author),
          profileId: undefined,
          assetKind: 'scene',
          sourceKind: { tag: 'Import' },
          sourceJobId: undefined,
          width: 512,
          height: 512,
          requestId: requestId(),
        },
      })
    );
  const first = await confirm('ab'.repeat(32));
  assert.deepEqual(await confirm('ab'.repeat(32)), first);
  const second = await confirm('cd'.repeat(32));
  assert.equal(second.assetObjectId, first.assetObjectId);
  assert.deepEqual([first.version, second.version], [1, 2]);
  await until(
    author.connection,
    () => author.connection.db.assetObject.assetObjectId.find(first.assetObjectId)?.version === 2
  );
}

async function play(): Promise<void> {
  const service = await open(DbConnection.builder(), env('SERVICE_TOKEN'));
  const author = await openAuthor();
  const other = await openAuthor();
  await create(author, { seedText: SEED, locale: 'en' });
  assert.equal((await act(author, 'draft_foundation')).status.tag, 'Succeeded');
  await cover(author);
  await scenes(author);
  const sent = await uploads(author);
  const theirs = await bindings(author, other);
  await access(author, other, sent);
  await deletions(author, other, sent, theirs);
  await versions(author, service);
  report({ rows: await rowsOf(author), token: author.token, imageSrc: sent.imageSrc });
  await Promise.all([service.ended, author.ended, other.ended]);
}

async function look(): Promise<void> {
  const author = await openAuthor(env('TOKEN'));
  report({ rows: await rowsOf(author) });
  await close(author);
}

main(process.env['TOKEN'] === undefined ? play : look, [/Error connecting to SpacetimeDB WS/]);
