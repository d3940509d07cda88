// Story 6 of the game: a world is published, found, played, liked, changed, hidden and deleted.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import type {
  CustomWorldAgentOperation,
  CustomWorldGalleryEntry,
  Work,
} from '../module_bindings_game/types.js';
import { close, dump, env, main, open, report, subscribe, until } from './connections.js';
import {
  act,
  cards,
  create,
  GALLERY,
  LIBRARY,
  openAuthor,
  patch,
  rowsOf,
  SEED,
  session,
  WORKS,
} from './creator.js';
import { ask, only, requestId, userId, type Player } from './player.js';
import { answered, refused, send } from './web.js';

const PLAYED = [
  tables.customWorldGalleryEntry,
  tables.customWorldGalleryLike,
  tables.storyChoice,
  tables.storyEvent,
  tables.storySession,
];

/** What an author is told of a first publication (domain 12.5, 12.7). */
const STEPS = [
  'operation cover',
  'session Publishing',
  'object OwnerRead',
  'binding Cover',
  'link 0',
  'card Ready',
  'operation publish',
  'profile Draft',
  'object PublicRead',
  'link 1',
  'entry 1',
  'profile Published',
  'operation Succeeded',
  'session Published',
];

/** Somebody who plays worlds of others. */
async function openPlayer(token?: string): Promise<Player> {
  const player = await open(DbConnection.builder(), token);
  await subscribe(player.connection, PLAYED);
  return player;
}

/** Somebody who only looks at the gallery. */
async function openVisitor(): Promise<Player> {
  const visitor = await open(DbConnection.builder());
  await subscribe(visitor.connection, tables.customWorldGalleryEntry);
  return visitor;
}

/** The author's world as somebody sees it in the gallery. */
const entry = (who: Player, author: Player): CustomWorldGalleryEntry | undefined =>
  [...who.connection.db.customWorldGalleryEntry.iter()].find(
    row => row.ownerUserId === userId(author)
  );

/** Wait until the world in the gallery is so for everybody. */
async function shown(
  author: Player,
  others: Player[],
  holds: (found: CustomWorldGalleryEntry) => boolean
): Promise<void> {
  for (const who of [author, ...others]) {
    await until(who.connection, () => {
      const found = entry(who, author);
      return found !== undefined && holds(found);
    });
  }
}

/** What changes, in the order in which it is told; the same again is told once. */
function told(author: Player): string[] {
  const { db } = author.connection;
  const labels: string[] = [];
  const tell = (table: string, state: string) => {
    if (labels.findLast(label => label.startsWith(`${table} `)) !== `${table} ${state}`) {
      labels.push(`${table} ${state}`);
    }
  };
  const operation = (row: CustomWorldAgentOperation) =>
    tell('operation', row.status.tag === 'Running' ? row.phaseLabel : row.status.tag);
  const listed = (row: CustomWorldGalleryEntry) => tell('entry', `${row.version}`);
  db.customWorldAgentOperation.onInsert((_context, row) => operation(row));
  db.customWorldAgentOperation.onUpdate((_context, _before, row) => operation(row));
  db.customWorldAgentSession.onUpdate((_context, _before, row) => tell('session', row.stage.tag));
  db.assetObject.onInsert((_context, row) => tell('object', row.accessPolicy.tag));
  db.assetObject.onUpdate((_context, _before, row) => tell('object', row.accessPolicy.tag));
  db.assetEntityBinding.onInsert((_context, row) => tell('binding', row.slot.tag));
  db.customWorldAssetLink.onInsert((_context, row) => tell('link', `${row.publishedVersion}`));
  db.customWorldAssetLink.onUpdate((_context, _before, row) =>
    tell('link', `${row.publishedVersion}`)
  );
  db.customWorldDraftCard.onUpdate((_context, _before, row) => tell('card', row.assetStatus.tag));
  db.customWorldProfile.onInsert((_context, row) => tell('profile', row.publicationStatus.tag));
  db.customWorldProfile.onUpdate((_context, _before, row) =>
    tell('profile', row.publicationStatus.tag)
  );
  db.customWorldGalleryEntry.onInsert((_context, row) => listed(row));
  db.customWorldGalleryEntry.onUpdate((_context, _before, row) => listed(row));
  return labels;
}

async function publish(author: Player): Promise<void> {
  const operation = await act(author, 'publish_world');
  assert.equal(operation.status.tag, 'Succeeded', operation.errorMessage);
}

/** Step 1. */
async function first(author: Player, others: Player[]): Promise<void> {
  const labels = told(author);
  await publish(author);
  await shown(author, others, ({ version }) => version === 1);
  assert.deepEqual(labels, STEPS);
  const { stage, qualityScore, warningCount, progressPermille } = session(author);
  assert.deepEqual(
    [stage.tag, qualityScore, warningCount, progressPermille],
    ['Published', 640, 9, 691]
  );
  assert.ok(entry(author, author)!.coverImageSrc);
}

