// Story 1 of the game: progression and a battle that is won; then a look after a restart.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import type { CombatStats, CombatResolution } from '../module_bindings_game/types.js';
import {
  close,
  dump,
  env,
  main,
  open,
  plain,
  refusal,
  report,
  subscribe,
  subscribeToAll,
  until,
} from './connections.js';
import {
  ask,
  begin,
  CHAPTER,
  choose,
  code,
  fightOut,
  items,
  only,
  openService,
  PROFILE,
  quest,
  requestId,
  type Action,
  type Player,
} from './player.js';

const QUERIES = [
  tables.myPlayerProgression,
  tables.myChapterProgression,
  tables.battleState,
  tables.battleCombatant,
  tables.battleEvent,
  tables.rewardSettlement,
  tables.inventorySlot,
];
const SHOWN = [
  'myPlayerProgression',
  'myChapterProgression',
  'battleState',
  'battleCombatant',
  'battleEvent',
  'rewardSettlement',
  'inventorySlot',
];
const FURTHER = ['progressionGrantLog', 'questRecord', 'userAccount', 'profileWalletLedger'];

/** Every change that a player is told of, in order, and which message each came with. */
function follow(player: Player): string[] {
  const told: string[] = [];
  const { battleState, myPlayerProgression, rewardSettlement } = player.connection.db;
  battleState.onInsert((_, row) => told.push(`battle ${row.status.tag}`));
  battleState.onUpdate((_, old, row) => {
    if (old.status.tag !== row.status.tag) told.push(`battle ${row.status.tag}`);
  });
  rewardSettlement.onInsert(({ event }, row) =>
    told.push(`settlement ${row.status.tag} ${event.id}`)
  );
  rewardSettlement.onUpdate(({ event }, _, row) =>
    told.push(`settlement ${row.status.tag} ${event.id}`)
  );
  myPlayerProgression.onInsert(({ event }, row) =>
    told.push(`progression ${row.totalXp} ${event.id}`)
  );
  return told;
}

async function beginning(player: Player): Promise<void> {
  const { db, procedures } = player.connection;
  // 1
  await subscribe(player.connection, QUERIES);
  assert.equal(Number(db.myPlayerProgression.count()), 0);
  assert.equal(Number(db.myChapterProgression.count()), 0);
  await subscribe(player.connection, [
    tables.storySession,
    tables.storyChoice,
    tables.progressionGrantLog,
    tables.questRecord,
    'SELECT * FROM user_account',
    'SELECT * FROM profile_wallet_ledger',
  ]);
  // 2
  const shown = await ask(
    procedures.getPlayerProgressionOrDefault({ input: { userId: undefined } })
  );
  assert.deepEqual(
    [shown.level, shown.currentLevelXp, shown.totalXp, shown.xpToNextLevel],
    [1, 0, 0, 100]
  );
  assert.equal(shown.pendingLevelUps, 0);
  assert.equal(shown.lastGrantedSource, undefined);
  assert.equal(Number(db.myPlayerProgression.count()), 0);
  // 3
  const mark = await ask(procedures.getLevelBenchmark({ input: { level: 5 } }));
  assert.deepEqual(mark, {
    level: 5,
    xpToNext: 452,
    xpFloor: 848,
    referenceStrength: 204,
    baseHp: 136,
    baseAttack: 20,
    baseDefense: 10,
    baseSpeed: 104,
    baseHostileXp: 54,
  });
  // 4
  const session = await begin(player);
  assert.deepEqual(
    [session.status.tag, session.chapterIndex, session.currentSceneKey],
    ['Active', 1, 'square']
  );
  await until(
    player.connection,
    () => db.storyChoice.count() > 0n && db.myChapterProgression.count() > 0n
  );
  const chapter = only(db.myChapterProgression.iter());
  assert.deepEqual(
    [chapter.chapterId, chapter.entryPseudoLevelMillis, chapter.exitPseudoLevelMillis],
    [CHAPTER, 1000, 5200]
  );
  assert.deepEqual([chapter.entryLevel, chapter.exitLevel], [1, 5]);
  assert.deepEqual(
    [chapter.plannedTotalXp, chapter.plannedQuestXp, chapter.plannedHostileXp],
    [938, 656, 282]
  );
  assert.deepEqual(
    [chapter.expectedHostileDefeatCount, chapter.actualQuestXp, chapter.actualHostileXp],
    [10, 0, 0]
  );
  assert.deepEqual([chapter.levelAtEntry, chapter.levelAtExit], [1, undefined]);
  assert.equal(chapter.paceBand.tag, 'Opening');
  await until(player.connection, () => db.inventorySlot.count() === 2n);
  assert.deepEqual(items(player), { core_healing_herb: 3, core_coin: 20 });
}

