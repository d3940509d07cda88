// Story 2 of the game: quests, a chapter's budget, its report, and the next chapter.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import { close, dump, env, main, open, report, subscribe, until } from './connections.js';
import {
  ask,
  begin,
  choice,
  choose,
  code,
  CHAPTER,
  fightOut,
  items,
  only,
  openService,
  progress,
  quest,
  questIs,
  requestId,
  session,
  userId,
  type Player,
} from './player.js';

const SHOWN = [
  'myPlayerProgression',
  'myChapterProgression',
  'chapterDeviationReport',
  'inventorySlot',
  'profileWalletLedger',
  'progressionGrantLog',
  'questLog',
  'questRecord',
  'rewardSettlement',
  'storyChoice',
  'storyEvent',
  'storyParticipant',
  'storySession',
];
const QUERIES = [
  tables.myPlayerProgression,
  tables.myChapterProgression,
  tables.chapterDeviationReport,
  tables.inventorySlot,
  tables.profileWalletLedger,
  tables.progressionGrantLog,
  tables.questLog,
  tables.questRecord,
  tables.rewardSettlement,
  tables.storyChoice,
  tables.storyEvent,
  tables.storyParticipant,
  tables.storySession,
  tables.battleState,
  tables.battleCombatant,
  tables.npcState,
];

/** Steps 1 and 2, up to the square where everything waits to be turned in. */
async function done(player: Player): Promise<void> {
  await subscribe(player.connection, QUERIES);
  await begin(player);
  for (const key of ['meet_scout', 'herb_help']) {
    await choose(player, 'AcceptQuest', key);
    await questIs(player, key, 'Active');
  }
  await choose(player, 'Travel', 'mill');
  await questIs(player, 'herb_help', 'Completed');
  await choose(player, 'Fight', 'slime_pack');
  const [, last] = await fightOut(player);
  assert.equal(last.outcome.tag, 'Victory');
  await until(player.connection, () => items(player)['core_coin'] === 28);
  assert.deepEqual(progress(player), [1, 24, 24]);
  assert.equal(items(player)['core_healing_herb'], 6);
  await choose(player, 'Talk', 'scout');
  await questIs(player, 'meet_scout', 'Completed');
  await choose(player, 'Travel', 'square');
}

/** Turn a quest in and wait until its reward has come. */
async function turnIn(player: Player, key: string, total: number): Promise<void> {
  await choose(player, 'TurnInQuest', key);
  await questIs(player, key, 'TurnedIn');
  assert.equal(progress(player)[2], total);
}

async function quests(player: Player): Promise<void> {
  const { db, reducers } = player.connection;
  // 3
  await turnIn(player, 'meet_scout', 155);
  assert.deepEqual(progress(player), [2, 55, 155]);
  assert.equal(items(player)['core_coin'], 38);
  // 4
  await turnIn(player, 'herb_help', 242);
  assert.deepEqual(items(player), { core_healing_herb: 4, core_coin: 48 });
  // 5
  await turnIn(player, 'clear_mill', 680);
  assert.deepEqual(progress(player), [4, 172, 680]);
  assert.equal(only(db.myPlayerProgression.iter()).pendingLevelUps, 3);
  assert.equal(items(player)['core_coin'], 68);
  const chapter = only(db.myChapterProgression.iter());
  assert.deepEqual([chapter.actualQuestXp, chapter.actualHostileXp], [656, 24]);
  assert.equal(session(player).status.tag, 'ChapterBreak');
  // 6
  const logged = db.questLog.count();
  assert.equal(
    await code(
      reducers.turnInQuest({
        input: {
          storySessionId: session(player).storySessionId,
          questRecordId: quest(player, 'clear_mill')!.questRecordId,
          requestId: requestId(),
        },
      })
    ),
    'quest.already_turned_in'
  );
  assert.equal(db.questLog.count(), logged);
}