/** Where the world is in the gallery. */
const address = (author: Player): string =>
  `${GALLERY}/${userId(author)}/${session(author).resultProfileId}`;

/** Step 2. */
async function find(author: Player): Promise<void> {
  const { items } = await answered(200, send(undefined, 'GET', GALLERY));
  const { profileId, coverImageSrc } = entry(author, author)!;
  assert.deepEqual(
    items.map((row: CustomWorldGalleryEntry) => [row.profileId, row.coverImageSrc]),
    [[profileId, coverImageSrc]]
  );
  const detail = await answered(200, send(undefined, 'GET', address(author)));
  assert.equal(detail.entry.profileId, profileId);
  assert.ok(detail.world.roles.length > 0);
  assert.ok(!/lootTable|"facts"/.test(JSON.stringify(detail.world)));
}

/** Begin a story in the author's world; answers its id. */
async function enter(player: Player, author: Player): Promise<string> {
  const begun = await ask(
    player.connection.procedures.beginStorySessionAndReturn({
      input: {
        profileId: session(author).resultProfileId!,
        roleKey: cards(author, 'Role')[0]!.entityKey,
        locale: undefined,
        requestId: requestId(),
      },
    })
  );
  const id = begun.storySessionId;
  const { storyChoice } = player.connection.db;
  await until(player.connection, () =>
    [...storyChoice.iter()].some(row => row.storySessionId === id)
  );
  return id;
}

/** Step 3; answers the story that goes on. */
async function played(author: Player, player: Player, others: Player[]): Promise<string> {
  const story = await enter(player, author);
  await shown(author, others, row => row.playCount === 1n && row.uniquePlayerCount === 1n);
  const second = await enter(player, author);
  await shown(author, others, row => row.playCount === 2n && row.uniquePlayerCount === 1n);
  await player.connection.reducers.abandonStorySession({
    input: { storySessionId: second, requestId: requestId() },
  });
  return story;
}

const bonuses = (author: Player) =>
  [...author.connection.db.profileWalletLedger.iter()].filter(
    row => row.reason.tag === 'CreatorLikeBonus'
  );

/** Step 4. */
async function liked(author: Player, player: Player, others: Player[]): Promise<void> {
  const path = `${address(author)}/like`;
  const like = (method: string) => answered(200, send(player.token, method, path, {}));
  await like('POST');
  assert.deepEqual(await like('POST'), { likeCount: 1, likedByMe: true });
  await shown(author, others, row => row.likeCount === 1n);
  await until(author.connection, () => bonuses(author).length === 1);
  assert.deepEqual(await like('DELETE'), { likeCount: 0, likedByMe: false });
  assert.deepEqual(await like('POST'), { likeCount: 1, likedByMe: true });
  await shown(author, others, row => row.likeCount === 1n);
  const own = await refused(send(author.token, 'POST', path, {}));
  assert.deepEqual(own.slice(0, 2), [403, 'gallery.own_work_forbidden']);
}

/** Say something in a story; answers the version of the world that it is played in. */
async function goOn(player: Player, storySessionId: string): Promise<number> {
  const { turn } = player.connection.db.storySession.storySessionId.find(storySessionId)!;
  const after = await ask(
    player.connection.procedures.continueStoryAndReturn({
      input: {
        storySessionId,
        choiceId: undefined,
        freeText: 'look around',
        expectedTurn: turn,
        interruptNarration: false,
        requestId: requestId(),
      },
    })
  );
  assert.equal(after.turn, turn + 1);
  await until(
    player.connection,
    () => player.connection.db.storySession.storySessionId.find(storySessionId)!.turn === after.turn
  );
  return after.publishedVersion;
}

/** A version of the world, or the one that is live: its number, its status, and its hash. */
async function published(author: Player, version?: number): Promise<[number, string, string]> {
  const found = await ask(
    author.connection.procedures.getPublishedProfile({
      input: { profileId: session(author).resultProfileId!, version },
    })
  );
  return [found.version, found.status.tag, found.documentHash];
}

const work = (author: Player): Work => only(author.connection.db.myCustomWorldWorks.iter());

/** Steps 5 and 6; answers the hash of the version that is live then. */
async function changed(
  author: Player,
  player: Player,
  story: string,
  others: Player[]
): Promise<string> {
  const [, , before] = await published(author);
  await patch(author, cards(author, 'Role')[0]!, { name: 'Mara of the Ford' });
  assert.equal(session(author).stage.tag, 'PublishReady');
  const hashes: string[] = [];
  for (const change of ['a new hash', 'the same hash']) {
    await publish(author);
    await shown(author, others, ({ version }) => version === 2);
    assert.equal(work(author).publishedVersion, 2, change);
    const [version, status, hash] = await published(author);
    assert.deepEqual([version, status], [2, 'Live']);
    hashes.push(hash);
  }
  assert.deepEqual(await published(author, 1), [1, 'Retired', before]);
  assert.ok(hashes[0] === hashes[1] && hashes[0] !== before);
  assert.equal(await goOn(player, story), 1);
  return hashes[1]!;
}

