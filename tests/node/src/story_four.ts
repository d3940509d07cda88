// Story 4 of the game: a world made with the agent, without a model: foundation, cards and gates.

import assert from 'node:assert/strict';
import type { CustomWorldDraftCard } from '../module_bindings_game/types.js';
import { close, env, main, report, until } from './connections.js';
import {
  act,
  cards,
  create,
  findings,
  messages,
  openAuthor,
  patch,
  path,
  payload,
  preview,
  reason,
  refusedTo,
  rowsOf,
  SEED,
  session,
  WORKS,
} from './creator.js';
import { ask, only, type Player } from './player.js';
import { answered, refused, send } from './web.js';

const HISTORIC = ['', '/cws_1', '/cws_1/answers', '/cws_1/generate/stream'];

/** Step 1. */
async function begin(author: Player): Promise<void> {
  const made = await create(author, { seedText: SEED, locale: 'en' });
  assert.deepEqual(Object.keys(made).sort(), ['messages', 'operations', 'session']);
  const [greeting, said, reply] = messages(author);
  assert.deepEqual(
    messages(author).map(row => [row.seq, row.role.tag, row.status.tag]),
    [
      [1, 'Assistant', 'Complete'],
      [2, 'User', 'Complete'],
      [3, 'Assistant', 'Complete'],
    ]
  );
  assert.ok(greeting!.text);
  assert.equal(said!.text, SEED);
  assert.equal(reply!.textSource.tag, 'Fallback');
  const { anchors, anchorCoveragePermille, stage, progressPermille } = session(author);
  assert.deepEqual(
    anchors.filter(anchor => anchor.value).map(anchor => anchor.key),
    ['world_premise', 'tone', 'player_fantasy', 'core_conflict']
  );
  assert.deepEqual(
    [anchorCoveragePermille, stage.tag, progressPermille],
    [666, 'FoundationReady', 166]
  );
  assert.equal(reason(author, 'DraftFoundation'), undefined);
  assert.equal(reason(author, 'PublishWorld'), 'publish_gate_blocked');
}

/** Step 2. */
async function draft(author: Player): Promise<void> {
  const { customWorldAgentOperation } = author.connection.db;
  const phases: [string, number][] = [];
  customWorldAgentOperation.onUpdate((_context, _before, { phaseLabel, progressPermille }) => {
    phases.push([phaseLabel, progressPermille]);
  });
  const operation = await act(author, 'draft_foundation', { replace: false });
  assert.equal(operation.status.tag, 'Succeeded');
  assert.deepEqual(
    phases.filter(([label], index) => label !== (phases[index - 1]?.[0] ?? '')),
    [
      ['collect', 50],
      ['factions', 200],
      ['cast', 450],
      ['places', 650],
      ['chapters', 850],
      ['check', 950],
      ['done', 1000],
    ]
  );
  const { blockerCount, warningCount, qualityScore, stage, progressPermille } = session(author);
  assert.equal(author.connection.db.customWorldDraftCard.count(), 39n);
  assert.deepEqual([blockerCount, warningCount, qualityScore], [0, 10, 600]);
  assert.deepEqual([stage.tag, progressPermille], ['PublishReady', 616]);
}

/** Step 3. */
async function look(author: Player): Promise<void> {
  const { resultPreview } = await answered(200, send(author.token, 'GET', path(author)));
  assert.equal(resultPreview.publishReady, true);
  assert.equal(resultPreview.chapterCount, 3);
  assert.equal(resultPreview.chapters.length, 3);
  const { exitLevel, plannedTotalXp } = resultPreview.chapters[0];
  assert.deepEqual([exitLevel, plannedTotalXp], [5, 848]);
}

/** Whether the world can be published: everybody who says so says the same. */
async function canPublish(author: Player, expected: boolean): Promise<void> {
  const { connection, token } = author;
  const works = connection.db.myCustomWorldWorks;
  await until(connection, () => only(works.iter()).canPublish === expected);
  assert.equal(session(author).publishGatePassed, expected);
  assert.equal(preview(author).publishReady, expected);
  assert.equal(reason(author, 'PublishWorld'), expected ? undefined : 'publish_gate_blocked');
  const { items } = await answered(200, send(token, 'GET', WORKS));
  assert.equal(items[0].canPublish, expected);
  const gate = await ask(
    connection.procedures.evaluatePublishGate({
      input: { agentSessionId: session(author).agentSessionId, profileId: undefined },
    })
  );
  assert.equal(
    gate.every(check => check.passed),
    expected
  );
  const state = await answered(200, send(token, 'GET', path(author)));
  assert.equal(state.resultPreview.publishReady, expected);
}

/** Steps 4 to 7. */
async function edit(author: Player): Promise<void> {
  const world = only(cards(author, 'World'));
  // 4
  await patch(author, world, { premise: 'short' });
  assert.deepEqual(findings(author, 'Blocker'), ['BLK_PREMISE']);
  assert.equal(session(author).stage.tag, 'Refining');
  await canPublish(author, false);
  // 5
  await patch(author, world, { premise: payload(world).premise });
  assert.equal(session(author).stage.tag, 'PublishReady');
  await canPublish(author, true);
  // 6
  const npc = cards(author, 'Npc')[0]!;
  const [status, code, details] = await refusedTo(author, 'update_draft_card', {
    cardId: npc.cardId,
    patch: { rank: 'god' },
  });
  assert.deepEqual([status, code], [400, 'agent.payload_malformed']);
  assert.match(details.path, /rank/);
  // 7
  await act(author, 'set_card_status', { cardId: npc.cardId, status: 'locked' });
  const change = { cardId: npc.cardId, patch: { name: 'Nobody' } };
  const locked = await refusedTo(author, 'update_draft_card', change);
  assert.deepEqual(locked.slice(0, 2), [409, 'agent.card_locked_state']);
}

