// Story 3 of the game: an npc's favour, trade, inventory, a treasure, and saves that pay once.

import assert from 'node:assert/strict';
import { DbConnection } from '../module_bindings_game/index.js';
import type { InventoryMutation } from '../module_bindings_game/types.js';
import { close, dump, env, main, open, report, until } from './connections.js';
import {
  act,
  ask,
  battle,
  begin,
  choose,
  code,
  followAll,
  items,
  only,
  openService,
  progress,
  requestId,
  session,
  userId,
  type Player,
} from './player.js';

const HERB = 'core_healing_herb';
const BLADE = 'core_blade_t1';
const ARCHIVES_MAX = 20;
const VALUES: Record<string, number> = {
  core_healing_herb: 12,
  core_mana_drop: 12,
  core_antidote: 10,
  core_smoke_bomb: 30,
  core_throwing_knife: 8,
  core_blade_t1: 40,
  core_mail_t1: 40,
  core_charm_t1: 40,
};
const SHOWN = [
  'inventorySlot',
  'myPlayerProgression',
  'npcState',
  'profileDashboardState',
  'profileSaveArchive',
  'rewardSettlement',
  'sessionDirectoryEntry',
  'storySession',
  'treasureRecord',
];

const npc = (player: Player, key: string) =>
  only([...player.connection.db.npcState.iter()].filter(row => row.npcKey === key));

const slot = (player: Player, itemId: string) =>
  [...player.connection.db.inventorySlot.iter()].find(
    row => row.itemId === itemId && row.runtimeSessionId === session(player).runtimeSessionId
  )!;

const withNpc = (player: Player, npcKey: string) => ({
  storySessionId: session(player).storySessionId,
  npcKey,
  requestId: requestId(),
});

/** Give the running story up and begin a new one, with its own inventory. */
async function again(player: Player): Promise<void> {
  const { db, reducers } = player.connection;
  const { storySessionId } = session(player);
  await reducers.abandonStorySession({ input: { storySessionId, requestId: requestId() } });
  await until(player.connection, () => db.storySession.count() === 0n);
  await begin(player);
}

async function mutate(player: Player, service: Player, mutation: InventoryMutation, ref: string) {
  await ask(
    service.connection.procedures.applyInventoryMutationAndReturn({
      input: {
        userId: userId(player),
        runtimeSessionId: session(player).runtimeSessionId,
        mutation,
        sourceRef: `test:${ref}`,
        requestId: requestId(),
      },
    })
  );
}

const grant = (itemId: string, quantity: number): InventoryMutation => ({
  tag: 'Grant',
  value: { item: { itemId, quantity } },
});

async function talks(player: Player): Promise<void> {
  await choose(player, 'Travel', 'mill');
  for (const after of [53, 55, 56, 56]) {
    await player.connection.reducers.talkToNpc({ input: withNpc(player, 'scout') });
    assert.equal(npc(player, 'scout').affinity, after);
  }
}

/** Step 3: prices follow affinity; who cannot pay gets nothing, and the goods are back. */
async function smith(player: Player): Promise<void> {
  const { db, reducers } = player.connection;
  await reducers.talkToNpc({ input: withNpc(player, 'smith') });
  const { affinity, tradeStock } = npc(player, 'smith');
  assert.equal(affinity, 3);
  assert.ok(tradeStock.length > 0);
  for (const { itemId, unitPrice } of tradeStock) {
    assert.equal(unitPrice, Math.ceil((VALUES[itemId]! * 1291) / 1000));
  }
  const dear = tradeStock.toSorted(
    (a, b) => b.unitPrice * b.quantity - a.unitPrice * a.quantity
  )[0]!;
  assert.ok(dear.unitPrice * dear.quantity > 20);
  await reducers.tradeWithNpc({
    input: {
      ...withNpc(player, 'smith'),
      kind: { tag: 'Buy' },
      itemId: dear.itemId,
      quantity: dear.quantity,
      expectedUnitPrice: dear.unitPrice,
    },
  });
  await until(player.connection, () =>
    [...db.npcExchangeRecord.iter()].some(
      row =>
        row.status.tag === 'Rejected' && row.errorCode === 'inventory.insufficient_items'
    )
  );
  assert.deepEqual(npc(player, 'smith').tradeStock, tradeStock);
  assert.deepEqual(items(player)['core_coin'], 20);
}

