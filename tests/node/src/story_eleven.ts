// Story 11 of the game: settings, snapshots, browse history, wallet, and who sees what.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import type { ProfileWalletLedger, WorkCard } from '../module_bindings_game/types.js';
import {
  close,
  dump,
  env,
  main,
  open,
  refusal,
  report,
  subscribe,
  until,
} from './connections.js';
import {
  ask,
  begin,
  code,
  followAll,
  only,
  openService,
  PROFILE,
  requestId,
  session,
  userId,
  type Player,
} from './player.js';

const WORLDS = 101;
const HISTORY_MAX = 100;
const BATCH_MAX = 20;
const CALLS = 200;
const SHOWN = [
  'profileDashboardState',
  'profileWalletLedger',
  'runtimeSetting',
  'runtimeSnapshot',
  'userBrowseHistory',
];

async function settings(player: Player): Promise<void> {
  const { db, procedures } = player.connection;
  const shown = await ask(
    procedures.getRuntimeSettingOrDefault({ input: { userId: undefined } })
  );
  assert.deepEqual(
    [shown.musicVolume, shown.sfxVolume, shown.textSpeed.tag, shown.platformTheme.tag],
    [70, 80, 'Normal', 'System']
  );
  assert.deepEqual(
    [shown.locale, shown.reduceMotion, shown.autoSave, shown.contentFilter.tag],
    ['zh-CN', false, true, 'Strict']
  );
  assert.deepEqual([shown.createdAt.microsSinceUnixEpoch, db.runtimeSetting.count()], [0n, 0n]);
  const patch = (musicVolume: number) => ({
    userId: undefined,
    musicVolume,
    sfxVolume: undefined,
    textSpeed: undefined,
    platformTheme: undefined,
    locale: undefined,
    reduceMotion: undefined,
    autoSave: undefined,
    contentFilter: undefined,
    requestId: requestId(),
  });
  assert.equal(
    await code(player.connection.reducers.upsertRuntimeSetting({ input: patch(101) })),
    'runtime.volume_out_of_range'
  );
  assert.equal(db.runtimeSetting.count(), 0n);
  await ask(procedures.upsertRuntimeSettingAndReturn({ input: patch(10) }));
  await until(player.connection, () => db.runtimeSetting.count() === 1n);
  const row = only(db.runtimeSetting.iter());
  assert.deepEqual([row.musicVolume, row.sfxVolume, row.locale], [10, 80, 'zh-CN']);
}

const snapshot = (slot: number, clientStateJson: string, expectedVersion?: number) => ({
  userId: undefined,
  slot,
  storySessionId: undefined,
  bottomTab: 'story',
  clientStateJson,
  expectedVersion,
  requestId: requestId(),
});

async function snapshots(player: Player): Promise<void> {
  const { db, procedures } = player.connection;
  const save = (...given: Parameters<typeof snapshot>) =>
    procedures.upsertRuntimeSnapshotAndReturn({ input: snapshot(...given) });
  const first = await ask(save(1, '{ "tab": 2, "at": [1, 2] }'));
  assert.deepEqual([first.version, first.clientStateJson], [1, '{"at":[1,2],"tab":2}']);
  const second = await ask(save(1, '{"tab":3}', 1));
  assert.equal(second.version, 2);
  assert.notEqual(second.checksum, first.checksum);
  const stale = await save(1, '{"tab":4}', 1);
  assert.equal(stale.errorCode, 'snapshot.stale_version');
  assert.equal(stale.errorDetailsJson, '{"current":2}');
  assert.equal(await code(save(3, '{}')), 'snapshot.slot_out_of_range');
  assert.equal(await code(save(1, '[]')), 'input.json_malformed');
  const large = JSON.stringify({ text: 'x'.repeat(70 * 1024) });
  assert.equal(await code(save(1, large)), 'input.payload_too_large');
  await until(player.connection, () => db.runtimeSnapshot.count() === 1n);
  assert.equal(only(db.runtimeSnapshot.iter()).version, 2);
}