/** Steps 8, 9 and 11. */
async function nextChapter(player: Player): Promise<void> {
  const { db } = player.connection;
  await choose(player, 'AdvanceChapter');
  const chapters = () =>
    new Map([...db.myChapterProgression.iter()].map(row => [row.chapterIndex, row]));
  const final = () =>
    [...db.chapterDeviationReport.iter()].find(row => row.chapterId === CHAPTER && row.final);
  await until(
    player.connection,
    () => chapters().has(2) && final() !== undefined && choice(player, 'Fight') !== undefined
  );
  assert.equal(chapters().get(1)!.levelAtExit, 4);
  const { plannedTotalXp, actualTotalXp, deviationPermille, levelGap } = final()!;
  assert.deepEqual([plannedTotalXp, actualTotalXp], [938, 680]);
  assert.deepEqual([deviationPermille, levelGap], [-275, -1]);
  assert.deepEqual(
    [final()!.xpRating.tag, final()!.levelRating.tag, final()!.advice.tag],
    ['Under', 'Aligned', 'Ease']
  );
  const ledger = [...db.profileWalletLedger.iter()].sort((a, b) => Number(a.seq - b.seq));
  assert.deepEqual(
    ledger.map(row => [row.reason.tag, row.balanceAfter]),
    [
      ['SignupBonus', 200n],
      ['ChapterClearBonus', 210n],
    ]
  );
  const second = chapters().get(2)!;
  assert.deepEqual([second.entryPseudoLevelMillis, second.exitPseudoLevelMillis], [5200, 8800]);
  assert.deepEqual(
    [second.plannedTotalXp, second.plannedQuestXp, second.plannedHostileXp],
    [2373, 1423, 950]
  );
  assert.deepEqual([second.expectedHostileDefeatCount, second.levelAtEntry], [12, 4]);
  const kinds = [...db.questLog.iter()]
    .filter(row => row.questRecordId === quest(player, 'clear_mill')!.questRecordId)
    .sort((a, b) => a.seq - b.seq)
    .map(row => row.kind.tag);
  const defeats = ['Progressed', 'Progressed', 'Progressed'];
  assert.deepEqual(kinds, [
    'Offered',
    'Accepted',
    ...defeats,
    'Completed',
    'TurnInRequested',
    'TurnedIn',
  ]);
}

/** Step 7: somebody else lacks the herbs. */
async function withoutHerbs(player: Player, service: Player): Promise<void> {
  await done(player);
  await ask(
    service.connection.procedures.applyInventoryMutationAndReturn({
      input: {
        userId: userId(player),
        runtimeSessionId: session(player).runtimeSessionId,
        mutation: { tag: 'Consume', value: { item: { itemId: 'core_healing_herb', quantity: 5 } } },
        sourceRef: 'test:herbs',
        requestId: requestId(),
      },
    })
  );
  await until(player.connection, () => items(player)['core_healing_herb'] === 1);
  await choose(player, 'TurnInQuest', 'herb_help');
  await until(
    player.connection,
    () => quest(player, 'herb_help')!.lastError === 'inventory.insufficient_items'
  );
  assert.equal(quest(player, 'herb_help')!.status.tag, 'Completed');
  assert.equal(items(player)['core_healing_herb'], 1);
  assert.deepEqual(progress(player), [1, 24, 24]);
}

/** Step 10. */
async function easierWolf(player: Player): Promise<void> {
  await choose(player, 'Fight', 'gate_prowl');
  await until(
    player.connection,
    () => [...player.connection.db.battleState.iter()].some(row => row.status.tag === 'Active')
  );
  const here = session(player).chapterIndex;
  assert.equal(here, 2);
  const active = [...player.connection.db.battleState.iter()].find(
    row => row.status.tag === 'Active'
  )!;
  const wolf = [...player.connection.db.battleCombatant.iter()].find(
    row => row.battleStateId === active.battleStateId && row.side.tag === 'Hostile'
  )!;
  assert.equal(wolf.level, 4);
}

async function play(): Promise<void> {
  const service = await openService();
  const player = await open(DbConnection.builder());
  const other = await open(DbConnection.builder());
  await done(player);
  await quests(player);
  await withoutHerbs(other, service);
  await nextChapter(player);
  await easierWolf(player);
  await close(other);
  report({ rows: dump(player.connection, SHOWN), token: player.token });
  await Promise.all([service.ended, player.ended]);
}

async function look(): Promise<void> {
  const player = await open(DbConnection.builder(), env('TOKEN'));
  await subscribe(player.connection, QUERIES);
  // The story's rows come when its actor, asked by the subscription, is awake again.
  await until(player.connection, () => player.connection.db.storyEvent.count() > 0n);
  report({ rows: dump(player.connection, SHOWN) });
  await close(player);
}

main(process.env['TOKEN'] === undefined ? play : look);