/** Steps 5 and 6; answers the winning call and its answer. */
async function fight(player: Player, told: string[]): Promise<[Action, CombatResolution]> {
  const { db } = player.connection;
  await choose(player, 'Travel', 'mill');
  assert.equal(only(db.storySession.iter()).currentSceneKey, 'mill');
  // As they came; whoever is quicker than the player may have struck when the battle is active.
  const fighters: { seq: number; hp: number; level: number; stats: CombatStats }[] = [];
  db.battleCombatant.onInsert((_, row) => fighters.push(row));
  await choose(player, 'Fight', 'slime_pack');
  await until(
    player.connection,
    () => [...db.battleState.iter()].some(row => row.status.tag === 'Active')
  );
  assert.deepEqual(
    told.filter(line => line.startsWith('battle')),
    ['battle Preparing', 'battle Active']
  );
  told.length = 0;
  fighters.sort((a, b) => a.seq - b.seq);
  assert.deepEqual(
    fighters.map(one => [one.hp, one.stats.maxHp, one.level]),
    [
      [176, 176, 1],
      [48, 48, 1],
      [48, 48, 1],
      [80, 80, 1],
    ]
  );
  assert.deepEqual(
    fighters.slice(1).map(one => one.stats.attack),
    [6, 6, 8]
  );
  return fightOut(player, (resolution, before) => {
    assert.equal(resolution.snapshot.battle.version, before.battle.version + 1);
    // The caller's rows changed with the answer or before it, and they say the same.
    const seen = only(db.battleState.iter());
    assert.deepEqual(plain(seen), plain(resolution.snapshot.battle));
    for (const one of resolution.snapshot.combatants) {
      assert.deepEqual(plain(db.battleCombatant.combatantId.find(one.combatantId)), plain(one));
    }
  });
}

async function victory(player: Player, told: string[]): Promise<void> {
  const { db, procedures } = player.connection;
  const [action, last] = await fight(player, told);
  assert.equal(last.outcome.tag, 'Victory');
  assert.equal(last.events.at(-1)!.kind.tag, 'Ended');
  const battleReward = () =>
    [...db.rewardSettlement.iter()].find(row => row.source.tag === 'HostileDefeat');
  await until(
    player.connection,
    () =>
      battleReward()?.status.tag === 'Settled' &&
      quest(player, 'clear_mill')?.status.tag === 'Completed' &&
      items(player)['core_coin'] === 28
  );
  // 8
  const settled = told.filter(line => /^(settlement|progression)/.test(line));
  const steps = settled.map(line => line.split(' ').slice(0, 2).join(' '));
  assert.deepEqual(steps, ['settlement Pending', 'progression 24', 'settlement Settled']);
  assert.equal(new Set(settled.map(line => line.split(' ')[2])).size, 3, 'three transactions');
  const reward = battleReward()!;
  assert.equal(
    reward.preview.hostileDefeats.reduce((sum, defeat) => sum + defeat.baseXp, 0),
    24
  );
  // 9
  const own = only(db.myPlayerProgression.iter());
  assert.deepEqual(
    [own.level, own.currentLevelXp, own.xpToNextLevel, own.totalXp],
    [1, 24, 100, 24]
  );
  assert.equal(own.lastGrantedSource?.tag, 'HostileDefeat');
  const chapter = only(db.myChapterProgression.iter());
  assert.deepEqual([chapter.actualHostileXp, chapter.actualHostileDefeatCount], [24, 3]);
  assert.equal(Number(db.progressionGrantLog.count()), 1);
  assert.deepEqual(items(player), { core_healing_herb: 6, core_coin: 28 });
  // 7: all that the first call led to has arrived, so a second effect would show as a change.
  const before = JSON.stringify(dump(player.connection));
  const again = await ask(procedures.resolveCombatActionAndReturn({ input: action }));
  assert.deepEqual(plain(again), plain(last));
  assert.equal(
    await code(
      procedures.resolveCombatActionAndReturn({
        input: { ...action, requestId: requestId() },
      })
    ),
    'combat.not_active_state'
  );
  assert.deepEqual(
    (
      await refusal(
        player.connection.reducers.resolveCombatAction({
          input: { ...action, requestId: requestId() },
        })
      )
    ).map(text => text.split(':')[0]),
    ['SenderError', 'combat.not_active_state']
  );
  assert.equal(JSON.stringify(dump(player.connection)), before);
}