/** Wait until the world has left the gallery for somebody. */
const gone = (who: Player, author: Player): Promise<void> =>
  until(who.connection, () => entry(who, author) === undefined);

/** Step 7. */
async function withdrawn(
  author: Player,
  player: Player,
  story: string,
  others: Player[]
): Promise<void> {
  const withdrawal = await act(author, 'unpublish_world');
  assert.equal(withdrawal.status.tag, 'Succeeded');
  await Promise.all([author, ...others].map(who => gone(who, author)));
  const missing = await refused(send(undefined, 'GET', address(author)));
  assert.deepEqual(missing.slice(0, 2), [404, 'world.not_found']);
  assert.equal(await goOn(player, story), 1);
  assert.equal(work(author).workKind.tag, 'Unpublished');
  const { profileDashboardState } = author.connection.db;
  assert.equal(only(profileDashboardState.iter()).publishedWorkCount, 0);
}

/** Step 8. */
async function revived(author: Player, hash: string, others: Player[]): Promise<void> {
  assert.deepEqual(await published(author, 2), [2, 'Retired', hash]);
  await publish(author);
  await shown(author, others, row => row.version === 2 && row.likeCount === 1n);
  assert.deepEqual(await published(author), [2, 'Live', hash]);
  assert.equal(work(author).workKind.tag, 'Published');
  const { amountDelta, balanceAfter } = only(bonuses(author));
  assert.deepEqual([amountDelta, balanceAfter], [1n, 201n]);
}

/** Step 9. */
async function hidden(author: Player, player: Player, others: Player[]): Promise<void> {
  const profileId = session(author).resultProfileId!;
  const word = { moderation: 'hidden', reason: 'rude' };
  const path = `/api/admin/gallery/${profileId}/moderation`;
  await answered(200, send(env('MODERATOR_TOKEN'), 'POST', path, word));
  await Promise.all(others.map(who => gone(who, author)));
  await shown(author, [], row => row.moderation.tag === 'Hidden');
  const begin = { profileId, roleKey: cards(author, 'Role')[0]!.entityKey };
  const blocked = await send(player.token, 'POST', '/api/runtime/story/sessions', begin);
  assert.deepEqual([blocked[0], blocked[1].error.code], [422, 'world.gate_blocked']);
  assert.match(blocked[1].error.message, /EW02/);
}

/** Steps 10 and 11. */
async function deleted(author: Player, player: Player): Promise<void> {
  const profile = `${LIBRARY}/${session(author).resultProfileId}`;
  const foreign = await refused(send(player.token, 'POST', `${profile}/publish`, {}));
  assert.deepEqual(foreign.slice(0, 2), [404, 'world.not_found']);
  for (const time of ['first', 'second']) {
    assert.equal(await answered(204, send(author.token, 'DELETE', profile)), null, time);
  }
  await gone(author, author);
  await until(author.connection, () => author.connection.db.myCustomWorldWorks.count() === 0n);
  const { items } = await answered(200, send(author.token, 'GET', WORKS));
  assert.deepEqual(items, []);
}

/**
 * All that is left, when the session has heard of the deletion; but the dashboard, which is told the
 * numbers of works now and then.
 */
async function left(author: Player, player: Player): Promise<Record<string, unknown[]>> {
  const { customWorldAgentSession, customWorldSession } = author.connection.db;
  const sessions = () => [...customWorldAgentSession.iter(), ...customWorldSession.iter()];
  await until(author.connection, () => sessions().every(row => row.stage.tag !== 'Published'));
  await until(player.connection, () => player.connection.db.storyEvent.count() > 0n);
  const { profileDashboardState: _, ...rows } = await rowsOf(author);
  const stories = dump(player.connection, ['customWorldGalleryLike', 'storyEvent', 'storySession']);
  return { author: Object.values(rows), player: Object.values(stories) };
}

async function play(): Promise<void> {
  const author = await openAuthor();
  await create(author, { seedText: SEED, locale: 'en' });
  await act(author, 'draft_foundation', { replace: false });
  const [player, visitor] = [await openPlayer(), await openVisitor()];
  const others = [player, visitor];
  await first(author, others);
  await find(author);
  const story = await played(author, player, others);
  await liked(author, player, others);
  const hash = await changed(author, player, story, others);
  await withdrawn(author, player, story, others);
  await revived(author, hash, others);
  await hidden(author, player, others);
  await deleted(author, player);
  const rows = await left(author, player);
  report({ rows, token: author.token, stranger: player.token });
  await Promise.all([author, player, visitor].map(who => who.ended));
}

async function look(): Promise<void> {
  const [author, player] = [await openAuthor(env('TOKEN')), await openPlayer(env('STRANGER'))];
  report({ rows: await left(author, player) });
  await close(author, player);
}

main(process.env['TOKEN'] === undefined ? play : look);