/** Step 4, its first half. */
async function blade(player: Player, service: Player): Promise<void> {
  const { reducers } = player.connection;
  await mutate(player, service, grant(BLADE, 1), 'blade');
  await until(player.connection, () => slot(player, BLADE) !== undefined);
  const wear = (itemId: string) =>
    reducers.equipItem({
      input: {
        runtimeSessionId: session(player).runtimeSessionId,
        slotIndex: slot(player, itemId).slotIndex,
        requestId: requestId(),
      },
    });
  await wear(BLADE);
  assert.equal(slot(player, BLADE).container.tag, 'Equipment');
  assert.equal(await code(wear(HERB)), 'inventory.not_equippable');
}

/** Step 1, with gifts: 53, 55, 58 is not enough, 60 is. */
async function recruit(player: Player): Promise<void> {
  const { reducers } = player.connection;
  for (const after of [53, 55]) {
    await reducers.giftNpc({ input: { ...withNpc(player, 'scout'), itemId: HERB } });
    await until(player.connection, () => npc(player, 'scout').affinity === after);
  }
  await reducers.talkToNpc({ input: withNpc(player, 'scout') });
  assert.equal(npc(player, 'scout').affinity, 58);
  assert.equal(
    await code(reducers.recruitNpc({ input: withNpc(player, 'scout') })),
    'npc.requirements_not_met'
  );
  await reducers.talkToNpc({ input: withNpc(player, 'scout') });
  assert.equal(npc(player, 'scout').affinity, 60);
  await reducers.recruitNpc({ input: withNpc(player, 'scout') });
  assert.ok(npc(player, 'scout').recruited);
}

/** Steps 2, 4 and 9: a companion, a worn blade, and a belt that nobody takes from. */
async function battleWithCompanion(player: Player, otherTab: Player): Promise<void> {
  await choose(player, 'Fight', 'mill_prowl');
  const snapshot = await battle(player);
  const own = snapshot.combatants.find(row => row.kind.tag === 'Player')!;
  const scout = snapshot.combatants.find(row => row.kind.tag === 'Companion')!;
  assert.deepEqual([scout.seq, scout.entityKey], [2, 'scout']);
  const profile = npc(player, 'scout').levelProfile;
  assert.equal(scout.stats.attack, Math.floor((profile.stats.attack * 1200) / 1000));
  assert.equal(own.stats.attack, 18 + 3);
  const herbs = items(player)[HERB]!;
  await act(player, {
    battleStateId: snapshot.battle.battleStateId,
    expectedVersion: snapshot.battle.version,
    action: { tag: 'UseItem' },
    skillId: undefined,
    itemId: HERB,
    targetSeq: own.seq,
    requestId: requestId(),
  });
  await until(otherTab.connection, () => slot(otherTab, HERB)?.lockedBy !== undefined);
  const discard = () =>
    otherTab.connection.reducers.discardInventoryItem({
      input: {
        runtimeSessionId: session(otherTab).runtimeSessionId,
        slotIndex: slot(otherTab, HERB).slotIndex,
        quantity: 1,
        requestId: requestId(),
      },
    });
  assert.equal(await code(discard()), 'inventory.locked_state');
  await player.connection.reducers.abortBattle({
    input: { battleStateId: snapshot.battle.battleStateId, requestId: requestId() },
  });
  await until(otherTab.connection, () => (items(otherTab)[HERB] ?? 0) === herbs - 1);
  await discard();
  await until(player.connection, () => items(player)[HERB] === herbs - 2);
}

/** Step 5. */
async function stacks(player: Player, service: Player): Promise<void> {
  const herbs = () =>
    [...player.connection.db.inventorySlot.iter()]
      .filter(
        row =>
          row.itemId === HERB && row.runtimeSessionId === session(player).runtimeSessionId
      )
      .sort((a, b) => a.slotIndex - b.slotIndex)
      .map(row => row.quantity);
  await mutate(player, service, grant(HERB, 12), 'fifteen');
  await until(player.connection, () => herbs()[0] === 15);
  await mutate(player, service, grant(HERB, 30), 'thirty');
  await until(player.connection, () => herbs().length === 3);
  assert.deepEqual(herbs(), [20, 20, 5]);
}