async function service(player: Player, other: Player): Promise<void> {
  const { db } = player.connection;
  const userId = only(db.myPlayerProgression.iter()).userId;
  const grant = {
    userId,
    amount: 400,
    source: { tag: 'Admin' as const },
    sourceRef: 'g1',
    chapterId: undefined,
  };
  // 10
  for (let time = 0; time < 2; time++) {
    await ask(
      other.connection.procedures.grantPlayerProgressionExperienceAndReturn({
        input: { ...grant, requestId: requestId() },
      })
    );
    await until(player.connection, () => only(db.myPlayerProgression.iter()).totalXp === 424);
    const own = only(db.myPlayerProgression.iter());
    assert.deepEqual(
      [own.level, own.currentLevelXp, own.xpToNextLevel, own.pendingLevelUps],
      [3, 160, 244, 2]
    );
    assert.equal(Number(db.progressionGrantLog.count()), 2);
  }
  // 11
  const { reducers } = player.connection;
  await reducers.acknowledgeLevelUps({ input: { count: 2, requestId: requestId() } });
  assert.equal(only(db.myPlayerProgression.iter()).pendingLevelUps, 0);
  assert.equal(
    await code(reducers.acknowledgeLevelUps({ input: { count: 1, requestId: requestId() } })),
    'progression.count_out_of_range'
  );
  // 12
  assert.equal(
    await code(
      reducers.grantPlayerProgressionExperience({
        input: { ...grant, sourceRef: 'g2', requestId: requestId() },
      })
    ),
    'auth.forbidden'
  );
  assert.equal(
    await code(
      other.connection.reducers.applyChapterProgressionLedgerEntry({
        input: {
          userId,
          chapterId: `${PROFILE}:c9`,
          questXpDelta: 1,
          hostileXpDelta: 0,
          hostileDefeatDelta: 0,
          levelAtExit: undefined,
          entryKey: 'entry',
          requestId: requestId(),
        },
      })
    ),
    'progression.chapter_not_found'
  );
}

/** 13, and what nobody may see. */
async function strangers(player: Player): Promise<Player> {
  const stranger = await open(DbConnection.builder());
  await subscribe(stranger.connection, QUERIES);
  assert.deepEqual(
    SHOWN.flatMap(name => dump(stranger.connection)[name]!),
    []
  );
  const onlooker = await open(DbConnection.builder());
  await subscribeToAll(onlooker.connection);
  const seen = JSON.stringify(dump(onlooker.connection));
  assert.ok(!seen.includes(only(player.connection.db.myPlayerProgression.iter()).userId));
  await close(onlooker);

  const all = await open(DbConnection.builder(), player.token);
  await subscribeToAll(all.connection);
  const own = dump(all.connection);
  for (const name of SHOWN) assert.deepEqual(own[name], dump(player.connection)[name]);
  await close(all);

  const secret = JSON.parse(env('PRIVATE_TABLES')) as string[];
  assert.ok(secret.includes('battle_secret') && secret.includes('player_progression'));
  for (const table of secret) {
    await assert.rejects(subscribe(player.connection, `SELECT * FROM ${table}`), error => {
      assert.ok(error instanceof Error);
      assert.ok(error.message.startsWith(`no such table: \`${table}\``), error.message);
      return true;
    });
  }
  for (const table of Object.values(tables)) {
    for (const column of Object.keys(table.columns)) assert.doesNotMatch(column, /seed|rng/i);
  }
  return stranger;
}

async function play(): Promise<void> {
  const helper = await openService();
  const player = await open(DbConnection.builder());
  const told = follow(player);
  await beginning(player);
  await victory(player, told);
  await service(player, helper);
  const stranger = await strangers(player);
  report({
    rows: dump(player.connection, [...SHOWN, ...FURTHER]),
    token: player.token,
    stranger: stranger.token,
  });
  // 14: the driver kills the server now; everybody is told.
  await Promise.all([helper.ended, player.ended, stranger.ended]);
}

async function look(): Promise<void> {
  const player = await open(DbConnection.builder(), env('TOKEN'));
  await subscribe(player.connection, [
    ...QUERIES,
    tables.progressionGrantLog,
    tables.questRecord,
    tables.userAccount,
    tables.profileWalletLedger,
  ]);
  const stranger = await open(DbConnection.builder(), env('STRANGER'));
  await subscribe(stranger.connection, QUERIES);
  assert.deepEqual(
    SHOWN.flatMap(name => dump(stranger.connection)[name]!),
    []
  );
  await until(player.connection, () => player.connection.db.battleState.count() === 1n);
  report({ rows: dump(player.connection, [...SHOWN, ...FURTHER]) });
  await close(player, stranger);
}

main(process.env['TOKEN'] === undefined ? play : look);