async function browsing(player: Player): Promise<void> {
  const { db, procedures } = player.connection;
  const works = new Map([...db.customWorldGalleryEntry.iter()].map(row => [row.profileId, row]));
  const card = (number: number): WorkCard => {
    const { ownerUserId, profileId } = works.get(`${PROFILE}_${number}`)!;
    return {
      worldKey: `custom_world:${profileId}`,
      worldKind: { tag: 'CustomWorld' },
      ownerUserId,
      profileId,
      worldName: 'what a client says',
      subtitle: '',
      summaryText: '',
      coverImageSrc: undefined,
      themeMode: { tag: 'Light' },
      authorDisplayName: '',
    };
  };
  const visit = (...entries: WorkCard[]) =>
    procedures.upsertBrowseHistoryAndReturn({
      input: { userId: undefined, entries, requestId: requestId() },
    });
  const numbers = Array.from({ length: WORLDS }, (_, index) => index + 1);
  for (let start = 0; start < WORLDS; start += BATCH_MAX) {
    await ask(visit(...numbers.slice(start, start + BATCH_MAX).map(card)));
  }
  await until(player.connection, () => db.userBrowseHistory.count() === BigInt(HISTORY_MAX));
  const seen = () => new Map([...db.userBrowseHistory.iter()].map(row => [row.profileId, row]));
  assert.equal(seen().size, HISTORY_MAX);
  const again = only(await ask(visit(card(50))));
  assert.deepEqual([again.visitCount, again.worldName], [2, 'Test Vale 50']);
  const newest = await ask(
    procedures.listBrowseHistory({
      input: { userId: undefined, limit: 2, beforeVisitedAt: undefined },
    })
  );
  assert.deepEqual(
    newest.map(row => row.worldName),
    ['Test Vale 50', `Test Vale ${WORLDS}`]
  );
  const unknown = { ...card(1), profileId: 'cwp_none', worldKey: 'custom_world:cwp_none' };
  assert.equal(await code(visit(card(2), unknown)), 'browse.world_not_found');
}

async function wallet(player: Player, service: Player): Promise<void> {
  const { db } = player.connection;
  const append = (amountDelta: bigint, reason: ProfileWalletLedger['reason'], sourceRef: string) =>
    service.connection.procedures.appendWalletLedgerEntryAndReturn({
      input: {
        userId: userId(player),
        amountDelta,
        reason,
        sourceRef,
        memo: '',
        requestId: requestId(),
      },
    });
  const refund = () => append(10n, { tag: 'AgentOperationRefund' }, 'op:op_1:refund');
  await ask(append(-10n, { tag: 'AgentOperationCharge' }, 'op:op_1:charge'));
  await ask(refund());
  await ask(refund());
  await until(player.connection, () => db.profileWalletLedger.count() === 3n);
  const ledger = () => [...db.profileWalletLedger.iter()].sort((a, b) => Number(a.seq - b.seq));
  assert.deepEqual(
    ledger().map(row => [row.seq, row.balanceAfter]),
    [
      [1n, 200n],
      [2n, 190n],
      [3n, 200n],
    ]
  );
  await ask(append(-195n, { tag: 'AdminAdjustment' }, 'test:spent'));
  await until(player.connection, () => db.profileWalletLedger.count() === 4n);
  assert.equal(
    await code(append(-10n, { tag: 'AgentOperationCharge' }, 'op:op_2:charge')),
    'wallet.insufficient_balance'
  );
  assert.equal(db.profileWalletLedger.count(), 4n);
  const sum = ledger().reduce((total, row) => total + row.amountDelta, 0n);
  assert.equal(sum, 5n);
  assert.equal(ledger().at(-1)!.balanceAfter, sum);
  assert.equal(only(db.profileDashboardState.iter()).walletBalance, sum);
  assert.equal(
    await code(
      player.connection.reducers.appendWalletLedgerEntry({
        input: {
          userId: userId(player),
          amountDelta: 1n,
          reason: { tag: 'AdminAdjustment' },
          sourceRef: 'mine',
          memo: '',
          requestId: requestId(),
        },
      })
    ),
    'auth.forbidden'
  );
}