/** What a card says, however often it was written. */
const content = (card: CustomWorldDraftCard) => [
  card.cardId,
  card.kind.tag,
  card.entityKey,
  card.title,
  card.payloadJson,
  card.status.tag,
  card.source.tag,
  card.orderIndex,
];

const contents = (author: Player) =>
  [...author.connection.db.customWorldDraftCard.iter()].map(content).sort();

/** Step 8. */
async function goBack(author: Player): Promise<void> {
  const before = contents(author);
  const { resultJson } = await act(author, 'create_checkpoint', { label: 'with the boss' });
  const { checkpointId } = JSON.parse(resultJson!);
  const boss = only(cards(author, 'Hostile').filter(card => payload(card).rank === 'boss'));
  const last = cards(author, 'Chapter').at(-1)!;
  assert.ok(last.payloadJson.includes(`"${boss.entityKey}"`));
  await act(author, 'set_card_status', { cardId: boss.cardId, status: 'removed' });
  assert.ok(findings(author, 'Blocker').includes('BLK_REFERENCE'));
  const { revision, stage } = session(author);
  assert.equal(stage.tag, 'Refining');
  const reverted = await act(author, 'revert_checkpoint', { checkpointId });
  assert.equal(reverted.status.tag, 'Succeeded');
  assert.deepEqual(contents(author), before);
  assert.ok(session(author).revision > revision);
  assert.equal(session(author).stage.tag, 'PublishReady');
  const kinds = [...author.connection.db.customWorldAgentCheckpoint.iter()];
  assert.ok(kinds.some(row => row.trigger.tag === 'BeforeRevert'));
}

/** Step 9. */
async function detail(author: Player): Promise<void> {
  const opening = cards(author, 'Landmark')[0]!;
  const shown = await answered(
    200,
    send(author.token, 'GET', `${path(author)}/cards/${opening.cardId}`)
  );
  assert.equal(shown.card.entityKey, opening.entityKey);
  const naming: string[] = shown.referencedBy.map((card: { cardId: string }) => card.cardId);
  const { customWorldDraftCard } = author.connection.db;
  const expected = [...customWorldDraftCard.iter()].filter(
    card => card.cardId !== opening.cardId && card.payloadJson.includes(`"${opening.entityKey}"`)
  );
  assert.deepEqual(naming.sort(), expected.map(card => card.cardId).sort());
  assert.ok(expected.some(card => card.kind.tag === 'Chapter'));
}

/** Step 10. */
async function library(author: Player): Promise<void> {
  const { connection } = author;
  const works = connection.db.myCustomWorldWorks;
  const draft = only(works.iter());
  assert.deepEqual([draft.workKind.tag, draft.profileId], ['AgentDraft', undefined]);
  const { resultProfileId } = session(author);
  assert.equal(resultProfileId, undefined);
  const synced = await act(author, 'sync_result_profile');
  assert.equal(synced.status.tag, 'Succeeded');
  // The profile comes before its session knows of it: for a moment they are two works.
  const kinds = () => [...works.iter()].map(work => work.workKind.tag);
  await until(connection, () => kinds().join() === 'ProfileDraft');
  const work = only(works.iter());
  assert.equal(work.profileId, session(author).resultProfileId);
  assert.equal(work.agentSessionId, session(author).agentSessionId);
  const { items } = await answered(200, send(author.token, 'GET', WORKS));
  assert.deepEqual(
    items.map((row: Record<string, unknown>) => [row['workKind'], row['profileId']]),
    [['profile_draft', work.profileId]]
  );
}

/** Steps 11 and 12. */
async function addresses(author: Player): Promise<void> {
  const order = { kind: 'npc', hint: 'a patient ferryman', locale: 'en' };
  const [one, two] = await Promise.all(
    ['/api/custom-world/entity', '/api/runtime/custom-world/entity'].map(address =>
      answered(200, send(author.token, 'POST', address, order))
    )
  );
  assert.ok(one.entity.name);
  assert.deepEqual([one.entity, one.source], [two.entity, 'fallback']);
  for (const root of ['/api/custom-world', '/api/runtime/custom-world']) {
    const [status] = await refused(
      send(author.token, 'POST', `${root}/entity`, { ...order, kind: 'dragon' })
    );
    assert.equal(status, 400);
  }
  for (const rest of HISTORIC) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const address = `/api/runtime/custom-world/sessions${rest}`;
      const body = method === 'GET' ? undefined : {};
      const [status, code] = await refused(send(author.token, method, address, body));
      assert.deepEqual([status, code], [404, 'input.unknown_endpoint'], `${method} ${address}`);
    }
  }
}

async function play(): Promise<void> {
  const author = await openAuthor();
  await begin(author);
  await draft(author);
  await look(author);
  await edit(author);
  await goBack(author);
  await detail(author);
  await library(author);
  await addresses(author);
  report({ rows: await rowsOf(author), token: author.token });
  await author.ended;
}

async function lookAgain(): Promise<void> {
  const author = await openAuthor(env('TOKEN'));
  report({ rows: await rowsOf(author) });
  await close(author);
}

main(process.env['TOKEN'] === undefined ? play : lookAgain);