const save = (player: Player, replaceArchiveId?: string) =>
  player.connection.procedures.createSaveArchiveAndReturn({
    input: {
      userId: undefined,
      storySessionId: session(player).storySessionId,
      label: 'before the chest',
      replaceArchiveId,
      requestId: requestId(),
    },
  });

async function openChest(player: Player): Promise<void> {
  const { db, reducers } = player.connection;
  const { storySessionId } = session(player);
  await reducers.resolveTreasureInteraction({
    input: {
      storySessionId,
      treasureKey: 'mill_chest',
      action: { tag: 'Open' },
      requestId: requestId(),
    },
  });
  await until(player.connection, () => only(db.treasureRecord.iter()).status.tag === 'Opened');
}

/** What a player has of a lineage's chest: coins, antidotes and experience. */
const gained = (player: Player) => {
  const { core_coin: coins, core_antidote: antidotes } = items(player);
  return [coins, antidotes, progress(player)[2]];
};

/** Steps 6 to 8; answers the last archive. */
async function saves(player: Player): Promise<void> {
  const { db, procedures, reducers } = player.connection;
  await choose(player, 'Travel', 'mill');
  const before = session(player);
  const archive = await ask(save(player));
  await openChest(player);
  assert.deepEqual(gained(player), [30, 1, 6]);
  const { storySessionId } = await ask(
    procedures.restoreSaveArchiveAndReturn({
      input: { userId: undefined, archiveId: archive.archiveId, requestId: requestId() },
    })
  );
  await until(
    player.connection,
    () =>
      db.storySession.count() === 1n &&
      session(player).storySessionId === storySessionId &&
      db.treasureRecord.count() === 1n
  );
  const after = session(player);
  assert.notEqual(after.storySessionId, before.storySessionId);
  assert.equal(after.runtimeSessionId, before.runtimeSessionId);
  assert.equal(only(db.treasureRecord.iter()).status.tag, 'Found');
  await openChest(player);
  const settlement = only(db.rewardSettlement.iter());
  assert.deepEqual([settlement.status.tag, settlement.result?.replayed], ['Settled', true]);
  assert.deepEqual(gained(player), [30, 1, 6]);
  // 7
  const old = await ask(
    procedures.getStorySessionState({ input: { storySessionId: before.storySessionId } })
  );
  assert.equal(old.session.status.tag, 'Superseded');
  assert.equal(
    await code(
      reducers.continueStory({
        input: {
          storySessionId: before.storySessionId,
          choiceId: undefined,
          freeText: 'wait',
          expectedTurn: before.turn,
          interruptNarration: false,
          requestId: requestId(),
        },
      })
    ),
    'story.not_active_state'
  );
  // 8
  for (let count = 1; count < ARCHIVES_MAX; count++) await ask(save(player));
  assert.equal(await code(save(player)), 'archive.quota_exceeded');
  await choose(player, 'Fight', 'slime_pack');
  await battle(player);
  assert.equal(await code(save(player, archive.archiveId)), 'archive.battle_state');
  await until(
    player.connection,
    () => db.profileSaveArchive.count() === BigInt(ARCHIVES_MAX)
  );
  assert.equal(only(db.profileDashboardState.iter()).saveArchiveCount, ARCHIVES_MAX);
}

async function play(): Promise<void> {
  const service = await openService();
  const player = await open(DbConnection.builder());
  await followAll(player);
  const otherTab = await open(DbConnection.builder(), player.token);
  await followAll(otherTab);
  await begin(player);
  await talks(player);
  await again(player);
  await smith(player);
  await mutate(player, service, grant(HERB, 2), 'herbs');
  await blade(player, service);
  await choose(player, 'Travel', 'mill');
  await recruit(player);
  await battleWithCompanion(player, otherTab);
  await again(player);
  await stacks(player, service);
  const saver = await open(DbConnection.builder());
  await followAll(saver);
  await begin(saver);
  await saves(saver);
  report({ rows: dump(saver.connection, SHOWN), token: saver.token });
  await Promise.all([service, player, otherTab, saver].map(one => one.ended));
}

async function look(): Promise<void> {
  const saver = await open(DbConnection.builder(), env('TOKEN'));
  await followAll(saver);
  await until(saver.connection, () => saver.connection.db.treasureRecord.count() === 1n);
  report({ rows: dump(saver.connection, SHOWN) });
  await close(saver);
}

main(process.env['TOKEN'] === undefined ? play : look);