/** Steps 6 and 7: a stranger sees what is everybody's, and a spectator the story. */
async function visibility(player: Player, stranger: Player): Promise<void> {
  const { db } = stranger.connection;
  const own = JSON.stringify(dump(stranger.connection));
  assert.ok(own.includes('Test Vale') && own.includes(userId(stranger)));
  assert.ok(!own.includes(userId(player)));
  for (const table of JSON.parse(env('PRIVATE_TABLES')) as string[]) {
    const refused = await refusal(subscribe(stranger.connection, `SELECT * FROM ${table}`));
    assert.ok(refused[1].startsWith(`no such table: \`${table}\``), refused[1]);
  }
  await begin(player);
  const { storySessionId } = session(player);
  const { reducers } = player.connection;
  await reducers.createStoryInvite({ input: { storySessionId, requestId: requestId() } });
  await until(player.connection, () => session(player).inviteCode !== undefined);
  assert.equal(db.storySession.count(), 0n);
  await ask(
    stranger.connection.procedures.joinStorySessionAndReturn({
      input: {
        storySessionId,
        inviteCode: session(player).inviteCode!,
        role: { tag: 'Spectator' },
        roleKey: undefined,
        requestId: requestId(),
      },
    })
  );
  const ofStory = ['npcState', 'questRecord', 'storyChoice', 'storyEvent', 'storyParticipant'];
  const counts = () =>
    ofStory.map(name => dump(stranger.connection, [name])[name]!.length > 0);
  await until(stranger.connection, () => counts().every(Boolean));
  const inventory = dump(stranger.connection, ['inventorySlot', 'userBrowseHistory']);
  assert.deepEqual(inventory, { inventorySlot: [], userBrowseHistory: [] });
  await stranger.connection.reducers.leaveStorySession({
    input: { storySessionId, requestId: requestId() },
  });
  await until(stranger.connection, () => !counts().some(Boolean));
}

/** Step 8: the rate limit answers what is too much, and only what was accepted is there. */
async function flood(): Promise<void> {
  const player = await open(DbConnection.builder());
  await subscribe(player.connection, tables.runtimeSnapshot);
  const { procedures } = player.connection;
  const answers = await Promise.all(
    Array.from({ length: CALLS }, (_, index) =>
      procedures.upsertRuntimeSnapshotAndReturn({ input: snapshot(0, `{"at":${index}}`) })
    )
  );
  const accepted = answers.filter(answer => answer.ok);
  assert.ok(accepted.length >= 60 && accepted.length <= 75, `${accepted.length} accepted`);
  for (const answer of answers) {
    assert.equal(answer.errorCode, answer.ok ? undefined : 'limit.rate_exceeded');
  }
  const saved = only(player.connection.db.runtimeSnapshot.iter());
  assert.equal(saved.version, accepted.length);
  assert.equal(saved.clientStateJson, accepted.at(-1)!.value!.clientStateJson);
  await close(player);
}

/** Step 9: a token that is not ours is refused. */
async function forgery(player: Player): Promise<void> {
  const [head, , signature] = player.token.split('.');
  const claims = { iss: 'localhost', sub: 'somebody', iat: 0 };
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  await assert.rejects(open(DbConnection.builder(), `${head}.${body}.${signature}`));
}

async function play(): Promise<void> {
  const service = await openService();
  await service.connection.reducers.loadFixtureGallery({
    input: { count: WORLDS, requestId: requestId() },
  });
  const player = await open(DbConnection.builder());
  await followAll(player);
  const stranger = await open(DbConnection.builder());
  await followAll(stranger);
  await settings(player);
  await snapshots(player);
  await browsing(player);
  await wallet(player, service);
  await visibility(player, stranger);
  await flood();
  await forgery(player);
  report({ rows: dump(player.connection, SHOWN), token: player.token });
  await Promise.all([service.ended, player.ended, stranger.ended]);
}

async function look(): Promise<void> {
  const player = await open(DbConnection.builder(), env('TOKEN'));
  await followAll(player);
  report({ rows: dump(player.connection, SHOWN) });
  await close(player);
}

main(process.env['TOKEN'] === undefined ? play : look, [/Error connecting to SpacetimeDB WS/]);
